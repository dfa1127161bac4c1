/** `needs:` across all bbatches: names → ids, and no circles. */
import { excerpt, nearest } from '../diagnostic.ts';
import type { Need, Place } from '../model.ts';
import { count, type Report } from '../read/report.ts';
import { type Entry, type Tree, textOf } from '../read/tree.ts';

/** A batch as far as others may need it: also one that has mistakes of its own, or is disabled. */
export interface Known {
  readonly id: string;
  readonly bbatch: string;
  readonly name: string;
  readonly place: Place;
  readonly enabled: boolean;
  readonly needs: Tree | undefined;
  /** Number of jobs; undefined where the table could not be read. */
  readonly jobs: number | undefined;
}

/** The needs of every batch by its id; what could not be resolved is left out and reported. */
export function resolveNeeds(all: readonly Known[], report: Report): Map<string, Need[]> {
  const byId = new Map(all.map(batch => [batch.id, batch]));
  const needs = new Map(all.map(batch => [batch.id, needsOf(batch, byId, report)]));
  for (const circle of circles(needs)) {
    const [first = ''] = circle;
    const where = byId.get(first);
    report.error(
      'need-cycle',
      where?.needs?.place ?? where?.place,
      `batches wait for each other: ${[...circle, first].join(' needs ')}`,
      {
        hint: circle.length === 1 ? 'a batch cannot need itself' : 'one of these needs must go',
      },
    );
  }
  return needs;
}

function needsOf(batch: Known, byId: ReadonlyMap<string, Known>, report: Report): Need[] {
  const found: Need[] = [];
  const items =
    batch.needs === undefined ? [] : batch.needs.kind === 'list' ? batch.needs.items : [batch.needs];
  for (const item of items) {
    const each: Entry | undefined =
      item.kind === 'map' ? item.entries.find(entry => entry.key === 'each') : undefined;
    const tree = each ? each.value : item;
    const name = textOf(tree);
    if (name === undefined) continue;
    const target = byId.get(`${batch.bbatch}/${name}`) ?? byId.get(name);
    if (!target) {
      const own = [...byId.values()].map(other => (other.bbatch === batch.bbatch ? other.name : other.id));
      const meant = nearest(name, own);
      report.error('need-unknown', tree.place, `there is no batch ${excerpt(name, 60)}`, {
        hint: meant ? `did you mean "${meant}"?` : 'a batch of another file is called file/batch',
      });
      continue;
    }
    if (!target.enabled && batch.enabled) {
      report.error('need-disabled', tree.place, `the batch "${target.id}" is disabled`, {
        hint: 'enable it, or do not need it',
        notes: [{ message: 'it is here', place: target.place }],
      });
      continue;
    }
    if (each && batch.jobs !== undefined && target.jobs !== undefined && batch.jobs !== target.jobs) {
      const message = `"${batch.name}" has ${count(batch.jobs, 'job')} and "${target.id}" has ${target.jobs}: some have no partner`;
      report.warn('need-each', tree.place, message, {
        hint: 'jobs are paired by equal values, the others by order',
      });
    }
    if (!found.some(need => need.batch === target.id && need.each === (each !== undefined))) {
      found.push({ batch: target.id, each: each !== undefined });
    }
  }
  return found;
}

/** Each circle once, starting with its first batch in reading order. Without recursion: chains may be long. */
function circles(needs: ReadonlyMap<string, readonly Need[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  for (const start of needs.keys()) {
    if (done.has(start)) continue;
    const path: { id: string; next: number }[] = [{ id: start, next: 0 }];
    const open = new Map([[start, 0]]);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = needs.get(top.id)?.[top.next++];
      if (!need) {
        done.add(top.id);
        open.delete(top.id);
        path.pop();
        continue;
      }
      const back = open.get(need.batch);
      if (back !== undefined) found.push(path.slice(back).map(step => step.id));
      else if (!done.has(need.batch)) {
        open.set(need.batch, path.length);
        path.push({ id: need.batch, next: 0 });
      }
    }
  }
  return found;
}
