/** Collects everything that is wrong with an image, so that all of it can be said at once. */
import type { Diagnostic, Note } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { Code } from './codes.ts';

export interface More {
  readonly hint?: string | undefined;
  readonly notes?: readonly Note[] | undefined;
}

export interface Report {
  readonly found: readonly Diagnostic[];
  error(code: Code, place: Place | undefined, message: string, more?: More): void;
  warn(code: Code, place: Place | undefined, message: string, more?: More): void;
}

export function newReport(): Report {
  const found: Diagnostic[] = [];
  return {
    found,
    error: (code, place, message, more) =>
      void found.push({ severity: 'error', code, message, place, ...more }),
    warn: (code, place, message, more) =>
      void found.push({ severity: 'warning', code, message, place, ...more }),
  };
}

/** The start of a file, for what concerns all of it. */
export function fileStart(file: string): Place {
  return { file, line: 1, column: 1, length: 1 };
}

/** `1 row`, `2 rows`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** How many mistakes of one kind are spelled out; the others are counted. */
const MAX_SHOWN = 20;

/** A report for what may go wrong once a row: after twenty, it counts. `done` says how many more there were. */
export interface LimitedReport {
  error: Report['error'];
  readonly seen: () => number;
  done(where: string): void;
}

export function limited(report: Report): LimitedReport {
  let seen = 0;
  let last: Place | undefined;
  return {
    error: (code, place, message, more) => {
      seen++;
      last = place ?? last;
      if (seen <= MAX_SHOWN) report.error(code, place, message, more);
    },
    seen: () => seen,
    done: where => {
      const rest = seen - MAX_SHOWN;
      if (rest > 0) report.error('more', last, `… and ${count(rest, 'more mistake')} like these in ${where}`);
    },
  };
}
