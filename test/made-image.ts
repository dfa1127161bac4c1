/** Images made by hand, for what comes after validation. */
import { parseTemplate } from '../src/command.ts';
import type { Batch, Image, MarkerRef, Template } from '../src/model.ts';
import type { PlanResult } from '../src/plan/plan.ts';
import { planImage } from '../src/plan/plan.ts';

export interface MadeBatch extends Partial<Omit<Batch, 'command' | 'jobName' | 'files' | 'table'>> {
  readonly name: string;
  readonly command?: string;
  readonly jobName?: string;
  readonly files?: readonly string[];
  readonly columns?: readonly string[];
  readonly rows?: readonly (readonly string[])[];
}

/** What a batch has that says no more than its command. */
export const UNSAID = {
  mem: undefined,
  gpus: 0,
  time: undefined,
  retries: 0,
  needs: [],
  shared: ['src'],
  outputs: [],
  maxOutput: { bytes: 1000, files: 10 },
  secrets: [],
  env: new Map(),
  modules: [],
  setup: undefined,
  container: undefined,
  resources: [],
  tags: [],
  requires: [],
  bundle: 1,
  keep: false,
  email: false,
  slurm: new Map(),
  sge: new Map(),
} satisfies Partial<Batch>;

/** A batch of `bbatch_1` (or of `bbatch`) with nothing unusual but what is given. */
export function madeBatch(given: MadeBatch): Batch {
  const {
    command = 'true',
    jobName,
    files = [],
    columns = ['a'],
    rows = [['1'], ['2'], ['3']],
    ...rest
  } = given;
  const bbatch = given.bbatch ?? 'bbatch_1';
  const constants = given.constants ?? new Map<string, string>();
  const parse = (source: string, shell: boolean) => template(source, shell, columns, constants);
  return {
    id: `${bbatch}/${given.name}`,
    bbatch,
    place: { file: `batch_info/${bbatch}.yml`, line: 3, column: 5, length: 4 },
    shell: 'sh',
    cpus: 1,
    threads: undefined,
    ...UNSAID,
    ...rest,
    constants,
    command: parse(command, true),
    jobName: jobName === undefined ? undefined : parse(jobName, false),
    files: files.map(file => parse(file, false)),
    table: {
      source: 'batch_info/t.csv',
      columns,
      rows: rows.map(row => row.join('\0')),
      placeOf: () => undefined,
    },
  };
}

export function madeImage(batches: readonly MadeBatch[]): Image {
  const made = batches.map(madeBatch);
  const names = [...new Set(made.map(batch => batch.bbatch))];
  return {
    bbatches: names.map(name => ({
      name,
      file: `batch_info/${name}.yml`,
      email: undefined,
      batches: made.filter(batch => batch.bbatch === name),
    })),
  };
}

/** The plan of an image in which nothing is wrong, with the text of its lock. */
export function planned(batches: readonly MadeBatch[], lock?: string) {
  const result: PlanResult = planImage(madeImage(batches), lock);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return { ...result, lock: [...result.plan.lock()].join('') };
}

function template(
  source: string,
  shell: boolean,
  columns: readonly string[],
  constants: ReadonlyMap<string, string>,
): Template {
  const found = parseTemplate(source, shell, ({ name }): MarkerRef | undefined => {
    if (columns.includes(name)) return { kind: 'column', index: columns.indexOf(name) };
    if (name === 'id' || name === 'n' || name === 'cpus' || name === 'out')
      return { kind: 'job', what: name };
    const value = constants.get(name);
    return value === undefined ? undefined : { kind: 'constant', value };
  });
  return found.template;
}
