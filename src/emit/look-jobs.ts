/** Compares the jobfiles of a batch with what is to stand there: by size and time where that was noted, else by their text. */
import { existsSync, lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostic.ts';
import type { EmittedJobs } from './emission.ts';
import { TEMP } from './put.ts';
import { staleJobs } from './stale.ts';
import type { WrittenJobs } from './written.ts';

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

export function lookAtJobs(
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
