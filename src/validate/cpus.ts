/** Processors of a job: one number, or the range of a threadtest. */
import type { Batch } from '../model.ts';
import type { Report } from '../read/report.ts';
import { childOf, entryOf, type MapTree } from '../read/tree.ts';
import type { CpuCounts } from './jobs.ts';
import type { BatchKeys } from './schema.ts';

/** Undefined for everything but a threadtest, and after a mistake. */
export function threadRange(batch: MapTree, keys: BatchKeys, report: Report): Batch['threads'] {
  if (keys.type !== 'threadtest') {
    for (const key of ['lower', 'upper', 'range']) {
      const entry = entryOf(batch, key);
      if (entry)
        report.warn('ignored-key', entry.keyPlace, `"${key}" belongs to a threadtest`, {
          hint: 'add type: threadtest',
        });
    }
    return undefined;
  }
  const cpus = entryOf(batch, 'cpus');
  if (cpus) {
    report.warn('ignored-key', cpus.keyPlace, 'a threadtest takes its cpus from the range', {
      hint: 'delete "cpus"',
    });
  }
  const [from, to] = (keys.range ?? '').split('-').map(Number);
  const lower = keys.range === undefined ? (keys.lower ?? 1) : (from ?? 1);
  const upper = keys.range === undefined ? keys.upper : to;
  const place = (childOf(batch, 'range') ?? childOf(batch, 'upper') ?? batch).place;
  if (upper === undefined) {
    const type = entryOf(batch, 'type');
    report.error('missing-key', type?.keyPlace ?? place, 'a threadtest has no "upper"', {
      hint: 'for example: range: "1-8"',
    });
    return undefined;
  }
  if (lower > upper) {
    report.error('bad-value', place, `a threadtest cannot run from ${lower} to ${upper}`, {
      hint: `write range: "${upper}-${lower}"`,
    });
    return undefined;
  }
  return { lower, upper };
}

/** How many processors each run of a row gets, in order. */
export function cpuCounts(threads: Batch['threads'], cpus: number): CpuCounts {
  if (!threads) return [cpus];
  return Array.from({ length: threads.upper - threads.lower + 1 }, (_, i) => threads.lower + i);
}
