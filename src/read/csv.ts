/**
 * CSV → rows. RFC 4180 quoting; LF, CRLF or CR; blanks belong to the value; nothing is ever converted. The file is
 * streamed and a row kept as one string, so that a million rows fit into memory.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { type CsvError, Parser } from 'csv-parse';
import { count, fileStart, limited, type Report } from './report.ts';
import { findFault, reportFault, sniff } from './text.ts';

export interface CsvFile {
  /** Values joined by NUL, the header's row, if there is one, still among them. */
  readonly rows: readonly string[];
  /** The line each row starts on. */
  readonly lines: Uint32Array;
  /** Values a row. */
  readonly width: number;
  /** True where the file looks as if another separator was meant; the separator. */
  readonly suspect: string | undefined;
}

/** No row can be longer: its values would not fit into a job's environment. */
const MAX_ROW_BYTES = 4 * 1024 * 1024;
/** So many mistakes mean that this is not the file the user thinks it is. */
const MAX_MISTAKES = 1000;

/** Separators that people and spreadsheets use besides the comma. */
const OTHER_SEPARATORS = [';', '\t', '|'];

/** Reads a table; undefined after an error. `file` is the name for places, `path` where the bytes are. */
export async function readCsv(
  path: string,
  file: string,
  delimiter: string | undefined,
  report: Report,
): Promise<CsvFile | undefined> {
  const mistakes = limited(report);
  const mistake = (at: number, length: number, [code, message, hint]: Words) => {
    mistakes.error(code, { file, line: at, column: 1, length: Math.max(1, length) }, message, { hint });
  };
  const rows: string[] = [];
  const lines = growingLines();
  const separator = delimiter ?? ',';
  let width = 0;
  let header = '';
  let suspects = delimiter === undefined ? OTHER_SEPARATORS : [];
  /** The line the next record starts on, and the parser's own count at the end of the last one. */
  let line = 1;
  let parserLine = 0;
  let skipped = false;
  let errorLine = 0;
  let echo = false;

  const onRecord = (record: string[]) => {
    const row = record.join('\0');
    const breaks = lineBreaks(row);
    // After a record that was given up only the parser knows how far it went.
    if (skipped) line += Math.max(1, parser.info.lines - parserLine - breaks - 1);
    skipped = false;
    parserLine = parser.info.lines;
    const start = line;
    line += 1 + breaks;
    const blank = record.length === 1 && row === '';
    if (width === 0) {
      if (blank) return;
      width = record.length;
      header = row;
    }
    if (blank && width > 1) return;
    if (record.length !== width) {
      mistake(start, row.length, ragged(record, width, row, header, separator));
      return;
    }
    if (suspects.length > 0) suspects = width > 1 ? [] : suspects.filter(other => row.includes(other));
    rows.push(row);
    lines.push(start);
  };

  const parser = newParser(separator, onRecord);
  parser.on('skip', (error: CsvError | undefined) => {
    if (!error) return;
    // Inside of a quote that never closed properly, whatever follows is an echo of the first mistake.
    if (skipped && (echo || Number(error.lines ?? 0) <= errorLine)) return;
    echo = error.code === 'CSV_INVALID_CLOSING_QUOTE';
    errorLine = Number(error.lines ?? 0);
    const at = line + Math.max(0, Number(error.lines ?? 0) - parserLine - 1);
    skipped = true;
    mistake(error.code === 'CSV_QUOTE_NOT_CLOSED' ? line : at, 1, explain(error));
  });

  const tail = await feed(path, file, parser, () => mistakes.seen() >= MAX_MISTAKES, report);
  mistakes.done('this file');
  if (tail === undefined || mistakes.seen() > 0) return undefined;
  // A blank line at the end is an editor's habit; inside of a table with one column it is an empty value.
  for (let extra = tail; extra > 0 && rows.at(-1) === '' && width === 1; extra--) rows.pop();
  const suspect = rows.length > 0 ? suspects[0] : undefined;
  return { rows, lines: lines.cut(rows.length), width, suspect };
}

/**
 * Blank lines and ragged rows are let through and judged here, with the right line. Records are taken where the
 * parser pushes them: in step with its own line count, and without the queue of a stream (measured: 30% faster).
 */
function newParser(delimiter: string, onRecord: (record: string[]) => void): Parser {
  const parser = new Parser({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_records_with_error: true,
    max_record_size: MAX_ROW_BYTES,
  });
  const push = parser.push.bind(parser);
  parser.push = (record: string[] | null) => {
    if (record === null) return push(null);
    onRecord(record);
    return true;
  };
  return parser;
}

/** Sends the file's bytes through the parser; gives the number of blank lines at its end, undefined after an error. */
async function feed(
  path: string,
  file: string,
  parser: Parser,
  stop: () => boolean,
  report: Report,
): Promise<number | undefined> {
  let decoder: TextDecoder | undefined;
  let tail = '';
  let failure: unknown;
  parser.on('error', error => {
    failure = error;
  });
  const finished = new Promise<void>(resolve => parser.once('close', resolve));
  parser.resume();
  try {
    for await (const chunk of createReadStream(path)) {
      const bytes: Uint8Array = chunk;
      decoder ??= new TextDecoder(sniff(bytes).encoding, { fatal: true });
      const text = decoder.decode(bytes, { stream: true });
      if (text.includes('\0')) throw new TypeError('NUL');
      tail = lineEndsAtEnd(tail, text);
      parser.write(text);
      if (failure || stop()) break;
    }
    decoder?.decode();
  } catch (error) {
    parser.destroy();
    const fault = error instanceof TypeError ? findFault(await readFile(path)) : undefined;
    if (fault) reportFault(fault, file, report);
    else report.error('unreadable', fileStart(file), `cannot read the file: ${reason(error)}`);
    return undefined;
  }
  parser.end();
  if (failure) parser.destroy();
  await finished;
  if (failure) throw failure;
  return Math.max(0, lineBreaks(tail) - 1);
}

/** The line ends that a text, so far, stops with. */
function lineEndsAtEnd(before: string, text: string): string {
  let from = text.length;
  while (from > 0 && (text[from - 1] === '\n' || text[from - 1] === '\r')) from--;
  return from > 0 ? text.slice(from) : before + text;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `\r\n` is one line break, like a lone `\r` or `\n`. */
function lineBreaks(text: string): number {
  let breaks = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) breaks++;
  for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1))
    if (text[at + 1] !== '\n') breaks++;
  return breaks;
}

type Words = [code: 'csv-ragged' | 'csv-quote' | 'too-large', message: string, hint: string];

function ragged(record: string[], width: number, row: string, header: string, separator: string): Words {
  const message = `this row has ${count(record.length, 'value')}, the first one ${width}`;
  const other = OTHER_SEPARATORS.find(s => s !== separator && header.includes(s) && row.includes(s));
  if (other)
    return [
      'csv-ragged',
      message,
      `is "${shownSeparator(other)}" the separator? then say so: ${delimiterKey(other)}`,
    ];
  const hint =
    record.length > width
      ? 'a value with a comma in it must stand in quotes: "a, b"'
      : 'write the separators of empty values, too';
  return ['csv-ragged', message, hint];
}

export function delimiterKey(separator: string): string {
  return `csv: {delimiter: "${shownSeparator(separator)}"}`;
}

function shownSeparator(separator: string): string {
  return separator === '\t' ? '\\t' : separator;
}

function explain(error: CsvError): Words {
  const doubled = 'a value with a quote in it stands in quotes, its own quote twice: "a ""b"" c"';
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return ['csv-quote', 'a quote opens in this row and never closes', doubled];
    case 'INVALID_OPENING_QUOTE':
      return [
        'csv-quote',
        'a quote in the middle of a value',
        `${doubled}; no blank between separator and quote`,
      ];
    case 'CSV_INVALID_CLOSING_QUOTE':
      return ['csv-quote', 'text after a closing quote', doubled];
    case 'CSV_MAX_RECORD_SIZE':
      return [
        'too-large',
        'a row of more than 4 MiB',
        'is a quote not closed? large data belongs into a file of its own',
      ];
    default:
      throw error;
  }
}

/** Line numbers of rows whose count is not known beforehand. */
function growingLines() {
  let lines = new Uint32Array(1024);
  let used = 0;
  return {
    push: (line: number) => {
      if (used === lines.length) {
        const larger = new Uint32Array(used * 2);
        larger.set(lines);
        lines = larger;
      }
      lines[used++] = line;
    },
    cut: (length: number) => lines.slice(0, length),
  };
}
