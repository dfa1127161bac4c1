/**
 * The grid file's schema: the types, the checks of shape, and what editors complete. Hosts, users and folders end up
 * on command lines here and elsewhere, so what may stand in them is told narrowly, and nothing is ever mended.
 */
import { isIPv6 } from 'node:net';
import * as z from 'zod';
import {
  address,
  checked,
  flag,
  judged,
  key,
  listOf,
  place,
  text,
  textMap,
  whole,
} from '../validate/schema-parts.ts';

/** Of one resource: more is a slip of the keyboard. */
export const MAX_SLOTS = 4096;
const MAX_JOBS = 100_000;
const MAX_HOSTNAME = 255;

/** Every word that says what kind a resource is. */
const KINDS = {
  local: 'local',
  ssh: 'ssh',
  compute: 'ssh',
  compute_server: 'ssh',
  slurm: 'slurm',
  cluster_slurm: 'slurm',
  slurm_cluster: 'slurm',
  sge: 'sge',
  cluster_sge: 'sge',
  sge_cluster: 'sge',
} as const;

export type Kind = (typeof KINDS)[keyof typeof KINDS];
const KIND_OF: ReadonlyMap<string, Kind> = new Map(Object.entries(KINDS));

export function kindOf(type: string): Kind | undefined {
  return KIND_OF.get(type);
}

/** What `ssh` takes for a host and nothing else: no option, no command, no user before an @. */
const HOSTNAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;
const USERNAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

const HOST = 'a name as ssh takes it: a host, an alias of ~/.ssh/config or an address';

/** What it must be instead; undefined for a good one. */
export function hostFault(name: string): string | undefined {
  if (name.length <= MAX_HOSTNAME && (HOSTNAME.test(name) || isIPv6(bare(name)))) return undefined;
  const [, user, host] = /^([^@]*)@([^@]*)$/.exec(name) ?? [];
  if (user !== undefined && USERNAME.test(user) && host !== undefined && hostFault(host) === undefined)
    return 'a host alone, with its user under username';
  return /^[\w.-]+:\d+$/.test(name) ? 'a host alone, with its port under port' : HOST;
}

export function userFault(name: string): string | undefined {
  return USERNAME.test(name) ? undefined : 'a user name of letters, digits and _ . -';
}

/** `[::1]` is how some write `::1`; `ssh` wants it bare. */
export function bare(hostname: string): string {
  return /^\[(.*)\]$/.exec(hostname)?.[1] ?? hostname;
}

const FOLDER = 'an absolute path, or one below ~/';

/** A folder of a node: absolute, or below the home folder there. Nothing in it may mean anything to any login shell. */
export function folderFault(path: string): string | undefined {
  if (/^\$|\/\$/.test(path)) return 'a path without variables (~/ is the home folder there)';
  if (!/^~?\/./.test(path) || path.length > 1000) return FOLDER;
  if (!/[^/.]/.test(path.slice(1)) || path.split('/').includes('..')) return `${FOLDER}, without ..`;
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path)) return `${FOLDER}, without control characters`;
  return /['\\!$"`*?<>|;&]/.test(path) ? `${FOLDER}, without quotes and \\ ! $ * ? < > | ; &` : undefined;
}

const folder = judged(folderFault, FOLDER);
/** Where a storage is seen: nobody's home. */
const mount = judged(
  path => (path.startsWith('/') ? folderFault(path) : 'an absolute path'),
  'an absolute path',
);

/** A number as it is written: 22, not 022 or 0x16. */
export const port = checked(
  typed => /^[1-9]\d{0,4}$/.test(typed) && Number(typed) <= 65_535,
  'a port from 1 to 65,535',
);

const load = z
  .number({ error: 'a number above 0' })
  .positive({ error: 'a number above 0' })
  .max(MAX_SLOTS * 4, { error: 'a number above 0, and no slip of the keyboard' });

const options = textMap('a map of options', text('one value'));

/** One storage of a node: `{name: lab_nfs, path: /mnt/lab}`. */
export const remoteStorageSchema = z.strictObject({
  name: key(text('a name'), 'Name', 'Of a storage listed under storage:', 'lab_nfs'),
  path: key(mount, 'Path', 'Where this node sees it', '/mnt/lab'),
});

export const storageSchema = z.strictObject({
  name: key(text('a name'), 'Name', 'What lies there is staged once for all nodes that see it', 'lab_nfs'),
});

export const resourceSchema = z.strictObject({
  name: key(text('a name'), 'Name', 'What batches and messages call it', 'lab1'),
  type: key(
    z.enum(Object.keys(KINDS), { error: 'local, ssh, slurm or sge' }),
    'Type',
    'local: this machine. ssh: a machine that ssh reaches. slurm, sge: a cluster',
    'ssh',
  ),
  hostname: key(
    judged(hostFault, HOST),
    'Host',
    'Anything ssh understands, ~/.ssh/config included. Of a cluster: its login node; absent: submit from here',
    'lab1.example.org',
  ),
  username: key(judged(userFault, 'a user name'), 'User', 'If it is another one there', 'ann'),
  port: key(port, 'Port', "Of its sshd. Default: ssh's own", 2222),
  slots: key(whole(1, MAX_SLOTS), 'Slots', 'Jobs of one processor at once. Default: its processors', 8),
  fast_storage: key(
    listOf(folder, 'a list of folders'),
    'Fast storage',
    'Folders there for the work folder; the first usable one is taken. Default: /tmp, then the home folder',
    ['/disk/scratch', '/tmp'],
  ),
  remote_storage: key(
    z.array(remoteStorageSchema, { error: 'a list of storages with name and path' }),
    'Remote storage',
    'Where it sees the storages that several nodes share',
    [{ name: 'lab_nfs', path: '/mnt/lab' }],
  ),
  nice: key(whole(0, 19), 'Nice', 'How much its jobs give way to others there. Default: 0', 10),
  max_load: key(load, 'Load limit', 'No job starts while its load is above this', 6),
  transport: key(
    z.enum(['auto', 'openssh', 'node-ssh'], { error: 'auto, openssh or node-ssh' }),
    'Transport',
    'What carries the connection. Default: auto',
    'openssh',
  ),
  tags: key(listOf(place, 'a list of tags'), 'Tags', 'Words that batches ask for', ['netlogo']),
  keep: key(flag(), 'Keep', 'Leave the work folder there after a run, for looking into', true),
  max_jobs: key(
    whole(1, MAX_JOBS),
    'Jobs',
    'Of a cluster: queued and running at once, at most. Default: 100',
    200,
  ),
  slurm: key(options, 'Slurm options', 'Of sbatch, by their long names', {
    partition: 'main',
    account: 'phys',
  }),
  sge: key(options, 'Grid Engine options', 'Of qsub', { q: 'all.q' }),
});

export const gridSchema = z.strictObject({
  default_email: key(address, 'E-mail', 'Who is told where an image names nobody', 'me@example.org'),
  storage: key(
    z.array(z.union([storageSchema, text('a name')]), { error: 'a list of storages' }),
    'Storage',
    'Storages that several nodes see',
    [{ name: 'lab_nfs' }],
  ),
  compute: key(
    z.array(resourceSchema, { error: 'a list of resources' }),
    'Resources',
    'Where jobs may run. Default: this machine',
    [{ name: 'lab1', type: 'ssh', hostname: 'lab1' }],
  ),
});

/** What passed of a resource; the keys that did not are missing. */
export const partialResource = resourceSchema.partial();
export type ResourceKeys = z.infer<typeof partialResource>;
