/** The grid file: read and checked as a whole, or everything that is wrong with it. */
import { statSync } from 'node:fs';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../diagnostic.ts';
import { newReport, type Report } from '../read/report.ts';
import { childOf, type Entry, entryOf, type MapTree, type Tree, textOf } from '../read/tree.ts';
import { readYaml } from '../read/yaml.ts';
import { nameFault, uniqueNames } from '../validate/names.ts';
import { goodKeys } from '../validate/shape.ts';
import { readYamlFile } from '../validate/yaml-file.ts';
import type { Grid, LocalResource } from './model.ts';
import { isSecret, modernise } from './modernise.ts';
import { type Placed, readResource } from './resource.ts';
import { gridSchema, storageSchema } from './schema.ts';

export type ReadGrid =
  | { readonly ok: true; readonly grid: Grid; readonly warnings: Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: Diagnostic[] };

const HERE: LocalResource = { kind: 'local', name: 'local', tags: [], nice: 0, keep: false };

/** What counts where no grid file does: this machine, one slot a processor. */
export const THIS_MACHINE: Grid = { storages: [], resources: [HERE] };

const EXAMPLE = 'for example:  compute: [{name: lab1, type: ssh, hostname: lab1}]';

/** `path` is also what messages call it. Throws only for our bugs. */
export function readGrid(path: string): ReadGrid {
  return checked(report => checkFile(path, report));
}

/** The same for a text that is not in a file (yet). */
export function readGridText(text: string, file: string): ReadGrid {
  return checked(report => {
    const tree = readYaml(text, file, report);
    return tree && checkTree(tree, report);
  });
}

function checked(check: (report: Report) => Grid | undefined): ReadGrid {
  const report = newReport();
  const grid = check(report);
  const found = sortDiagnostics(report.found);
  return grid && !hasErrors(found) ? { ok: true, grid, warnings: found } : { ok: false, diagnostics: found };
}

function checkFile(path: string, report: Report): Grid | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) {
    report.error('unreadable', undefined, `there is no grid file ${path}`, {
      hint: 'logobatch nodes add HOST makes one',
    });
    return undefined;
  }
  if (stats.isDirectory()) {
    report.error('path-kind', undefined, `${path} is a folder`, { hint: 'name a file' });
    return undefined;
  }
  const tree = readYamlFile(path, path, report);
  return tree && checkTree(tree, report);
}

function checkTree(tree: Tree, report: Report): Grid | undefined {
  if (tree.kind === 'scalar' && tree.type === 'null') return THIS_MACHINE;
  if (tree.kind !== 'map') {
    const what = tree.kind === 'list' ? 'a list' : 'a text';
    report.error('bad-value', tree.place, `the file holds ${what} where compute: should be`, {
      hint: EXAMPLE,
    });
    return undefined;
  }
  const top = modernise(withoutSecrets(tree, report), report);
  const emailOnly = top.entries.filter(({ key }) => key !== 'storage' && key !== 'compute');
  const { default_email: defaultEmail } = gridSchema
    .partial()
    .parse(goodKeys({ ...top, entries: emailOnly }, gridSchema.shape, 'the file', report));
  const storages = readStorages(entryOf(top, 'storage'), report);
  const resources = readResources(entryOf(top, 'compute'), new Set(storages), report);
  return {
    ...(defaultEmail !== undefined && { defaultEmail }),
    storages: storages.map(name => ({ name })),
    resources: resources.length > 0 ? resources.map(({ resource }) => resource) : [HERE],
  };
}

/** The items of a list that may be absent or empty. */
function itemsOf(entry: Entry | undefined, what: string, report: Report): readonly Tree[] {
  if (!entry || (entry.value.kind === 'scalar' && entry.value.type === 'null')) return [];
  if (entry.value.kind === 'list') return entry.value.items;
  report.error('bad-value', entry.value.place, `"${entry.key}" must be a list of ${what}`, {
    hint: entry.key === 'compute' ? EXAMPLE : 'for example:  storage: [{name: lab_nfs}]',
  });
  return [];
}

function readStorages(entry: Entry | undefined, report: Report): string[] {
  const isNew = uniqueNames(report.error, 'duplicate-name', 'the storage', (tree: Tree) => ({
    name: textOf(tree) ?? '',
    place: tree.place,
  }));
  return itemsOf(entry, 'storages', report).flatMap(item => {
    if (item.kind === 'map') goodKeys(item, storageSchema.shape, 'a storage', report);
    const tree = item.kind === 'map' ? childOf(item, 'name') : item;
    const name = textOf(tree);
    if (tree === undefined || name === undefined) {
      if (!tree || item.kind !== 'map')
        report.error('missing-key', item.place, 'a storage has no "name"', {
          hint: 'for example: name: lab_nfs',
        });
      return [];
    }
    const fault = nameFault(name);
    if (fault) report.error('bad-name', tree.place, fault.why, { hint: fault.hint });
    return !fault && isNew(name, tree) ? [name] : [];
  });
}

function readResources(entry: Entry | undefined, storages: ReadonlySet<string>, report: Report): Placed[] {
  const found: Placed[] = [];
  const isNew = uniqueNames(
    report.error,
    'duplicate-name',
    'the resource',
    ({ resource, place }: Placed) => ({
      name: resource.name,
      place,
    }),
  );
  for (const item of itemsOf(entry, 'resources', report)) {
    if (item.kind !== 'map') {
      report.error('bad-value', item.place, 'a resource must be a map', { hint: EXAMPLE });
      continue;
    }
    const placed = readResource(withoutSecrets(item, report), storages, report);
    if (!placed || !isNew(placed.resource.name, placed)) continue;
    checkTwin(placed, found, report);
    found.push(placed);
  }
  return found;
}

/** One machine under two names has its slots counted twice. (Two resources of one cluster are two queues.) */
function checkTwin({ resource, place }: Placed, earlier: readonly Placed[], report: Report): void {
  const twin = earlier.find(({ resource: other }) => {
    if (resource.kind === 'local') return other.kind === 'local';
    if (resource.kind !== 'ssh' || other.kind !== 'ssh') return false;
    const [one, two] = [resource.host, other.host];
    return one.hostname.toLowerCase() === two.hostname.toLowerCase() && one.port === two.port;
  });
  if (!twin) return;
  const notes = [{ message: 'the first one is here', place: twin.place }];
  if (resource.kind === 'local')
    report.error(
      'duplicate-name',
      place,
      `this machine is there twice, as ${twin.resource.name} and ${resource.name}`,
      {
        hint: 'keep one of them',
        notes,
      },
    );
  else
    report.warn('duplicate-host', place, `${twin.resource.name} and ${resource.name} are the same machine`, {
      hint: 'its slots are counted twice: let the two have together what it can bear',
      notes,
    });
}

function withoutSecrets(map: MapTree, report: Report): MapTree {
  const entries = map.entries.filter(({ key, keyPlace }) => {
    if (!isSecret(key)) return true;
    // Without its place: the frame would show the value.
    report.error(
      'password',
      undefined,
      `"${key}" in line ${keyPlace.line} of ${keyPlace.file} does not belong into a file`,
      {
        hint: 'log in with a key (ssh-keygen, then ssh-copy-id HOST), or one kept by an agent (ssh-add)',
      },
    );
    return false;
  });
  return { ...map, entries };
}
