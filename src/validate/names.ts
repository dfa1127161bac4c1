/** Names that become make targets and folders: of bbatches, batches and jobs. */
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { Code } from '../read/codes.ts';
import type { More } from '../read/report.ts';

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

export function targetFault(bbatch: string): { why: string; hint: string } | undefined {
  if (!TARGETS.has(bbatch.toLowerCase())) return undefined;
  return { why: `"make ${bbatch}" has a meaning already`, hint: 'rename the file' };
}

/** Reports names that are equal on a file system that ignores case. */
export function uniqueNames(
  report: (code: Code, place: Place | undefined, message: string, more: More) => void,
) {
  const seen = new Map<string, { name: string; place: Place | undefined }>();
  return {
    /** False after a diagnostic. */
    add(name: string, place: Place | undefined, code: Code, what: string): boolean {
      const first = seen.get(name.toLowerCase());
      if (!first) {
        seen.set(name.toLowerCase(), { name, place });
        return true;
      }
      const same =
        first.name === name
          ? `${what} "${name}" is there twice`
          : `${what} "${name}" and "${first.name}" differ in case only`;
      report(code, place, same, {
        hint:
          first.name === name
            ? 'give one of them another name'
            : 'some file systems see one name: change one of them',
        notes: [{ message: 'the first one is here', place: first.place }],
      });
      return false;
    },
  };
}
