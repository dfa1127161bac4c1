#!/bin/sh
#: 0123456789abcdef0123456789abcdef 1
# bbatch_1/fire/Job7. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
# Lines with "#:" are for make: a digest of what is said below, and how many processors it takes.
# By hand, from the image's root: sh data/processed/bbatch_1/fire/Job7/jobfile.sh (sbatch and qsub take it, too)

# make has set these; by hand, they are as said here.
LB_OUT=${LB_OUT:-"$PWD/data/processed/bbatch_1/fire/Job7"}
LB_CPUS=${LB_CPUS:-"1"} LB_ATTEMPT=${LB_ATTEMPT:-1}
LB_NODE=${LB_NODE:-$(uname -n)} LB_SCRATCH=${LB_SCRATCH:-${TMPDIR:-/tmp}}
export LB_JOB=Job7 LB_OUT LB_CPUS LB_ATTEMPT LB_NODE LB_SCRATCH

# Its values, from batch_info/sweep.csv.
export LB_density=0.55
export LB_seed=7

set -e

awk -f src/fire.awk -v density=0.55 -v seed=7 > "$LB_OUT"/burned.csv

#!/usr/bin/env bash
#: 0123456789abcdef0123456789abcdef 4
#: needs bbatch_1/prepare/Job3
# bbatch_1/fire/Job7. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
# Lines with "#:" are for make: a digest of what is said below, and how many processors it takes.
# By hand, from the image's root: bash data/processed/bbatch_1/fire/Job7/jobfile.sh (sbatch and qsub take it, too)
#SBATCH --output=data/processed/bbatch_1/fire/Job7/slurm.out
#SBATCH --cpus-per-task=4 --mem=4096M --gpus=1 --time=01:30:00
#SBATCH --partition=main
#SBATCH --comment="a \"b\" c"
#SBATCH --exclusive
#$ -S /bin/bash -cwd -j y -o data/processed/bbatch_1/fire/Job7/job.out
#$ -l h_rt=5400,mem_free=512M,gpu=1
#$ -pe smp 8
#$ -q long.q

# make has set these; by hand, they are as said here.
LB_OUT=${LB_OUT:-"$PWD/data/processed/bbatch_1/fire/Job7"}
LB_CPUS=${LB_CPUS:-"4"} LB_ATTEMPT=${LB_ATTEMPT:-1}
LB_NODE=${LB_NODE:-$(uname -n)} LB_SCRATCH=${LB_SCRATCH:-${TMPDIR:-/tmp}}
export LB_JOB=Job7 LB_OUT LB_CPUS LB_ATTEMPT LB_NODE LB_SCRATCH

# Its values, from batch_info/sweep.csv.
export LB_seed=7
export LB_label='it'\''s
# not a comment'
LB_exe='src/my model'
LB_n=7

# The environment of its batch.
export OMP_NUM_THREADS=4
export NOTE='don'\''t; $x'

# Environment modules: outside of a login shell, "module" has to be looked for.
load_modules() {
  for lb_init in "${MODULESHOME:-/usr/share/modules}/init/sh" \
    /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh; do
    command -v module >/dev/null && break
    # shellcheck source=/dev/null
    [ ! -r "$lb_init" ] || . "$lb_init"
  done
  if ! command -v module >/dev/null; then
    echo "bbatch_1/fire loads modules, but $LB_NODE has no command \"module\"" >&2
    return 127
  fi
  module load gcc/12 openmpi
}
[ -n "${LB_INSIDE-}" ] || load_modules || exit

# In a container: outside of it, this file starts itself again inside.
if [ -z "${LB_INSIDE-}" ]; then
  if ! lb_runtime=$(command -v apptainer || command -v singularity); then
    echo "bbatch_1/fire runs in a container, but $LB_NODE has neither apptainer nor singularity" >&2
    exit 127
  fi
  case $0 in /*) lb_jobfile=$0 ;; *) lb_jobfile=$PWD/$0 ;; esac
  export LB_INSIDE=1
  exec "$lb_runtime" exec --bind "$PWD,$LB_OUT,$LB_SCRATCH,$lb_jobfile" --pwd "$PWD" \
    'containers/my model.sif' bash "$lb_jobfile"
fi

set -eo pipefail

'src/my model' --threads 4 --label 'it'\''s
# not a comment' < src/in |
  sed 's/x/7/' > "$LB_OUT"/a.csv
# the settings, {seed} among them
cat > "$LB_OUT"/settings <<EOF
model = ${LB_exe}
label = ${LB_label}
job   = ${LB_JOB} (${LB_n})
EOF
