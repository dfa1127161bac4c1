/** `.logobatch/batches/<bbatch>/<batch>`: what the recipes must know of a batch. sh sources it, awk reads it by line. */
import type { Batch, Plan } from '../model.ts';
import { shWord } from '../quote.ts';
import { oneLine } from './directives.ts';

const MIB = 1024 * 1024;

/** One `key=value` a line; those whose values may have several lines come last. */
export function batchfile(batch: Batch, stamps: Plan['stamps']): string {
  const entries: [string, string | number][] = [
    ['bundle', batch.bundle],
    ['time', batch.time ?? 0],
    ['retries', batch.retries],
    // Of the largest job, which is what the job array's script says.
    ['most_cpus', batch.cpus],
    ['mem', Math.ceil((batch.mem ?? 0) / MIB)],
    ['gpus', batch.gpus],
    ['max_bytes', batch.maxOutput.bytes],
    ['max_files', batch.maxOutput.files],
    ['keep', batch.keep ? 1 : 0],
    ['email', batch.email ? 1 : 0],
    ['shell', batch.shell],
    ['shared', batch.shared.map(folder => stamps.get(folder) ?? '').join(' ')],
    ['needs', wholeNeeds(batch)],
    ['resources', batch.resources.join(' ')],
    ['tags', batch.tags.join(' ')],
    ['requires', batch.requires.join(' ')],
    // What the batch says itself: there a resource's own options do not count.
    ['slurm', [...batch.slurm.keys()].join(' ')],
    ['sge', [...batch.sge.keys()].join(' ')],
    ['setup', batch.setup ?? ''],
    ['outputs', batch.outputs.join('\n')],
    ['secrets', batch.secrets.join('\n')],
  ];
  const lines = entries.map(([key, value]) => `${key}=${shWord(String(value))}\n`);
  return `# ${batch.id}, for the scripts in .logobatch/shell. Written by LogoBatch from ${oneLine(batch.place.file)}; compile again rather than edit.
# time in seconds, mem in MiB, 0: unsaid. shared: names of stamps, see ../../shared.
# shellcheck shell=sh disable=SC2034,SC2209,SC2016
${lines.join('')}`;
}

/** The pairs of `needs: {each: …}` stand in the jobfiles. */
function wholeNeeds(batch: Batch): string {
  return batch.needs
    .filter(need => !need.each)
    .map(need => need.batch)
    .join(' ');
}
