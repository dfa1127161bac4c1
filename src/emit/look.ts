/** Compares what is to stand on the disk with what does, and finds what must not be touched. Writes nothing. */
import { existsSync, lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostic.ts';
import type { Emission, EmittedFile, EmittedJobs } from './emission.ts';
import { OWN_FOLDERS } from './emission.ts';
import { TEMP } from './put.ts';
import type { Written, WrittenJobs } from './written.ts';
import { decodeWritten, WRITTEN_FILE } from './written.ts';

/** What is to be done with a job's jobfile. */
export const SAME = 0;
/** Its folder is not there. */
export const FRESH = 1;
export const REPLACE = 2;

export interface LookedJobs {
  readonly emitted: EmittedJobs;
  /** SAME, FRESH or REPLACE for each job. */
  readonly action: Uint8Array;
  /** As they are now; filled in for those that get written. */
  readonly now: WrittenJobs;
  readonly changes: number;
}

export interface Look {
  readonly lock: boolean;
  readonly makefile: boolean;
  readonly files: readonly EmittedFile[];
  readonly jobs: readonly LookedJobs[];
  /** Our own files that nothing stands for any more, relative to the root. */
  readonly drop: readonly string[];
  /** Folders with a result or a jobfile of ours that belong to no row any more. */
  readonly stale: readonly string[];
  /** True where `written` does not say all that is known now. */
  readonly remember: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** Every file that differs, and every reason not to write at all. */
export function lookAt(root: string, emission: Emission): Look {
  const written = readWritten(root);
  const diagnostics: Diagnostic[] = [];
  const looked = emission.jobs.map(emitted =>
    lookAtJobs(root, emitted, written.get(emitted.planned.batch.id), diagnostics),
  );
  return {
    lock: differs(root, emission.lock),
    makefile: differs(root, emission.makefile),
    files: emission.files.filter(file => differs(root, file)),
    jobs: looked.map(one => one.jobs),
    drop: ownFiles(root, emission.files),
    stale: [...looked.flatMap(one => one.stale), ...staleBatches(root, emission)],
    remember: looked.some(one => !one.remembered) || written.size !== looked.length,
    diagnostics,
  };
}

function readWritten(root: string): Written {
  const path = join(root, WRITTEN_FILE);
  return existsSync(path) ? decodeWritten(readFileSync(path)) : new Map();
}

function lookAtJobs(
  root: string,
  emitted: EmittedJobs,
  known: WrittenJobs | undefined,
  diagnostics: Diagnostic[],
): { jobs: LookedJobs; stale: string[]; remembered: boolean } {
  const { planned, wording } = emitted;
  const { count, numbers, prints } = planned;
  const action = new Uint8Array(count);
  const sizes = new Uint32Array(count);
  const mtimes = new Float64Array(count);
  const now = { wording, numbers, hi: prints.hi, lo: prints.lo, sizes, mtimes };
  const folder = join(root, emitted.folder);
  if (!existsSync(folder)) {
    action.fill(FRESH);
    return { jobs: { emitted, action, now, changes: count }, stale: [], remembered: false };
  }
  const entryOf = known?.wording === wording ? entries(known, numbers) : undefined;
  let changes = 0;
  let there = 0;
  let remembered = known?.numbers.length === count;
  for (let i = 0; i < count; i++) {
    const name = planned.name(i);
    const path = `${folder}/${name}/jobfile.sh`;
    const stats = statOf(path);
    if (!stats) {
      const foreign = foreignContent(`${folder}/${name}`);
      if (foreign) diagnostics.push(notOurs(`${emitted.folder}/${name}`, foreign));
      if (foreign !== undefined) there++;
      action[i] = foreign === undefined ? FRESH : REPLACE;
      changes++;
      continue;
    }
    there++;
    const entry = entryOf?.(i) ?? -1;
    const size = stats.size;
    if (
      known &&
      entry >= 0 &&
      known.lo[entry] === prints.lo[i] &&
      known.hi[entry] === prints.hi[i] &&
      known.sizes[entry] === size &&
      known.mtimes[entry] === stats.mtimeMs &&
      stats.isFile()
    ) {
      sizes[i] = size;
      mtimes[i] = stats.mtimeMs;
      if (entry !== i) remembered = false;
      continue;
    }
    remembered = false;
    const text = emitted.text(i);
    if (stats.isFile() && size === Buffer.byteLength(text) && readFileSync(path, 'utf8') === text) {
      sizes[i] = size;
      mtimes[i] = stats.mtimeMs;
    } else {
      action[i] = REPLACE;
      changes++;
    }
  }
  if (changes > 0) remembered = false;
  const stale = staleJobs(root, emitted, there);
  return { jobs: { emitted, action, now, changes }, stale, remembered };
}

/** Where each job stands in what was noted: mostly at the same place. */
function entries(known: WrittenJobs, numbers: Int32Array): (index: number) => number {
  let byNumber: Map<number, number> | undefined;
  return index => {
    const number = numbers[index] ?? 0;
    if (known.numbers[index] === number) return index;
    byNumber ??= new Map(Array.from(known.numbers, (other, entry) => [other, entry]));
    return byNumber.get(number) ?? -1;
  };
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A file stands where the job's folder should be: foreignContent tells.
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * What lies in a job's folder although no jobfile of ours does: a name of it; empty where that is nothing or an old
 * result; undefined where there is no folder at all.
 */
function foreignContent(folder: string): string | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (!stats.isDirectory() && !stats.isSymbolicLink()) return '.';
  const names = readdirSync(folder);
  if (names.includes('.done')) return '';
  return names.find(name => !name.startsWith(TEMP)) ?? '';
}

function notOurs(folder: string, name: string): Diagnostic {
  return {
    severity: 'error',
    code: 'not-ours',
    message:
      name === '.'
        ? `${folder} is to be a job's folder, but a file is in its place`
        : `${folder} holds "${name}", but neither a jobfile nor a result of LogoBatch`,
    hint: 'move it away: results would be written over it',
  };
}

/** Folders of rows that are gone. The names are compared only where there are more folders than jobs. */
function staleJobs(root: string, emitted: EmittedJobs, there: number): string[] {
  const found = readdirSync(join(root, emitted.folder)).filter(name => !name.startsWith('.'));
  if (found.length <= there) return [];
  const wanted = new Set(emitted.planned.names());
  return found
    .filter(name => !wanted.has(name) && isJob(root, `${emitted.folder}/${name}`))
    .map(name => `${emitted.folder}/${name}`);
}

function isJob(root: string, folder: string): boolean {
  return existsSync(join(root, folder, 'jobfile.sh'));
}

/** Jobs of batches that are not compiled any more. */
function staleBatches(root: string, emission: Emission): string[] {
  const wanted = new Set(emission.jobs.map(jobs => jobs.folder));
  return foldersIn(root, 'data/processed')
    .flatMap(bbatch => foldersIn(root, bbatch))
    .filter(batch => !wanted.has(batch))
    .flatMap(batch => foldersIn(root, batch))
    .filter(folder => isJob(root, folder));
}

function foldersIn(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(entry => `${folder}/${entry.name}`)
    .sort();
}

function ownFiles(root: string, wanted: readonly EmittedFile[]): string[] {
  const paths = new Set(wanted.map(file => file.path));
  const list = (folder: string): string[] => {
    const path = join(root, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path, { withFileTypes: true }).flatMap(entry =>
      entry.isDirectory() ? list(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    );
  };
  return [
    ...OWN_FOLDERS.flatMap(list),
    ...['.logobatch/email'].filter(path => existsSync(join(root, path))),
  ].filter(path => !paths.has(path));
}

/** True where the file is not there, or holds anything else. */
function differs(root: string, file: EmittedFile): boolean {
  const path = join(root, file.path);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile() || (stats.mode & 0o100) !== (file.mode & 0o100)) return true;
  const bytes = readFileSync(path);
  let at = 0;
  for (const piece of file.text()) {
    const wanted = Buffer.from(piece);
    if (!bytes.subarray(at, at + wanted.length).equals(wanted)) return true;
    at += wanted.length;
  }
  return at !== bytes.length;
}
