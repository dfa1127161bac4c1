/**
 * The text of `batch_info/jobs.lock`: which row of which batch has which number. One line a row, so that git can
 * show and merge it; batches by name, so that reordering them changes nothing.
 *
 *     logobatch-jobs 1
 *
 *     [bbatch_1/fire] next 4
 *     1 1f0c66c4a8e0b1d2
 *     3 90aa17c55d0e3b4f
 *     gone 2 7be1d2c3a4f50617
 */
import type { Diagnostic } from '../diagnostic.ts';
import { excerpt } from '../diagnostic.ts';
import type { Keys } from './keys.ts';
import type { Numbered, Numbering } from './renumber.ts';

export const LOCK_FILE = 'batch_info/jobs.lock';
const FORMAT = 1;
/** Beyond this a number is a slip of the hand, not a job. */
const LARGEST = 500_000_000;
const HEADER =
  '# Which row has which number: written by `logobatch compile`, kept with the image, not meant to be edited.\n';

/** All that an old lock knows; sections of batches that are not compiled now are carried along. */
export type Lock = ReadonlyMap<string, Numbering>;

export type ReadLock =
  | { readonly ok: true; readonly lock: Lock }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** Numbers and keys while they are being read; doubles as it fills. */
interface Growing {
  count: number;
  numbers: Int32Array;
  hi: Uint32Array;
  lo: Uint32Array;
}

interface Section {
  readonly id: string;
  readonly next: number;
  readonly line: number;
  readonly active: Growing;
  readonly gone: Growing;
}

/** Reads a lock; one that cannot be understood is a diagnostic, since guessing would lose results. */
export function readLock(text: string): ReadLock {
  const lock = new Map<string, Numbering>();
  let section: Section | undefined;
  let seen = new Uint8Array(0);
  let versioned = false;
  let line = 0;
  const close = () => {
    if (section)
      lock.set(section.id, { next: section.next, active: done(section.active), gone: done(section.gone) });
  };
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    const words = text.slice(start, text.charCodeAt(end - 1) === 13 ? end - 1 : end);
    start = end + 1;
    line++;
    if (words === '' || words.startsWith('#')) continue;
    const row = ROW.exec(words);
    if (row && section) {
      const number = Number(row[2]);
      if (number < 1 || number >= section.next)
        return wrong(line, words, `the number ${number} is not below the section's next`);
      if (seen[number]) return wrong(line, words, `the number ${number} is there twice`);
      seen[number] = 1;
      add(row[1] ? section.gone : section.active, number, row[3] ?? '', row[4] ?? '');
      continue;
    }
    const format = /^logobatch-jobs (\d+)$/.exec(words);
    if (format) {
      if (Number(format[1]) > FORMAT) return newer(line, Number(format[1]));
      versioned = true;
      continue;
    }
    const head = /^\[([^\]\s]+)\] next (\d{1,9})$/.exec(words);
    if (!head || !versioned) return wrong(line, words, describe(words, versioned));
    close();
    const id = head[1] ?? '';
    const next = Number(head[2]);
    if (lock.has(id)) return wrong(line, words, `the batch ${id} is there twice`);
    if (next > LARGEST) return wrong(line, words, 'the number is too large');
    section = { id, next, line, active: growing(), gone: growing() };
    seen = new Uint8Array(next);
  }
  close();
  return { ok: true, lock };
}

const ROW = /^(gone )?(\d{1,9}) ([0-9a-f]{8})([0-9a-f]{8})$/;

function describe(words: string, versioned: boolean): string {
  if (/^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)/.test(words)) return 'a merge left its markers';
  return versioned
    ? `${excerpt(words)} is no line of such a file`
    : 'it does not start with "logobatch-jobs 1"';
}

function wrong(line: number, words: string, why: string): ReadLock {
  return {
    ok: false,
    diagnostic: {
      severity: 'error',
      code: 'bad-lock',
      message: `cannot read the job numbers: ${why}`,
      place: { file: LOCK_FILE, line, column: 1, length: Math.max(1, words.length) },
      hint: 'take one side whole (git checkout --ours batch_info/jobs.lock) and compile again: rows that it does not know get new numbers',
    },
  };
}

function newer(line: number, format: number): ReadLock {
  return {
    ok: false,
    diagnostic: {
      severity: 'error',
      code: 'newer-format',
      message: `the job numbers are in format ${format}, this LogoBatch knows ${FORMAT}`,
      place: { file: LOCK_FILE, line, column: 1, length: 1 },
      hint: 'compile with a newer LogoBatch',
    },
  };
}

function growing(): Growing {
  return { count: 0, numbers: new Int32Array(64), hi: new Uint32Array(64), lo: new Uint32Array(64) };
}

function add(rows: Growing, number: number, hi: string, lo: string): void {
  if (rows.count === rows.numbers.length) {
    const numbers = new Int32Array(rows.count * 2);
    const upper = new Uint32Array(rows.count * 2);
    const lower = new Uint32Array(rows.count * 2);
    numbers.set(rows.numbers);
    upper.set(rows.hi);
    lower.set(rows.lo);
    rows.numbers = numbers;
    rows.hi = upper;
    rows.lo = lower;
  }
  rows.numbers[rows.count] = number;
  rows.hi[rows.count] = Number.parseInt(hi, 16);
  rows.lo[rows.count] = Number.parseInt(lo, 16);
  rows.count++;
}

function done(rows: Growing): Numbered {
  return {
    numbers: rows.numbers.slice(0, rows.count),
    keys: { hi: rows.hi.slice(0, rows.count), lo: rows.lo.slice(0, rows.count) },
  };
}

/** The text, in pieces of some thousand lines. */
export function* lockText(lock: Lock): Iterable<string> {
  yield `${HEADER}logobatch-jobs ${FORMAT}\n`;
  for (const id of [...lock.keys()].sort()) {
    const numbering = lock.get(id);
    if (!numbering) continue;
    yield `\n[${id}] next ${numbering.next}\n`;
    yield* lines(numbering.active, '');
    yield* lines(numbering.gone, 'gone ');
  }
}

function* lines({ numbers, keys }: Numbered, before: string): Iterable<string> {
  let text = '';
  for (let i = 0; i < numbers.length; i++) {
    text += `${before}${numbers[i]} ${hexKey(keys, i)}\n`;
    if (text.length > 60_000) {
      yield text;
      text = '';
    }
  }
  yield text;
}

function hexKey(keys: Keys, i: number): string {
  return (keys.hi[i] ?? 0).toString(16).padStart(8, '0') + (keys.lo[i] ?? 0).toString(16).padStart(8, '0');
}
