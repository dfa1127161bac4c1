#!/bin/sh
#: 32a7a1d5fd4aff4496d9f1c826736cb0 1
# bbatch_1/summary/Job1. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
# By hand, from the image's root: sh data/processed/bbatch_1/summary/Job1/jobfile.sh

# Set by the run; by hand, what stands here holds.
LB_OUT=${LB_OUT:-"$PWD/data/processed/bbatch_1/summary/Job1"}
LB_CPUS=${LB_CPUS:-"1"} LB_ATTEMPT=${LB_ATTEMPT:-1}
LB_NODE=${LB_NODE:-$(uname -n)} LB_SCRATCH=${LB_SCRATCH:-${TMPDIR:-/tmp}}
export LB_JOB=Job1 LB_OUT LB_CPUS LB_ATTEMPT LB_NODE LB_SCRATCH

set -e

awk -f src/root.awk -f src/summary.awk batch_info/sweep.csv data/processed/bbatch_1/fire/Job*[0-9]/burned.csv > "$LB_OUT"/summary.csv
awk -f src/root.awk -f src/threshold.awk "$LB_OUT"/summary.csv > "$LB_OUT"/threshold.csv
awk -f src/plot.awk "$LB_OUT"/threshold.csv "$LB_OUT"/summary.csv > "$LB_OUT"/percolation.svg
