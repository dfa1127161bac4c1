/**
 * What there is of this image on other machines: `.logobatch/ledger/<node>.json`. A work folder is noted before it is made and struck
 * off when it was seen to be gone, so that whatever happens in between, its traces are known.
 */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

const LEDGER = '.logobatch/ledger';

const ENTRY = z.object({
  /** Of the grid file; the name of this file, too. */
  node: z.string(),
  host: z.object({
    hostname: z.string(),
    username: z.exactOptional(z.string()),
    port: z.exactOptional(z.number()),
  }),
  transport: z.enum(['auto', 'openssh', 'node-ssh']),
  /** Absolute path of the work folder there. */
  work: z.string(),
  /** What its marker holds. */
  token: z.string(),
  run: z.string(),
  /** It is to stay after the run: `make up`, or `keep`. */
  warm: z.boolean(),
  /** It lies on this storage, which other nodes see as well. */
  storage: z.exactOptional(z.string()),
  /** It is a cluster's: jobs in this scheduler's queue may need it, also when the run is long over. */
  queue: z.exactOptional(z.enum(['slurm', 'sge'])),
});
/** One work folder. */
export type Entry = z.infer<typeof ENTRY>;

/** Everything noted, and the files that cannot be read. Paths are relative to the image's root, which is the current folder. */
export function readLedger(): { entries: Entry[]; damaged: string[] } {
  const entries: Entry[] = [];
  const damaged: string[] = [];
  for (const name of filesOf(LEDGER)) {
    const path = join(LEDGER, name);
    const found = parse(readFileSync(path, 'utf8'));
    if (found) entries.push(...found);
    else damaged.push(path);
  }
  return { entries, damaged };
}

/** Notes a work folder, or notes it anew. Throws the system's error if that cannot be: then nothing may be made. */
export function note(entry: Entry): void {
  const others = entriesOf(entry.node).filter(one => one.work !== entry.work);
  store(entry.node, [...others, entry]);
}

/** Its absence was seen. */
export function strike(entry: Entry): void {
  store(
    entry.node,
    entriesOf(entry.node).filter(one => one.work !== entry.work),
  );
}

/** Those of a node; none where its notes cannot be read (see `readLedger`). */
export function entriesOf(node: string): Entry[] {
  return parse(textOf(join(LEDGER, `${node}.json`)) ?? '[]') ?? [];
}

/** Names this image in the markers of its work folders: this machine, this user, this place. */
export function imageId(): string {
  const parts = [hostname(), textOf('/etc/machine-id') ?? '', String(userInfo().uid), realpathSync('.')];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}

function store(node: string, entries: readonly Entry[]): void {
  const path = join(LEDGER, `${node}.json`);
  if (entries.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  mkdirSync(LEDGER, { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(entries, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function parse(text: string): Entry[] | undefined {
  try {
    return z.array(ENTRY).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => name.endsWith('.json'));
  } catch {
    return [];
  }
}
