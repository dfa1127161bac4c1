/** The script of a batch's job array: `make` hands it to a scheduler, and so may a person. */
import { counted } from '../counted.ts';
import type { PlannedBatch } from '../model.ts';
import { makeName } from '../quote.ts';
import { arrayDirectives, oneLine } from './directives.ts';
import type { EmittedFile } from './emission.ts';
import type { Template } from './template.ts';

/** Beside the Makefile, not beside the jobs: these come and go with their rows. */
export const ARRAYS = '.logobatch/arrays';

/** What `templates/array.sh.hbs` can say, each a finished word or line. */
export interface ArrayView {
  readonly id: string;
  readonly name: string;
  /** Where the batch is written. */
  readonly file: string;
  /** Where the script is. */
  readonly script: string;
  /** Of jobs. */
  readonly count: string;
  /** The same in words: `243 jobs`. */
  readonly jobs: string;
  /** Of the jobfiles. */
  readonly shell: string;
  readonly directives: readonly string[];
}

/** None for a batch without jobs, which no scheduler takes. */
export function arrayscript({ batch, count }: PlannedBatch, template: Template): EmittedFile[] {
  if (count === 0) return [];
  const path = `${ARRAYS}/${makeName(batch.id)}.sh`;
  const view: ArrayView = {
    id: batch.id,
    name: batch.name,
    file: oneLine(batch.place.file),
    script: path,
    count: String(count),
    jobs: counted(count, 'job'),
    shell: batch.shell,
    directives: arrayDirectives(batch),
  };
  return [{ path, mode: 0o644, text: () => [template.render(view)] }];
}
