/** The view of `templates/Makefile.hbs`: finished words and lines, so that the template looks like what it makes. */
import { counted } from '../counted.ts';
import type { Plan, PlannedBatch } from '../model.ts';
import type { MakeText } from '../quote.ts';
import { makeComment, makeName } from '../quote.ts';
import type { EmittedFile } from './emission.ts';
import { renderTemplate } from './template.ts';

/** Columns at which the lists of jobs are broken, for those who open the file. */
const WIDTH = 100;

interface BatchView {
  readonly id: MakeText;
  readonly command: MakeText;
  readonly file: MakeText;
  /** ` Job1 Job2 …`, broken over lines. */
  readonly jobs: string;
  /** What every job depends on beside its jobfile, each word with a blank before it. */
  readonly prerequisites: string;
  /** Rules for what single jobs depend on. */
  readonly pairs: readonly string[];
  /** True where another batch needs this one whole: it has a record of its own. */
  readonly gathered: boolean;
}

/** The Makefile of a plan. */
export function makefile(plan: Plan): EmittedFile {
  return { path: 'Makefile', mode: 0o644, text: () => [renderTemplate('Makefile.hbs', makefileView(plan))] };
}

function makefileView(plan: Plan): Record<string, unknown> {
  const jobs = plan.batches.reduce((sum, planned) => sum + planned.count, 0);
  const whole = new Set(
    plan.batches.flatMap(({ batch }) => batch.needs.filter(need => !need.each).map(need => need.batch)),
  );
  const bbatches = new Map<string, MakeText[]>();
  for (const { batch } of plan.batches) {
    const ids = bbatches.get(batch.bbatch) ?? [];
    bbatches.set(batch.bbatch, [...ids, makeName(batch.id)]);
  }
  return {
    // Not the folder's name: a clone may be called as it likes.
    title: makeComment(`${counted(jobs, 'job')} in ${counted(plan.batches.length, 'batch')}`),
    exampleBatch: plan.batches[0]?.batch.id ?? 'all',
    bbatches: [...bbatches].map(([name, batches]) => ({ name: makeName(name), batches })),
    batches: plan.batches.map(planned => batchView(plan, planned, whole)),
  };
}

function batchView(plan: Plan, planned: PlannedBatch, whole: ReadonlySet<string>): BatchView {
  const { batch } = planned;
  const { place } = batch;
  return {
    id: makeName(batch.id),
    command: makeComment(shorten(batch.command.source)),
    file: makeComment(`${place.file}:${place.line}`),
    jobs: wrapped(planned.names()),
    prerequisites: [...shared(plan, planned), ...wholeNeeds(planned)].map(word => ` ${word}`).join(''),
    pairs: [...filesRule(planned), ...pairRules(planned)],
    gathered: whole.has(batch.id),
  };
}

/** The command on one line, as much of it as fits beside the heading. */
function shorten(command: string): string {
  const line = command
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[\s\\]+$/, '');
  return line.length > 80 ? `${line.slice(0, 79).trimEnd()}…` : line;
}

/** Words with a blank before each, continued lines starting with a tab. */
function wrapped(names: Iterable<string>): string {
  const pieces: string[] = [];
  let line = '';
  for (const name of names) {
    if (line.length + name.length > WIDTH) {
      pieces.push(line, ' \\\n\t');
      line = makeName(name);
    } else line += line === '' && pieces.length > 0 ? name : ` ${makeName(name)}`;
  }
  pieces.push(line);
  return pieces.join('');
}

function shared(plan: Plan, { batch }: PlannedBatch): string[] {
  return batch.shared.map(folder => `$(stamp)/${makeName(plan.stamps.get(folder) ?? '')}`);
}

function wholeNeeds({ batch }: PlannedBatch): string[] {
  return batch.needs.filter(need => !need.each).map(need => `$(out)/${makeName(need.batch)}/.done`);
}

function filesRule({ batch }: PlannedBatch): string[] {
  return batch.files.length > 0 ? [`$(${batch.id}:=/.done): $(out)/%/.done: $(files)/%`] : [];
}

/** One rule where the pairs have the same names; else a line for each job. */
function pairRules(planned: PlannedBatch): string[] {
  const { batch } = planned;
  const each = batch.needs.filter(need => need.each);
  if (each.length === 0) return [];
  if (planned.sameNames) {
    const needed = each.map(need => ` $(out)/${makeName(need.batch)}/%/.done`).join('');
    return [`$(${batch.id}:=/.done): $(out)/${batch.id}/%/.done:${needed}`];
  }
  const lines: string[] = [];
  for (const { name, needs } of planned.jobs()) {
    if (needs.length === 0) continue;
    lines.push(
      `$(out)/${batch.id}/${name}/.done: ${needs.map(id => `$(out)/${makeName(id)}/.done`).join(' ')}`,
    );
  }
  return lines;
}
