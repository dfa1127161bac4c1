/** `inputs:` → a table: where the rows come from, before anybody asks which columns have names. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import { type CsvFile, delimiterKey, readCsv } from '../read/csv.ts';
import type { Report } from '../read/report.ts';
import { childOf, type Entry, type MapTree, textOf } from '../read/tree.ts';
import { type ImageFiles, type Lookup, reportPath } from './paths.ts';
import { listSeries, matrixSeries, type Series, zipSeries } from './series.ts';

/** Rows with or without names; the first row of a CSV may still turn out to be a header. */
export interface RawTable extends Series {
  readonly source: string;
  readonly kind: 'csv' | 'list' | 'named' | 'paths' | 'none';
  /** How many values each row has. */
  readonly width: number;
  /** Another separator that the CSV seems to use, as the key to write. */
  readonly suspect: string | undefined;
}

const ONE_JOB: RawTable = {
  source: '(one job)',
  kind: 'none',
  columns: [],
  columnPlaces: [],
  rows: [''],
  width: 0,
  suspect: undefined,
  placeOf: () => undefined,
};

export type TableReader = (file: string, delimiter: string | undefined) => Promise<CsvFile | undefined>;

/** Several batches often share a table: it is read, and its mistakes are said, once. */
export function newTableReader(root: string, report: Report): TableReader {
  const read = new Map<string, Promise<CsvFile | undefined>>();
  return (file, delimiter) => {
    const key = JSON.stringify([file, delimiter]);
    const table = read.get(key) ?? readCsv(path.join(root, file), file, delimiter, report);
    read.set(key, table);
    return table;
  };
}

/** Undefined after a diagnostic. */
export async function readInputs(
  batch: MapTree,
  entry: Entry | undefined,
  files: ImageFiles,
  readTable: TableReader,
  report: Report,
): Promise<RawTable | undefined> {
  if (!entry) return ONE_JOB;
  const tree = entry.value;
  if (tree.kind === 'list') return fromSeries(listSeries(tree, report), 'list', 'inputs');
  if (tree.kind === 'map') {
    const matrix = childOf(tree, 'matrix');
    const zip = childOf(tree, 'zip');
    if (matrix?.kind === 'map') return fromSeries(matrixSeries(matrix, report), 'named', 'matrix');
    return zip?.kind === 'map' ? fromSeries(zipSeries(zip, report), 'named', 'zip') : undefined;
  }
  const found = findInput(tree.text, files);
  if (!found.ok) {
    reportPath(found.fault, tree.place, report);
    return undefined;
  }
  if (found.kind === 'folder') return folderTable(found.path, tree.place, files, report);
  if (!/\.csv$/i.test(found.path)) return pathTable([found.path], found.path, tree.place);
  return csvTable(found.path, textOf(childOf(childOf(batch, 'csv'), 'delimiter')), readTable);
}

/** In `batch_info/` first, then in the image. */
function findInput(typed: string, files: ImageFiles): Lookup {
  const beside = files.look(`batch_info/${typed}`);
  const direct = typed.startsWith('/') || typed.startsWith('~') || !beside.ok ? files.look(typed) : beside;
  if (direct.ok || direct.fault.code !== 'path-missing') return direct;
  if (!beside.ok && beside.fault.code !== 'path-missing') return beside;
  const why = `there is no ${excerpt(typed, 60)}, neither in batch_info nor in the image`;
  return { ok: false, fault: { ...direct.fault, why, hint: 'upper and lower case count' } };
}

function fromSeries(
  series: Series | undefined,
  kind: 'list' | 'named',
  source: string,
): RawTable | undefined {
  return series && { ...series, kind, source, width: series.columns.length, suspect: undefined };
}

function pathTable(paths: string[], source: string, place: Place): RawTable {
  const nameless = [undefined];
  return {
    ...ONE_JOB,
    kind: 'paths',
    source,
    columns: nameless,
    columnPlaces: nameless,
    rows: paths,
    width: 1,
    placeOf: () => place,
  };
}

/** One job a file, in the order of the names' bytes. Files that start with a dot are an editor's or the system's. */
function folderTable(folder: string, place: Place, files: ImageFiles, report: Report): RawTable | undefined {
  const names = readdirSync(path.join(files.root, folder)).filter(name => !name.startsWith('.'));
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const rows: string[] = [];
  const folders: string[] = [];
  let good = true;
  for (const name of names) {
    const found = files.look(`${folder}/${name}`);
    if (found.ok) (found.kind === 'file' ? rows : folders).push(found.path);
    else {
      good = false;
      reportPath(found.fault, place, report);
    }
  }
  if (folders.length > 0) {
    report.warn('inputs-folder', place, `the subfolder ${excerpt(folders[0] ?? '', 60)} is left out`, {
      hint: 'only files directly in the folder become jobs',
    });
  }
  return good ? pathTable(rows, folder, place) : undefined;
}

async function csvTable(
  file: string,
  typedDelimiter: string | undefined,
  readTable: TableReader,
): Promise<RawTable | undefined> {
  const delimiter = typedDelimiter === '\\t' ? '\t' : typedDelimiter;
  const csv = await readTable(file, delimiter);
  if (!csv) return undefined;
  const placeOf = (row: number): Place => {
    const length = Math.max(1, (csv.rows[row] ?? '').search(/[\r\n]|$/));
    return { file, line: csv.lines[row] ?? 1, column: 1, length };
  };
  const nameless = Array.from({ length: csv.width }, () => undefined);
  return {
    source: file,
    kind: 'csv',
    columns: nameless,
    columnPlaces: nameless,
    rows: csv.rows,
    width: csv.width,
    suspect: csv.suspect === undefined ? undefined : delimiterKey(csv.suspect),
    placeOf,
  };
}
