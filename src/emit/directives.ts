/** What a batch asks of a scheduler, as the comment lines that `sbatch` and `qsub` read in a jobfile. */
import type { Batch } from '../model.ts';

/** Lines for the batch's own needs and its native options; `cpus` and `out` are the job's. */
export function directives(batch: Batch, job: { readonly cpus: string; readonly out: string }): string[] {
  return [...slurm(batch, job), ...sge(batch, job)];
}

function slurm(batch: Batch, job: { readonly cpus: string; readonly out: string }): string[] {
  const needs = [
    batch.cpus > 1 || batch.threads !== undefined ? `--cpus-per-task=${job.cpus}` : '',
    batch.mem === undefined ? '' : `--mem=${Math.ceil(batch.mem / 2 ** 20)}M`,
    batch.gpus > 0 ? `--gpus=${batch.gpus}` : '',
    batch.time === undefined ? '' : `--time=${clock(batch.time)}`,
  ].filter(need => need !== '');
  if (needs.length === 0 && batch.slurm.size === 0) return [];
  const native = [...batch.slurm].map(([name, value]) => {
    if (value === '' || value === 'true') return `#SBATCH --${name}`;
    return `#SBATCH --${name}=${/^[\w/.:@%+,*=-]+$/.test(value) ? value : `"${oneLine(value).replace(/["\\]/g, '\\$&')}"`}`;
  });
  return [`#SBATCH ${[...needs, `--output=${job.out}/slurm.out`].join(' ')}`, ...native];
}

/** Grid Engine ignores the first line of a script, so the shell is named here, too. */
function sge(batch: Batch, job: { readonly out: string }): string[] {
  if (batch.sge.size === 0) return [];
  const time = batch.time === undefined ? '' : ` -l h_rt=${batch.time}`;
  const shell = batch.shell === 'bash' ? '/bin/bash' : '/bin/sh';
  const native = [...batch.sge].map(([name, value]) => `#$ -${name} ${oneLine(value)}`.trimEnd());
  return [`#$ -S ${shell} -cwd -j y -o ${job.out}/job.out${time}`, ...native];
}

/** Seconds as `HH:MM:SS`, hours without limit. */
function clock(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(Math.ceil(seconds) % 60)}`;
}

/** Keeps a text from leaving its comment line. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
}
