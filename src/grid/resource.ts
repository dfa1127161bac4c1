/** One resource of the grid file: from what was typed to what `ssh` and the visits may rely on. */
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { Report } from '../read/report.ts';
import { childOf, entryOf, type MapTree, scalarsOf, textOf } from '../read/tree.ts';
import { nameFault } from '../validate/names.ts';
import { schedulerOptions } from '../validate/options.ts';
import { exampleOf } from '../validate/schema-parts.ts';
import { goodKeys } from '../validate/shape.ts';
import type { ClusterResource, Host, Resource, SshResource } from './model.ts';
import {
  bare,
  type Kind,
  kindOf,
  partialResource,
  type ResourceKeys,
  remoteStorageSchema,
  resourceSchema,
} from './schema.ts';

export interface Placed {
  readonly resource: Resource;
  /** Where its name stands. */
  readonly place: Place;
}

/** Jobs that a cluster gets at once where nobody says. */
const MAX_JOBS = 100;

/** Keys that mean something to every kind. */
const COMMON = ['name', 'type', 'tags', 'nice', 'max_load', 'keep'];
const REMOTE = ['hostname', 'username', 'port', 'fast_storage', 'remote_storage', 'transport'];
const OWN: Readonly<Record<Kind, readonly string[]>> = {
  local: ['slots'],
  ssh: ['slots', ...REMOTE],
  slurm: ['max_jobs', 'slurm', ...REMOTE],
  sge: ['max_jobs', 'sge', ...REMOTE],
};

/** Undefined after a diagnostic. */
export function readResource(
  map: MapTree,
  storages: ReadonlySet<string>,
  report: Report,
): Placed | undefined {
  const before = report.found.length;
  const plain = map.entries.filter(({ key }) => key !== 'remote_storage');
  const typed = textOf(childOf(map, 'name'));
  const of = typed === undefined ? 'a resource' : `the resource ${excerpt(typed, 40)}`;
  const good = partialResource.parse(goodKeys({ ...map, entries: plain }, resourceSchema.shape, of, report));
  const remoteStorage = remoteStorages(map, storages, of, report);
  const place = checkName(map, of, report);
  const kind = checkKind(map, good, of, report);
  if (kind === undefined) return undefined;
  const options =
    kind === 'slurm' || kind === 'sge' ? schedulerOptions(childOf(map, kind), kind, report) : [];
  const failed = report.found.slice(before).some(({ severity }) => severity === 'error');
  if (failed || good.name === undefined || place === undefined) return undefined;
  const common = {
    name: good.name,
    tags: listed(good.tags),
    nice: good.nice ?? 0,
    keep: good.keep ?? false,
    ...(good.slots !== undefined && { slots: good.slots }),
    ...(good.max_load !== undefined && { maxLoad: good.max_load }),
  };
  if (kind === 'local') return { place, resource: { kind, ...common } };
  const host = hostOf(good);
  const remote = {
    fastStorage: listed(good.fast_storage).map(tidy),
    remoteStorage,
    transport: good.transport ?? 'auto',
  };
  if (kind === 'ssh') return host && { place, resource: { kind, ...common, host, ...remote } };
  const cluster: ClusterResource = {
    kind,
    ...common,
    ...(host && { host }),
    maxJobs: good.max_jobs ?? MAX_JOBS,
    options: Object.fromEntries(options),
    ...remote,
  };
  return { place, resource: cluster };
}

function checkName(map: MapTree, of: string, report: Report): Place | undefined {
  const name = childOf(map, 'name');
  if (!name) missing(map, 'name', of, report);
  const typed = textOf(name);
  if (!name || typed === undefined) return undefined;
  const fault = nameFault(typed);
  if (!fault) return name.place;
  report.error('bad-name', name.place, fault.why, { hint: fault.hint });
  return undefined;
}

function checkKind(map: MapTree, good: ResourceKeys, of: string, report: Report): Kind | undefined {
  if (!entryOf(map, 'type')) missing(map, 'type', of, report);
  const kind = good.type === undefined ? undefined : kindOf(good.type);
  if (kind === undefined) return undefined;
  if (kind === 'ssh' && !entryOf(map, 'hostname')) missing(map, 'hostname', of, report);
  const known = [...COMMON, ...OWN[kind]];
  for (const { key, keyPlace } of map.entries) {
    if (known.includes(key) || !Object.hasOwn(resourceSchema.shape, key)) continue;
    report.warn('ignored-key', keyPlace, `"${key}" means nothing for type: ${kind}`, {
      hint: key === 'slots' ? 'a cluster has max_jobs' : 'delete the line, or change the type',
    });
  }
  return kind;
}

function missing(map: MapTree, key: 'name' | 'type' | 'hostname', of: string, report: Report): void {
  const example = exampleOf(resourceSchema.shape[key]);
  report.error('missing-key', map.place, `${of} has no "${key}"`, {
    hint: `for example: ${key}: ${example}`,
  });
}

function hostOf({ hostname, username, port }: ResourceKeys): Host | undefined {
  if (hostname === undefined) return undefined;
  return {
    hostname: bare(hostname),
    ...(username !== undefined && { username }),
    ...(port !== undefined && { port: Number(port) }),
  };
}

function remoteStorages(
  map: MapTree,
  storages: ReadonlySet<string>,
  of: string,
  report: Report,
): SshResource['remoteStorage'] {
  const entry = entryOf(map, 'remote_storage');
  if (!entry) return [];
  const items = entry.value.kind === 'list' ? entry.value.items : [entry.value];
  const seen = new Set<string>();
  return items.flatMap(item => {
    if (item.kind !== 'map') {
      const hint = `for example: remote_storage: ${exampleOf(resourceSchema.shape.remote_storage)}`;
      report.error(
        'bad-value',
        item.place,
        '"remote_storage" must be a list of storages with name and path',
        {
          hint,
        },
      );
      return [];
    }
    const good = remoteStorageSchema
      .partial()
      .parse(goodKeys(item, remoteStorageSchema.shape, `a storage of ${of}`, report));
    for (const key of ['name', 'path'] as const) {
      if (entryOf(item, key)) continue;
      const example = exampleOf(remoteStorageSchema.shape[key]);
      report.error('missing-key', item.place, `a storage of ${of} has no "${key}"`, {
        hint: `for example: ${key}: ${example}`,
      });
    }
    const { name, path } = good;
    const [nameTree] = scalarsOf(childOf(item, 'name'));
    if (name !== undefined && !storages.has(name)) {
      report.error('storage-unknown', nameTree?.place, `no storage is called ${excerpt(name, 40)}`, {
        hint:
          storages.size === 0
            ? `list it at the top:  storage: [{name: ${name}}]`
            : `listed are: ${[...storages].join(', ')}`,
      });
      return [];
    }
    if (name === undefined || path === undefined) return [];
    if (seen.has(name)) {
      report.error('duplicate-name', nameTree?.place, `the storage "${name}" is there twice in ${of}`, {
        hint: 'a machine sees it in one place: delete one of them',
      });
      return [];
    }
    seen.add(name);
    return [{ name, path: tidy(path) }];
  });
}

const listed = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** Without what stands for nothing: `//`, `/./`, a slash at the end. */
function tidy(path: string): string {
  const [first = '', ...parts] = path.split('/');
  return [first, ...parts.filter(part => part !== '' && part !== '.')].join('/');
}
