/** Column names: which tables have them, and which names are fit for markers and for `LB_…` variables. */
import { excerpt, nearest } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { Report } from '../read/report.ts';
import { IDENTIFIER } from './names.ts';

/** `{name}` markers that mean something in every batch; scalar keys of the batch come on top. */
export const BUILT_IN = ['id', 'n', 'name', 'out', 'in', 'cpus', 'exe', 'batch_base'];

/** As columns these are reached by position only: `{out}` must keep its meaning. */
export const POSITION_ONLY = new Set(['out', 'in', 'cpus']);

/** `LB_…` variables that every job has; a column of that name would replace one. */
const EXPORTED = new Set(['JOB', 'OUT', 'ATTEMPT', 'CPUS', 'NODE', 'SCRATCH']);

/** The header's rule: it says so, or its names are used as markers. Built-ins alone prove nothing in a list of words. */
export function isHeader(
  cells: readonly string[],
  said: boolean | undefined,
  used: ReadonlySet<string>,
  more: boolean,
): boolean {
  if (said !== undefined) return said;
  const names = cells.map(cell => cell.trim());
  if (names.some(name => used.has(name) && !BUILT_IN.includes(name))) return true;
  return more && names.some(name => used.has(name)) && allNames(names);
}

/** Looks like a header: every cell a name of its own, and below them something that is no name. */
export function looksLikeHeader(cells: readonly string[], next: readonly string[] | undefined): boolean {
  return next !== undefined && allNames(cells) && next.every(value => /^[-+.]?\d/.test(value));
}

function allNames(cells: readonly string[]): boolean {
  return cells.every(cell => IDENTIFIER.test(cell)) && new Set(cells).size === cells.length;
}

/** Checks the names of columns; each fault at its own place. */
export function checkHeader(
  names: readonly string[],
  placeOf: (column: number) => Place | undefined,
  taken: ReadonlySet<string>,
  report: Report,
): void {
  const first = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const place = placeOf(i);
    const earlier = first.get(name);
    if (name === '') {
      report.error('header-name', place, `column ${i + 1} has no name`, {
        hint: 'give it one: a letter, then letters, digits, _',
      });
    } else if (!IDENTIFIER.test(name)) {
      const better = name
        .trim()
        .replace(/[^A-Za-z0-9_]+/g, '_')
        .replace(/^(?=\d)/, '_');
      report.error('header-name', place, `the column name ${excerpt(name)} is no name for a marker`, {
        hint: `letters, digits and _ only, no digit first: ${IDENTIFIER.test(better) ? better : 'value'}`,
      });
    } else if (EXPORTED.has(name)) {
      report.error(
        'header-reserved',
        place,
        `a column "${name}" would replace LB_${name}, which every job has`,
        {
          hint: `write it in small letters: ${name.toLowerCase()}`,
        },
      );
    } else if (earlier !== undefined) {
      report.error('header-name', place, `two columns are called "${name}"`, {
        hint: 'one of them could not be reached: rename it',
        notes: [{ message: 'the first one is here', place: placeOf(earlier) }],
      });
    } else if (taken.has(name) && !POSITION_ONLY.has(name)) {
      report.warn('header-builtin', place, `the column "${name}" hides the built-in {${name}}`, {
        hint: 'rename the column if the built-in was meant',
      });
    }
    if (earlier === undefined) first.set(name, i);
  }
}

/** The cure for a marker that nothing is known by. */
export function markerHint(name: string, known: Iterable<string>): string {
  const meant = nearest(name, known);
  return `${meant ? `did you mean {${meant}}? ` : ''}write {{${name}}} for a literal {${name}}`;
}
