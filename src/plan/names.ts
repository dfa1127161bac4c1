/** Job names that only the plan knows, because they are made of a job's number or processors. */
import type { Diagnostic } from '../diagnostic.ts';
import { excerpt } from '../diagnostic.ts';
import type { Batch } from '../model.ts';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$/;

/** The first name that cannot be a folder, or that two jobs share; names of rows alone were checked before. */
export function checkNames(batch: Batch, count: number, name: (index: number) => string): Diagnostic[] {
  const made = batch.jobName?.parts.some(part => part.kind === 'marker' && part.ref.kind === 'job');
  if (!made && !(batch.jobName && batch.threads)) return [];
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const own = name(i);
    if (!NAME.test(own)) {
      const message = `job ${i + 1} of "${batch.name}" would be called ${excerpt(own, 100)}`;
      return [
        wrong(batch, 'bad-job-name', message, 'names are made of letters, digits, _ . + and -, at most 100'),
      ];
    }
    const first = seen.get(own.toLowerCase());
    if (first !== undefined) {
      const message = `jobs ${first + 1} and ${i + 1} of "${batch.name}" would both be called ${excerpt(own, 100)}`;
      return [
        wrong(batch, 'same-job-name', message, 'add {n}, the number of the job, behind a - to job_name'),
      ];
    }
    seen.set(own.toLowerCase(), i);
  }
  return [];
}

function wrong(batch: Batch, code: string, message: string, hint: string): Diagnostic {
  return { severity: 'error', code, message, place: batch.place, hint };
}
