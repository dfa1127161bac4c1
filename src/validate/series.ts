/** Tables written in the YAML: lists, `matrix` (the product of its columns) and `zip` (side by side). */
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import { count, type Report } from '../read/report.ts';
import { childOf, type ListTree, type MapTree, type Tree, textOf } from '../read/tree.ts';
import { formatUnits, parseDecimal, unitsAt } from './quantities.ts';

/** More jobs than anybody's grid finishes, and what memory holds. */
const MAX_ROWS = 5_000_000;

export interface Series {
  readonly columns: readonly (string | undefined)[];
  /** Where each column's name stands, if it has one. */
  readonly columnPlaces: readonly (Place | undefined)[];
  readonly rows: readonly string[];
  readonly placeOf: (row: number) => Place | undefined;
}

/** `inputs: [a, b]` or `inputs: [[a, 1], [b, 2]]`: one job an element. */
export function listSeries(list: ListTree, report: Report): Series | undefined {
  const width = (item: Tree | undefined) => (item?.kind === 'list' ? item.items.length : 1);
  const first = width(list.items[0]);
  let good = true;
  const rows = list.items.map(item => {
    const values = (item.kind === 'list' ? item.items : [item]).map(value => textOf(value) ?? '');
    if (values.length !== first || first === 0) {
      good = false;
      const message =
        first === 0 && values.length === 0
          ? 'this element is an empty list'
          : `this element has ${count(values.length, 'value')}, the first one ${first}`;
      report.error('inputs-list', item.place, message, {
        hint: 'all elements must have the same number of values',
      });
    }
    return values.join('\0');
  });
  const columns = Array.from({ length: list.items.length > 0 ? first : 0 }, () => undefined);
  return good ? { columns, columnPlaces: columns, rows, placeOf: row => list.items[row]?.place } : undefined;
}

/** `matrix:`: every combination, the last column changing fastest. */
export function matrixSeries(matrix: MapTree, report: Report): Series | undefined {
  const columns = namedColumns(matrix, report);
  if (!columns) return undefined;
  const total = columns.reduce((product, column) => product * column.length, 1);
  if (total > MAX_ROWS) {
    const message = `the matrix has ${count(total, 'combination')}; ${MAX_ROWS.toLocaleString('en')} is the limit`;
    report.error('too-large', matrix.place, message, { hint: 'take larger steps, or several batches' });
    return undefined;
  }
  let rows: string[] = [];
  for (const [i, column] of columns.entries()) {
    rows = i === 0 ? [...column] : rows.flatMap(row => column.map(value => `${row}\0${value}`));
  }
  return named(matrix, rows);
}

/** `zip:`: the first of each column, then the second of each … */
export function zipSeries(zip: MapTree, report: Report): Series | undefined {
  const columns = namedColumns(zip, report);
  if (!columns) return undefined;
  const length = columns[0]?.length ?? 0;
  let good = true;
  for (const [i, column] of columns.entries()) {
    const entry = zip.entries[i];
    if (column.length === length || !entry) continue;
    good = false;
    const message = `"${entry.key}" has ${count(column.length, 'value')}, "${zip.entries[0]?.key}" has ${length}`;
    report.error('inputs-list', entry.keyPlace, message, {
      hint: 'zip takes one of each: or did you mean matrix?',
    });
  }
  if (!good) return undefined;
  const rows = Array.from({ length }, (_, row) => columns.map(column => column[row] ?? '').join('\0'));
  return named(zip, rows);
}

function named(map: MapTree, rows: string[]): Series {
  return {
    columns: map.entries.map(entry => entry.key),
    columnPlaces: map.entries.map(entry => entry.keyPlace),
    rows,
    placeOf: () => map.place,
  };
}

function namedColumns(map: MapTree, report: Report): string[][] | undefined {
  const columns = map.entries.map(({ key, value }) =>
    value.kind === 'list'
      ? value.items.map(item => textOf(item) ?? '')
      : value.kind === 'map'
        ? rangeValues(key, value, report)
        : undefined,
  );
  const good = columns.filter(column => column !== undefined);
  return good.length === columns.length ? good : undefined;
}

/** `{from: 0, to: 1, step: 0.1}` as exact decimals, `to` included when a step meets it. */
function rangeValues(key: string, range: MapTree, report: Report): string[] | undefined {
  const number = (name: string) => parseDecimal(textOf(childOf(range, name)) ?? '1');
  const [from, to, step] = [number('from'), number('to'), number('step')];
  if (!from || !to || !step) return undefined;
  const scale = Math.max(from.scale, to.scale, step.scale);
  const [start, end, stride] = [unitsAt(from, scale), unitsAt(to, scale), unitsAt(step, scale)];
  const places = stride === 0n ? -1n : (end - start) / stride;
  if (stride === 0n || (end - start) * stride < 0n) {
    const why = stride === 0n ? 'step is 0' : 'step leads away from it';
    report.error('bad-range', range.place, `the range of "${key}" does not reach "to": ${why}`, {
      hint: 'from + n × step must reach to; a falling range has a negative step',
    });
    return undefined;
  }
  if (places >= BigInt(MAX_ROWS)) {
    report.error(
      'too-large',
      range.place,
      `the range of ${excerpt(key)} has more than ${count(MAX_ROWS, 'value')}`,
      {
        hint: 'take a larger step',
      },
    );
    return undefined;
  }
  return Array.from({ length: Number(places) + 1 }, (_, i) => formatUnits(start + BigInt(i) * stride, scale));
}
