#!/bin/sh
#: 6ea71122bff53f52ccec5163d64699bf 1
# bbatch_1/plot/Job1. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
# Lines with "#:" are for make: a digest of what is said below, and how many processors it takes.
# By hand, from the image's root: sh data/processed/bbatch_1/plot/Job1/jobfile.sh (sbatch and qsub take it, too)

# make has set these; by hand, they are as said here.
LB_OUT=${LB_OUT:-"$PWD/data/processed/bbatch_1/plot/Job1"}
LB_CPUS=${LB_CPUS:-"1"} LB_ATTEMPT=${LB_ATTEMPT:-1}
LB_NODE=${LB_NODE:-$(uname -n)} LB_SCRATCH=${LB_SCRATCH:-${TMPDIR:-/tmp}}
export LB_JOB=Job1 LB_OUT LB_CPUS LB_ATTEMPT LB_NODE LB_SCRATCH

# The environment of its batch.
export LC_ALL=C

set -e

awk -f src/plot.awk data/processed/bbatch_1/summary/Job1/threshold.csv data/processed/bbatch_1/summary/Job1/summary.csv > "$LB_OUT"/percolation.svg
