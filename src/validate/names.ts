/** Names that become make targets and folders: of bbatches, batches and jobs. */
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { LimitedReport } from '../read/report.ts';

const MAX_NAME = 100;
export const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
export const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Targets of the emitted Makefile, which a bbatch's own target must not replace. */
const TARGETS = new Set(
  'all start up down status retry cancel clean distclean verify help list makefile'.split(' '),
);

/** Why a text is no name, with its cure; undefined for a good one. */
export function nameFault(name: string): { why: string; hint: string } | undefined {
  const allowed = 'letters, digits and _ . + - are allowed; the first is a letter, a digit or _';
  if (name === '') return { why: 'the name is empty', hint: allowed };
  if (name.length > MAX_NAME) {
    return {
      why: `the name has ${name.length} characters`,
      hint: `at most ${MAX_NAME}: it becomes a folder`,
    };
  }
  if (!NAME.test(name)) {
    const bad = [...name].find((char, i) => !(i === 0 ? /[A-Za-z0-9_]/ : /[A-Za-z0-9_.+-]/).test(char)) ?? '';
    const where = name.startsWith(bad) ? `starts with ${excerpt(bad)}` : `has a ${excerpt(bad)} in it`;
    return { why: `the name ${excerpt(name)} ${where}`, hint: allowed };
  }
  const ending = /\.(lock|tmp|failed)$/i.exec(name)?.[0];
  if (ending) return { why: `the name ends in ${ending}`, hint: 'such files are ours: use another ending' };
  return undefined;
}

/** Words that make does not take as a target's first prerequisite: `all: define` would begin a variable. */
const WORDS = new Set(['define', 'undefine', 'override']);

export function targetFault(bbatch: string): { why: string; hint: string } | undefined {
  if (WORDS.has(bbatch)) {
    return { why: `"${bbatch}" is a word of make's own language`, hint: 'rename the file' };
  }
  if (!TARGETS.has(bbatch.toLowerCase())) return undefined;
  return { why: `"make ${bbatch}" has a meaning already`, hint: 'rename the file' };
}

/** One of the things whose names must differ. */
export interface Named {
  readonly name: string;
  readonly place: Place | undefined;
}

/**
 * Reports names that are equal on a file system that ignores case. Things are remembered by a key, because a million
 * names with their places would not be small; `named` says what a key stands for.
 */
export function uniqueNames<K>(
  error: LimitedReport['error'],
  code: 'duplicate-name' | 'duplicate-job-name',
  what: string,
  named: (key: K) => Named,
) {
  const seen = new Map<string, K>();
  /** False after a diagnostic. */
  return (name: string, key: K): boolean => {
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    if (other === undefined) {
      seen.set(folded, key);
      return true;
    }
    const first = named(other);
    const same = first.name === name;
    const message = same
      ? `${what} "${name}" is there twice`
      : `${what} "${name}" and "${first.name}" differ in case only`;
    error(code, named(key).place, message, {
      hint: same ? 'give one of them another name' : 'some file systems see one name: change one of them',
      notes: [{ message: 'the first one is here', place: first.place }],
    });
    return false;
  };
}
