/** What a batch asks of a scheduler, as the comment lines that `sbatch` and `qsub` read in a script. */
import type { Batch } from '../model.ts';

/** What a job says for itself, as it is to stand there. */
export interface JobWords {
  readonly cpus: string;
  readonly out: string;
  /** See `memPerSlot`. */
  readonly slotMem: string;
}

/** For the jobfile of one job. Nothing where the batch asks for nothing. */
export function jobDirectives(batch: Batch, job: JobWords): string[] {
  const slurm = [...slurmNeeds(batch, job.cpus), ...slurmNative(batch)];
  const sge = [...sgeNeeds(batch, job.cpus, job.slotMem), ...sgeNative(batch)];
  const shell = batch.shell === 'bash' ? '/bin/bash' : '/bin/sh';
  return [
    ...(slurm.length > 0 ? [`#SBATCH --output=${job.out}/slurm.out`, ...slurm] : []),
    // Grid Engine ignores the first line of a script, so the shell is named here, too.
    ...(sge.length > 0 ? [`#$ -S ${shell} -cwd -j y -o ${job.out}/job.out`, ...sge] : []),
  ];
}

/**
 * For the job array of all jobs: where they differ, what the largest of them needs. A scheduler is not to start a task again
 * behind our back, unless the batch says how it wants that.
 */
export function arrayDirectives(batch: Batch): string[] {
  const cpus = String(batch.cpus);
  const mem = batch.mem === undefined ? '' : String(memPerSlot(batch, batch.mem, batch.cpus));
  const again = batch.slurm.has('requeue') || batch.slurm.has('no-requeue') ? '' : ' --no-requeue';
  return [
    `#SBATCH --job-name=${batch.name}${again}`,
    ...slurmNeeds(batch, cpus),
    ...slurmNative(batch),
    `#$ -N ${sgeName(batch.name)} -S /bin/sh -cwd -j y${batch.sge.has('r') ? '' : ' -r n'}`,
    ...sgeNeeds(batch, cpus, mem),
    ...sgeNative(batch),
  ];
}

/** An option that says the same in another way stands alone: sbatch refuses some pairs. */
function slurmNeeds(batch: Batch, cpus: string): string[] {
  const said = (pattern: RegExp) =>
    [...batch.slurm].some(([name, value]) => pattern.test(`${name}=${value}`));
  const needs = [
    isParallel(batch) && !said(/^cpus-per-(task|gpu)=/) && `--cpus-per-task=${cpus}`,
    batch.mem !== undefined && !said(/^mem(-per-cpu|-per-gpu)?=/) && `--mem=${mebibytes(batch.mem)}M`,
    batch.gpus > 0 && !said(/^(gpus(-per-\w+)?=|gres=.*gpu|tres-per-\w+=.*gpu)/) && `--gpus=${batch.gpus}`,
    batch.time !== undefined && !said(/^time=/) && `--time=${clock(batch.time)}`,
  ].filter(need => need !== false);
  return needs.length > 0 ? [`#SBATCH ${needs.join(' ')}`] : [];
}

function slurmNative(batch: Batch): string[] {
  return [...batch.slurm].map(([name, value]) => {
    if (value === '' || value === 'true') return `#SBATCH --${name}`;
    return `#SBATCH --${name}=${/^[\w/.:@%+,*=-]+$/.test(value) ? value : `"${oneLine(value).replace(/["\\]/g, '\\$&')}"`}`;
  });
}

/**
 * Grid Engine has no words of its own for what a job needs, only resources that each site names. These are taken by most as
 * they come: `smp` is the parallel environment of one machine in the manuals, `h_rt` is always there, and so is
 * `mem_free`, which every machine reports. (`h_vmem` is the other one in use; but it limits addresses, not memory, and so
 * ends programs that reserve much and use little: Java, CUDA.) `gpu` has to be set up, and goes by several names.
 * What the batch says of the same itself, in `sge: {pe: …, l: …}`, stands alone.
 */
function sgeNeeds(batch: Batch, cpus: string, slotMem: string): string[] {
  const named = (batch.sge.get('l') ?? '').split(',').map(one => one.replace(/=.*/s, '').trim());
  const said = (pattern: RegExp) => named.some(name => pattern.test(name));
  const resources = [
    batch.time !== undefined && !said(/^[hs]_rt$/) && `h_rt=${Math.ceil(batch.time)}`,
    batch.mem !== undefined && !said(/mem|virtual|rss|^[hs]_data$/) && `mem_free=${slotMem}M`,
    batch.gpus > 0 && !said(/gpu|cuda/i) && `gpu=${batch.gpus}`,
  ].filter(need => need !== false);
  const needs = [
    isParallel(batch) && !batch.sge.has('pe') && `-pe ${PARALLEL} ${cpus}`,
    // The name alone: the number of slots is the job's.
    isName(batch.sge.get('pe')) && `-pe ${batch.sge.get('pe')} ${cpus}`,
    resources.length > 0 && `-l ${resources.join(',')}`,
  ].filter(need => need !== false);
  return needs.length > 0 ? [`#$ ${needs.join(' ')}`] : [];
}

const PARALLEL = 'smp';

const isParallel = (batch: Batch) => batch.cpus > 1 || batch.threads !== undefined;

const isName = (parallel: string | undefined) => parallel !== undefined && !/\s/.test(parallel);

function sgeNative(batch: Batch): string[] {
  return [...batch.sge]
    .filter(([name, value]) => name !== 'pe' || !isName(value))
    .map(([name, value]) => `#$ -${name} ${oneLine(value)}`.trimEnd());
}

/** MiB: Grid Engine counts memory for each slot of a parallel environment, we for the whole job. */
export function memPerSlot(batch: Batch, mem: number, cpus: number): number {
  const slots = Number(/\s(\d+)/.exec(batch.sge.get('pe') ?? '')?.[1] ?? cpus);
  return Math.ceil(mebibytes(mem) / Math.max(1, slots));
}

/** Not every name of ours is one for qsub: a digit cannot come first, and some words mean something. */
function sgeName(name: string): string {
  return /^(\d|(none|all|template|undefined)$)/i.test(name) ? `batch_${name}` : name;
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}

/** Seconds as `HH:MM:SS`, hours without limit. */
function clock(time: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = Math.ceil(time);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Keeps a text from leaving its comment line. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
}
