/** Files of the first generation, brought to today's form on the tree, so that places stay and one check serves both. */
import type { Report } from '../read/report.ts';
import {
  childOf,
  type Entry,
  type MapTree,
  type ScalarTree,
  type Tree,
  textOf,
  treeSize,
} from '../read/tree.ts';

const OLD_TOP_KEYS = new Map([
  ['Batches', 'batches'],
  ['Email', 'email'],
]);

/** The whole file: `Batches:`, `Email:`, batches as a mapping, and each batch's own old keys. */
export function modernise(top: MapTree, report: Report): MapTree {
  const renamed: Entry[] = [];
  for (const entry of top.entries) {
    const key = OLD_TOP_KEYS.get(entry.key) ?? entry.key;
    const twin = renamed.find(other => other.key === key);
    if (twin) {
      report.error('duplicate-key', entry.keyPlace, `"${entry.key}" and "${key}" mean the same`, {
        hint: 'put all below one of them',
        notes: [{ message: 'the other one is here', place: twin.keyPlace }],
      });
    } else renamed.push({ ...entry, key });
  }
  const entries = renamed.map(entry =>
    entry.key === 'batches' ? { ...entry, value: modernBatches(entry, report) } : entry,
  );
  return { ...top, entries };
}

function modernBatches(entry: Entry, report: Report): Tree {
  const { value } = entry;
  if (value.kind === 'scalar') return value;
  if (value.kind === 'list') {
    return {
      ...value,
      items: value.items.map(item => (item.kind === 'map' ? modernBatch(item, report) : item)),
    };
  }
  report.warn('old-form', entry.keyPlace, 'batches is a mapping; its order is taken as written', {
    hint: 'a list says what it means:  - name: first',
  });
  const items = value.entries.map(({ key, keyPlace, value: batch }): Tree => {
    if (batch.kind !== 'map') return batch;
    const text: ScalarTree = {
      kind: 'scalar',
      type: 'string',
      text: key,
      place: keyPlace,
      within: () => keyPlace,
    };
    const named = childOf(batch, 'name')
      ? batch.entries
      : [{ key: 'name', keyPlace, value: text }, ...batch.entries];
    return modernBatch({ ...batch, entries: named }, report);
  });
  return { kind: 'list', items, place: value.place, size: treeSize(items) };
}

function modernBatch(batch: MapTree, report: Report): MapTree {
  const entries = [...batch.entries];
  const has = (key: string) => entries.some(entry => entry.key === key);
  for (const [i, entry] of entries.entries()) {
    if (entry.key === 'hostnames' && !has('resources')) entries[i] = { ...entry, key: 'resources' };
    if (entry.key !== 'batch_type') continue;
    const type = textOf(entry.value);
    if (entry.value.kind === 'scalar' && (type === 'threadtest' || type === 'multi-proc-test')) {
      if (!has('type')) entries[i] = { ...entry, key: 'type', value: { ...entry.value, text: 'threadtest' } };
    } else if (
      (type === 'ssh' || type === 'slurm' || type === 'sge') &&
      !has('hostnames') &&
      !has('resources')
    ) {
      report.warn('old-form', entry.value.place, `batch_type: ${type} no longer decides where a job runs`, {
        hint: 'any resource of the grid may take it; to limit that: resources: [NAME]',
      });
    }
  }
  return { ...batch, entries };
}
