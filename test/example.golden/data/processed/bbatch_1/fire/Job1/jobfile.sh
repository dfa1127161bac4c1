#!/bin/sh
#: f96829aabe428a99e48624c31050db9a 1
# bbatch_1/fire/Job1. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
# Lines with "#:" are for make: a digest of what is said below, and how many processors it takes.
# By hand, from the image's root: sh data/processed/bbatch_1/fire/Job1/jobfile.sh (sbatch and qsub take it, too)
#SBATCH --output=data/processed/bbatch_1/fire/Job1/slurm.out
#SBATCH --time=00:02:00
#$ -S /bin/sh -cwd -j y -o data/processed/bbatch_1/fire/Job1/job.out
#$ -l h_rt=120

# make has set these; by hand, they are as said here.
LB_OUT=${LB_OUT:-"$PWD/data/processed/bbatch_1/fire/Job1"}
LB_CPUS=${LB_CPUS:-"1"} LB_ATTEMPT=${LB_ATTEMPT:-1}
LB_NODE=${LB_NODE:-$(uname -n)} LB_SCRATCH=${LB_SCRATCH:-${TMPDIR:-/tmp}}
export LB_JOB=Job1 LB_OUT LB_CPUS LB_ATTEMPT LB_NODE LB_SCRATCH

# Its values, from batch_info/sweep.csv.
export LB_density=0.40
export LB_seed=1

# The environment of its batch.
export LC_ALL=C

set -e

awk -f src/fire.awk -v density=0.40 -v seed=1 data/raw/forest.txt > "$LB_OUT"/burned.csv
