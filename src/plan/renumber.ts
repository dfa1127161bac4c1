/**
 * Which row has which number, when the table has changed. Equal rows keep their number wherever they moved, a row that
 * comes back gets its old one, an edited row keeps that of its place, a new row gets a new one; none is ever used twice.
 */
import type { Keys } from './keys.ts';
import { keyQueue, makeKeys, sameKey } from './keys.ts';

/** Rows with their numbers; `numbers[i]` belongs to key i. */
export interface Numbered {
  readonly numbers: Int32Array;
  readonly keys: Keys;
}

/** What `jobs.lock` knows of one batch. */
export interface Numbering {
  /** The number that the next new row gets. */
  readonly next: number;
  /** In the table's order. */
  readonly active: Numbered;
  /** Rows that are gone, by number. */
  readonly gone: Numbered;
}

export const NO_ROWS: Numbered = { numbers: new Int32Array(0), keys: makeKeys(0) };

/** Gives every row of the new table its number. */
export function renumber(old: Numbering, keys: Keys): Numbering {
  const before = old.active.numbers.length;
  const count = keys.hi.length;
  const matched = matchEqual(old, keys);
  if (matched.prefix === count && count === before) return { ...old, active: { ...old.active, keys } };

  const numbers = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const from = matched.active[row] ?? -1;
    const back = matched.gone[row] ?? -1;
    if (from >= 0) numbers[row] = old.active.numbers[from] ?? 0;
    else if (back >= 0) numbers[row] = old.gone.numbers[back] ?? 0;
  }
  const kept = matchByPlace(old, matched, numbers);
  let next = old.next;
  for (let row = 0; row < count; row++) if (numbers[row] === 0) numbers[row] = next++;
  return { next, active: { numbers, keys }, gone: goneRows(old, kept, matched.gone) };
}

/** For each new row the place of its equal among the old rows, or -1. */
interface Matched {
  readonly active: Int32Array;
  readonly gone: Int32Array;
  /** How many rows at the top are the same as before. */
  readonly prefix: number;
}

function matchEqual(old: Numbering, keys: Keys): Matched {
  const before = old.active.numbers.length;
  const count = keys.hi.length;
  const active = new Int32Array(count).fill(-1);
  const gone = new Int32Array(count).fill(-1);
  let prefix = 0;
  while (prefix < count && prefix < before && sameKey(old.active.keys, prefix, keys, prefix)) {
    active[prefix] = prefix;
    prefix++;
  }
  // What was not touched at the end is found without a table of hashes, as at the top: most edits are small.
  let end = count;
  const shift = before - count;
  while (end > prefix && end + shift > prefix && sameKey(old.active.keys, end + shift - 1, keys, end - 1)) {
    end--;
    active[end] = end + shift;
  }
  if (prefix === end) return { active, gone, prefix };
  const takeActive = keyQueue(old.active.keys, prefix, end + shift);
  const takeGone = keyQueue(old.gone.keys, 0, old.gone.numbers.length);
  for (let row = prefix; row < end; row++) {
    const place = takeActive(keys, row);
    if (place >= 0) active[row] = place;
    else gone[row] = takeGone(keys, row);
  }
  return { active, gone, prefix };
}

/**
 * Edited rows: a run of rows without an equal takes the numbers of the old rows that stood at its place, those that
 * followed the row above it, or else those before the row below it. Returns which old rows go on living.
 */
function matchByPlace(old: Numbering, matched: Matched, numbers: Int32Array): Uint8Array {
  const before = old.active.numbers.length;
  const count = numbers.length;
  const kept = new Uint8Array(before);
  for (const place of matched.active) if (place >= 0) kept[place] = 1;
  for (let row = 0; row < count; row++) {
    if (numbers[row] !== 0) continue;
    let top = row - 1;
    while (top >= 0 && (matched.active[top] ?? -1) < 0) top--;
    let below = row;
    while (below < count && (matched.active[below] ?? -1) < 0) below++;
    let place = top < 0 ? 0 : (matched.active[top] ?? 0) + 1;
    if (place >= before || kept[place]) {
      place = below < count ? (matched.active[below] ?? 0) : before;
      while (place > 0 && !kept[place - 1]) place--;
    }
    for (; row < below; row++) {
      if (numbers[row] !== 0) continue;
      if (place >= before || kept[place]) continue;
      kept[place] = 1;
      numbers[row] = old.active.numbers[place] ?? 0;
      place++;
    }
  }
  return kept;
}

function goneRows(old: Numbering, kept: Uint8Array, back: Int32Array): Numbered {
  const returned = new Uint8Array(old.gone.numbers.length);
  for (const place of back) if (place >= 0) returned[place] = 1;
  const leaving: { number: number; hi: number; lo: number }[] = [];
  const note = (rows: Numbered, stays: Uint8Array) => {
    for (let i = 0; i < stays.length; i++) {
      if (stays[i]) continue;
      leaving.push({ number: rows.numbers[i] ?? 0, hi: rows.keys.hi[i] ?? 0, lo: rows.keys.lo[i] ?? 0 });
    }
  };
  note(old.gone, returned);
  note(old.active, kept);
  leaving.sort((a, b) => a.number - b.number);
  const keys = makeKeys(leaving.length);
  for (const [i, row] of leaving.entries()) {
    keys.hi[i] = row.hi;
    keys.lo[i] = row.lo;
  }
  return { numbers: Int32Array.from(leaving, row => row.number), keys };
}
