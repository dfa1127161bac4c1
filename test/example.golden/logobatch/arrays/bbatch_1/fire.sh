#!/bin/sh
# bbatch_1/fire as a job array: one task a job. Written by LogoBatch from batch_info/bbatch_1.yml; compile again rather than edit.
#
# make submits it where there is a cluster. By hand, from the image's root:
#
#   sbatch --array=1-336 .logobatch/arrays/bbatch_1/fire.sh
#   qsub -t 1-336 .logobatch/arrays/bbatch_1/fire.sh
#
# Task 1 then is the first job that the Makefile lists for this batch. Its output is left in the job's folder, without a
# record: make does not rely on it, and would run the job once more.
#SBATCH --job-name=fire --no-requeue
#SBATCH --time=00:02:00
#$ -N fire -S /bin/sh -cwd -j y -r n
#$ -l h_rt=120

fail() {
  echo "bbatch_1/fire: $*" >&2
  exit 2
}

task=${SLURM_ARRAY_TASK_ID:-${SGE_TASK_ID:-}}
case $task in
  '' | *[!0-9]*) fail 'no task of a job array: submit with sbatch --array=1-336 or qsub -t 1-336' ;;
esac

# From make: what the task is to do lies in the array's own folder.
[ $# -eq 0 ] || exec sh "$1/../../task" "$1" "$task"

# By hand: the job's name stands in the Makefile, in the list of this batch.
[ -f Makefile ] || fail "no Makefile in $PWD: submit from the image's root"
job=$(awk -v list=bbatch_1/fire/jobs -v wanted="$task" '
  $1 == list { first = 3 }
  first {
    for (i = first; i <= NF; i++) if ($i != "\\" && ++count == wanted) { print $i; exit }
    if ($NF != "\\") exit
    first = 1
  }' Makefile)
[ -n "$job" ] || fail "there is no job $task: the batch has 336 jobs"
exec sh "data/processed/bbatch_1/fire/$job/jobfile.sh"
