/** What a compile did, in one short paragraph, or would do. */
import { counted } from '../counted.ts';
import type { Look } from '../emit/look.ts';
import { SAME } from '../emit/look-jobs.ts';
import type { Plan } from '../model.ts';

export interface Summary {
  readonly jobs: number;
  readonly batches: number;
  /** Files written or removed, the Makefile included. */
  readonly changed: number;
  readonly stale: readonly string[];
  /** The first of the changed files, in the order of writing. */
  readonly first: readonly string[];
  readonly text: (next: string) => string;
  readonly preview: () => string;
}

/** How many names are listed before "and 12 more". */
const LISTED = 10;

export function summarise(plan: Plan, look: Look): Summary {
  const jobs = plan.batches.reduce((sum, { count }) => sum + count, 0);
  const batches = plan.batches.length;
  const jobfiles = look.jobs.reduce((sum, { changes }) => sum + changes, 0);
  const other = Number(look.lock) + Number(look.makefile) + look.files.length;
  const { stale } = look;
  const changed = jobfiles + other + look.drop.length;
  const first = [...firstPaths(look)];
  const image = `${counted(jobs, 'job')} in ${counted(batches, 'batch')}`;
  return {
    jobs,
    batches,
    changed,
    stale,
    first,
    text: next =>
      `${image}: ${effect(jobfiles, other, look.drop.length)}.\n${staleText(stale)}Next: ${next}\n`,
    preview: () => {
      if (changed === 0) return `${image}: nothing would change.\n${staleText(stale)}`;
      const more = changed - first.length - Math.min(look.drop.length, LISTED);
      const list = [
        ...first.map(path => `  write   ${path}`),
        ...look.drop.slice(0, LISTED).map(path => `  remove  ${path}`),
      ];
      if (more > 0) list.push(`  … and ${more} more`);
      return `${image}: ${counted(changed, 'file')} would change, ${counted(jobfiles, 'jobfile')} among them.\n${list.join('\n')}\n${staleText(stale)}`;
    },
  };
}

function effect(jobfiles: number, other: number, dropped: number): string {
  if (jobfiles + other + dropped === 0) return 'nothing has changed';
  const wrote = `wrote ${counted(jobfiles, 'jobfile')} and ${counted(other, 'other file')}`;
  return dropped > 0 ? `${wrote}, removed ${dropped}` : wrote;
}

function staleText(stale: readonly string[]): string {
  if (stale.length === 0) return '';
  const list = stale.slice(0, LISTED).map(folder => `  ${folder}\n`);
  if (stale.length > LISTED) list.push(`  … and ${stale.length - LISTED} more\n`);
  const what =
    stale.length === 1
      ? '1 job is stale: its row is gone'
      : `${stale.length} jobs are stale: their rows are gone`;
  return `${what}. make clean STALE=1 removes\n${list.join('')}`;
}

function* firstPaths(look: Look): Iterable<string> {
  let left = LISTED;
  for (const path of paths(look)) {
    if (left-- === 0) return;
    yield path;
  }
}

function* paths(look: Look): Iterable<string> {
  if (look.lock) yield 'batch_info/jobs.lock';
  for (const file of look.files) yield file.path;
  for (const { emitted, action } of look.jobs) {
    for (let i = 0; i < action.length; i++) {
      if (action[i] !== SAME) yield `${emitted.folder}/${emitted.planned.name(i)}/jobfile.sh`;
    }
  }
  if (look.makefile) yield 'Makefile';
}
