#!/bin/sh
#: dc462e2eba869d5f65763c3b5e5c9cdd 1
# bbatch_1/threads/Job1. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
# Lines with "#:" are for make: a digest of what is said below, and how many processors it takes.
# By hand, from the image's root: sh data/processed/bbatch_1/threads/Job1/jobfile.sh (sbatch and qsub take it, too)
#SBATCH --output=data/processed/bbatch_1/threads/Job1/slurm.out
#SBATCH --cpus-per-task=1 --time=00:05:00
#$ -S /bin/sh -cwd -j y -o data/processed/bbatch_1/threads/Job1/job.out
#$ -pe smp 1 -l h_rt=300

# make has set these; by hand, they are as said here.
LB_OUT=${LB_OUT:-"$PWD/data/processed/bbatch_1/threads/Job1"}
LB_CPUS=${LB_CPUS:-"1"} LB_ATTEMPT=${LB_ATTEMPT:-1}
LB_NODE=${LB_NODE:-$(uname -n)} LB_SCRATCH=${LB_SCRATCH:-${TMPDIR:-/tmp}}
export LB_JOB=Job1 LB_OUT LB_CPUS LB_ATTEMPT LB_NODE LB_SCRATCH

# The environment of its batch.
export LC_ALL=C

set -e

sh src/threads.sh 1 data/raw/forest.txt > "$LB_OUT"/threads.csv
