#!/bin/sh
#: 3b9ab95a19918c0715bfe9243b1a4d70 1
# bbatch_1/threads/Job1. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
# By hand, from the image's root: sh data/processed/bbatch_1/threads/Job1/jobfile.sh
#SBATCH --cpus-per-task=1 --output=data/processed/bbatch_1/threads/Job1/slurm.out

# Set by the run; by hand, what stands here holds.
LB_OUT=${LB_OUT:-"$PWD/data/processed/bbatch_1/threads/Job1"}
LB_CPUS=${LB_CPUS:-"1"} LB_ATTEMPT=${LB_ATTEMPT:-1}
LB_NODE=${LB_NODE:-$(uname -n)} LB_SCRATCH=${LB_SCRATCH:-${TMPDIR:-/tmp}}
export LB_JOB=Job1 LB_OUT LB_CPUS LB_ATTEMPT LB_NODE LB_SCRATCH

set -e

sh src/threads.sh 1 data/raw/forest.txt > "$LB_OUT"/threads.csv
