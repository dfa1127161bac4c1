/**
 * The digest of a job: 32 hex digits over all that the job means, and nothing of how its jobfile is worded or where and
 * when it may run. A job whose digest has not changed need not be run again.
 */
import { createHash, hash } from 'node:crypto';
import type { Batch, MarkerRef, Template } from '../model.ts';

/** Counts up when what a digest covers changes; every job is run again then. */
const MEANING = 1;

/** What of a job a digest is made of, beside what all jobs of its batch share. */
export interface JobMeaning {
  /** The values, joined by NUL. */
  readonly row: string;
  readonly name: string;
  readonly number: number;
  readonly cpus: number;
  readonly files: readonly string[];
  readonly needs: readonly string[];
}

export interface Digests {
  /** Over what all jobs of the batch have in common. */
  readonly shared: string;
  readonly of: (job: JobMeaning) => string;
}

/** Hashes what the batch's jobs have in common once; each job's own share is hashed on top of that. */
export function digestsOf(batch: Batch): Digests {
  const refs = [batch.command, ...batch.files].flatMap(markers);
  const uses = (what: string) => refs.some(ref => ref.kind === 'job' && ref.what === what);
  const usesName = uses('id');
  const usesNumber = uses('n');
  const usesCpus = uses('cpus') || batch.threads !== undefined;
  const shared = createHash('sha256')
    .update(
      JSON.stringify([
        MEANING,
        batch.shell,
        batch.command.source,
        constants(batch.command),
        batch.table.columns.map(name => name ?? null),
        [...batch.env],
        batch.modules,
        batch.container ?? null,
        batch.setup ?? null,
        batch.outputs,
        batch.needs.map(need => [need.batch, need.each]),
      ]),
    )
    .digest('hex');
  // NUL cannot be in a value or a name, and the number of values is among what is shared: no two meanings look alike.
  const of = (job: JobMeaning) =>
    hash(
      'sha256',
      `${shared}\n${job.row}\0${usesName ? job.name : ''}\0${usesNumber ? job.number : ''}\0${usesCpus ? job.cpus : ''}\0` +
        `${job.files.join('\0')}\0\0${job.needs.join('\0')}`,
    ).slice(0, 32);
  return { shared, of };
}

function markers(template: Template): MarkerRef[] {
  return template.parts.flatMap(part =>
    part.kind === 'marker' && part.where !== 'comment' ? [part.ref] : [],
  );
}

function constants(template: Template): [string, string][] {
  return template.parts.flatMap(part =>
    part.kind === 'marker' && part.ref.kind === 'constant'
      ? [[part.name, part.ref.value] as [string, string]]
      : [],
  );
}
