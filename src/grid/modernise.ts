/**
 * Grid files of the first generation, brought to today's form on the tree, so that places stay and one check serves both. Such a file is
 * known by its capitalised keys; what else it says that means nothing today is passed over, with a warning.
 */
import type { Report } from '../read/report.ts';
import { type Entry, type MapTree, type ScalarTree, type Tree, treeSize } from '../read/tree.ts';
import { gridSchema, resourceSchema } from './schema.ts';

const TOP = Object.keys(gridSchema.shape);
const OF_RESOURCE = Object.keys(resourceSchema.shape);

export function modernise(top: MapTree, report: Report): MapTree {
  const old = top.entries.filter(({ key }) => !TOP.includes(key) && TOP.includes(key.toLowerCase()));
  const [first] = old;
  if (first) {
    report.warn('old-form', first.keyPlace, `the keys of a grid file are written in small letters now`, {
      hint: `write ${old.map(({ key }) => key.toLowerCase()).join(', ')}`,
    });
  }
  const renamed = lowered(top, TOP, first !== undefined, report);
  const entries = renamed.entries.map(entry =>
    entry.key === 'compute' ? { ...entry, value: resources(entry, first !== undefined, report) } : entry,
  );
  return { ...renamed, entries };
}

/** A list of resources; a mapping of names to them is read as one. */
function resources({ value, keyPlace }: Entry, old: boolean, report: Report): Tree {
  if (value.kind === 'scalar') return value;
  const modern = (item: Tree) => (item.kind === 'map' ? lowered(item, OF_RESOURCE, old, report) : item);
  if (value.kind === 'list') return { ...value, items: value.items.map(modern) };
  report.warn('old-form', keyPlace, 'compute is a mapping; its order is taken as written', {
    hint: 'a list says what it means:  - name: lab1',
  });
  const items = value.entries.map(entry => modern(named(entry)));
  return { kind: 'list', items, place: value.place, size: treeSize(items) };
}

/** `lab1: {type: ssh}` → `{name: lab1, type: ssh}` */
function named({ key, keyPlace, value }: Entry): Tree {
  if (value.kind !== 'map' || value.entries.some(entry => entry.key === 'name')) return value;
  const name: ScalarTree = {
    kind: 'scalar',
    type: 'string',
    text: key,
    place: keyPlace,
    within: () => keyPlace,
  };
  return { ...value, entries: [{ key: 'name', keyPlace, value: name }, ...value.entries] };
}

/** Keys in small letters; in an old file those that mean nothing go. */
function lowered(map: MapTree, known: readonly string[], old: boolean, report: Report): MapTree {
  const entries: Entry[] = [];
  const written = new Map<string, Entry>();
  for (const entry of map.entries) {
    const small = entry.key.toLowerCase();
    const key = known.includes(small) ? small : entry.key;
    const twin = written.get(key);
    if (twin) {
      report.error('duplicate-key', entry.keyPlace, `"${entry.key}" and "${twin.key}" mean the same`, {
        hint: 'put all below one of them',
        notes: [{ message: 'the other one is here', place: twin.keyPlace }],
      });
    } else if (old && !known.includes(key) && !isSecret(key)) {
      report.warn('ignored-key', entry.keyPlace, `"${entry.key}" means nothing any more`, {
        hint: 'delete the line',
      });
    } else {
      written.set(key, entry);
      entries.push({ ...entry, key });
    }
  }
  return { ...map, entries };
}

/** A key under which people keep what does not belong into a file. */
export function isSecret(key: string): boolean {
  return /^(pass(word|wd|phrase|wort)?|pwd|secret)$/i.test(key);
}
