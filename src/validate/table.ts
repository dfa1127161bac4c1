/** A raw table → the table of jobs: is its first row a header, are its names good, do its values fit into a job? */
import { excerpt } from '../diagnostic.ts';
import type { Place, Table } from '../model.ts';
import { fileStart, limited, type Report } from '../read/report.ts';
import { checkHeader, isHeader, looksLikeHeader } from './header.ts';
import type { RawTable } from './inputs.ts';

/** One string of the environment, `NAME=value` and its NUL: Linux's MAX_ARG_STRLEN. */
export const MAX_VARIABLE_BYTES = 131_072;
/** All values of a row share the space for arguments and environment: 2 MiB where the stack is 8 MiB. */
const MAX_ROW_BYTES = 1_500_000;

export interface HeaderWish {
  /** `header:` of the batch, if it says so. */
  readonly said: boolean | undefined;
  /** Names of all markers in the batch. */
  readonly used: ReadonlySet<string>;
  /** Built-in markers and those of the batch's own keys. */
  readonly taken: ReadonlySet<string>;
  readonly allowEmpty: boolean;
  /** Where `inputs:` stands. */
  readonly place: Place;
}

/** The table; `hidden` are the names in a first row that is no header, for suggestions. */
export interface JobTable {
  readonly table: Table;
  readonly hidden: readonly string[];
}

export function makeTable(raw: RawTable, wish: HeaderWish, report: Report): JobTable {
  const [first] = raw.rows;
  const cells = raw.kind === 'csv' && first !== undefined ? first.split('\0') : undefined;
  const header = cells !== undefined && isHeader(cells, wish.said, wish.used, raw.rows.length > 1);
  const names = header && cells ? cells : raw.columns;
  if (header || raw.kind === 'named') {
    const given = names.map(name => name ?? '');
    const placeOf = header && cells ? cellPlaces(cells, raw.placeOf(0)) : (i: number) => raw.columnPlaces[i];
    checkHeader(given, placeOf, wish.taken, report);
  } else if (cells && wish.said === undefined && looksLikeHeader(cells, raw.rows[1]?.split('\0'))) {
    // A marker that nobody knows is an error of its own, which names the header.
    const known = [...wish.used].every(name => wish.taken.has(name) || /^i\d+$/.test(name));
    const message = 'the first row looks like a header, but none of its names is used';
    const hint = 'it becomes a job; say header: true or header: false';
    if (known) report.warn('header-unused', raw.placeOf(0), message, { hint });
  }
  const skip = header ? 1 : 0;
  const table: Table = {
    source: raw.source,
    columns: names,
    rows: header ? raw.rows.slice(1) : raw.rows,
    placeOf: row => raw.placeOf(row + skip),
  };
  if (table.rows.length === 0 && !wish.allowEmpty) {
    const place = raw.kind === 'csv' ? (raw.placeOf(0) ?? fileStart(raw.source)) : wish.place;
    const message = header
      ? 'a header and no rows'
      : raw.kind === 'csv'
        ? 'the table is empty'
        : 'no inputs, so no jobs';
    report.error('no-rows', place, message, {
      hint: 'add a row, or say allow_empty: true',
      notes: raw.kind === 'csv' ? [{ message: 'it is used here', place: wish.place }] : undefined,
    });
  }
  if (raw.suspect !== undefined) {
    const message = 'one column only, and every row has another separator in it';
    const hint = `if so, say ${raw.suspect}; if not, csv: {delimiter: ","}`;
    // A batch that uses more than this column means the other separator; then this is its one mistake.
    const more = [...wish.used].some(name => name !== 'i0' && !wish.taken.has(name) && !names.includes(name));
    report[more ? 'error' : 'warn']('csv-separator', raw.placeOf(0), message, { hint });
  }
  checkValues(table, report);
  return { table, hidden: header ? [] : (cells ?? []) };
}

/** Where the cells of a row start, as long as none of them is quoted. */
function cellPlaces(cells: readonly string[], row: Place | undefined) {
  return (column: number): Place | undefined => {
    if (!row) return undefined;
    const before = cells.slice(0, column).reduce((sum, cell) => sum + cell.length + 1, 0);
    return { ...row, column: 1 + before, length: Math.max(1, cells[column]?.length ?? 1) };
  };
}

/** The variable a column is exported as. */
export function variableOf(columns: Table['columns'], index: number): string {
  return `LB_${columns[index] ?? `i${index}`}`;
}

function checkValues(table: Table, report: Report): void {
  const faults = limited(report);
  const names = Math.max(0, ...table.columns.map((_, i) => variableOf(table.columns, i).length));
  for (const [i, row] of table.rows.entries()) {
    // A character is at most three bytes in UTF-8: nearly all rows need no closer look.
    if (row.length * 3 + names + 2 <= MAX_VARIABLE_BYTES) continue;
    for (const [column, value] of row.split('\0').entries()) {
      const variable = variableOf(table.columns, column);
      const bytes = variable.length + 2 + Buffer.byteLength(value);
      if (bytes <= MAX_VARIABLE_BYTES) continue;
      const room = (MAX_VARIABLE_BYTES - variable.length - 2).toLocaleString('en');
      const message = `the value of ${variable} has ${Buffer.byteLength(value).toLocaleString('en')} bytes: ${excerpt(value)}`;
      faults.error('too-large', table.placeOf(i), message, {
        hint: `at most ${room} fit into a job's environment: put it into a file, and the file's path here`,
      });
    }
    if (row.length > MAX_ROW_BYTES / 3 && Buffer.byteLength(row) > MAX_ROW_BYTES) {
      faults.error(
        'too-large',
        table.placeOf(i),
        'the values of this row do not fit into one environment together',
        {
          hint: 'put large values into files, and their paths here',
        },
      );
    }
  }
  faults.done(table.source);
}
