/**
 * A mistake in the user's files, as a value: what is wrong, where, and how to mend it. Only the renderer turns it
 * into text, so that a terminal, an editor and CI can each have it their way.
 */
import type { Place } from './model.ts';

export type Severity = 'error' | 'warning';

/** Another place that matters: "the first one is here". */
export interface Note {
  readonly message: string;
  readonly place?: Place | undefined;
}

export interface Diagnostic {
  readonly severity: Severity;
  /** Stable and greppable, e.g. `unknown-key`. */
  readonly code: string;
  readonly message: string;
  readonly place?: Place | undefined;
  /** The cure, in a sentence. */
  readonly hint?: string | undefined;
  readonly notes?: readonly Note[] | undefined;
}

/** Gives a file's text for the frames, or undefined where there is none to show. */
export type Sources = (file: string) => string | undefined;

export interface RenderOptions {
  /** ANSI colours; the caller knows whether its stream is a terminal. */
  readonly colour: boolean;
}

export function hasErrors(found: readonly Diagnostic[]): boolean {
  return found.some(d => d.severity === 'error');
}

/** By file, line and column; what has no place comes first. Equal ones are said once. */
export function sortDiagnostics(found: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map(found.map(d => [JSON.stringify([d.severity, d.code, d.message, d.place]), d]));
  return [...seen.values()].sort((a, b) => {
    const left = a.place;
    const right = b.place;
    if (!left || !right) return Number(left !== undefined) - Number(right !== undefined);
    if (left.file !== right.file) return left.file < right.file ? -1 : 1;
    return left.line - right.line || left.column - right.column;
  });
}

/** The form of `--format json`: flat, no undefined members. */
export function diagnosticToJson(d: Diagnostic): Record<string, unknown> {
  const notes = d.notes?.map(note => ({ message: note.message, ...note.place }));
  return {
    severity: d.severity,
    code: d.code,
    message: d.message,
    ...d.place,
    ...(d.hint === undefined ? {} : { hint: d.hint }),
    ...(notes?.length ? { notes } : {}),
  };
}

/** All of them, sorted, a blank line between two; empty text for none. */
export function renderDiagnostics(
  found: readonly Diagnostic[],
  sources: Sources,
  options: RenderOptions,
): string {
  const split = new Map<string, readonly string[] | undefined>();
  const lines = (file: string) => {
    if (!split.has(file)) split.set(file, sources(file)?.split(/\r\n|\n|\r/));
    return split.get(file);
  };
  return sortDiagnostics(found)
    .map(d => renderOne(d, lines, options.colour))
    .join('\n');
}

type Lines = (file: string) => readonly string[] | undefined;

function renderOne(d: Diagnostic, lines: Lines, colour: boolean): string {
  const paint = (code: string, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const tone = d.severity === 'error' ? '31;1' : '33;1';
  const where = d.place ? `${gnuPlace(d.place)}: ` : '';
  let out = `${where}${paint(tone, `${d.severity}:`)} ${visible(d.message)} ${paint('2', `[${d.code}]`)}\n`;
  if (d.place) out += frame(d.place, lines, text => paint(tone, text));
  if (d.hint !== undefined) out += `  ${paint('36', 'hint:')} ${visible(d.hint)}\n`;
  for (const note of d.notes ?? []) {
    out += `  ${paint('36', 'note:')} ${visible(note.message)}`;
    out += note.place
      ? ` (${gnuPlace(note.place)})\n${frame(note.place, lines, text => paint('36', text))}`
      : '\n';
  }
  return out;
}

function gnuPlace(place: Place): string {
  return `${visible(place.file)}:${place.line}:${place.column}`;
}

/** How much of a long line is shown, in terminal columns. */
const FRAME_WIDTH = 100;

/** The line with carets below; nothing where the line is not at hand. */
function frame(place: Place, lines: Lines, paint: (text: string) => string): string {
  const line = lines(place.file)?.[place.line - 1];
  if (line === undefined) return '';
  const cells = cellsOf(line);
  const end = Math.max(place.column, Math.min(place.column - 1 + place.length, line.length));
  const marked = (cell: Cell) => cell.at >= place.column - 1 && cell.at < end;
  const first = cells.findIndex(cell => cell.at + cell.units > place.column - 1);
  const caret = first < 0 ? cells.length : first;
  const { from, to } = cut(cells, caret);
  const shown = cells.slice(from, to);
  const text = shown.map(cell => cell.text).join('');
  const head = from > 0 ? '… ' : '';
  const before = shown.slice(0, Math.max(0, caret - from));
  const width = shown.filter(marked).reduce((sum, cell) => sum + cell.width, 0);
  const pad = ' '.repeat(head.length + before.reduce((sum, cell) => sum + cell.width, 0));
  const number = String(place.line);
  const gutter = ' '.repeat(number.length + 1);
  return (
    ` ${number} | ${head}${text}${to < cells.length ? ' …' : ''}\n`.replace(/ +\n$/, '\n') +
    `${gutter} | ${pad}${paint('^'.repeat(Math.max(1, width)))}\n`
  );
}

/** One character as a terminal shows it. */
interface Cell {
  /** Its offset in the line, in UTF-16 units. */
  readonly at: number;
  readonly units: number;
  readonly text: string;
  readonly width: number;
}

function cellsOf(line: string): Cell[] {
  const cells: Cell[] = [];
  let at = 0;
  let column = 0;
  for (const char of line) {
    const text = char === '\t' ? ' '.repeat(4 - (column % 4)) : visible(char);
    const width = text === char ? charWidth(char) : text.length;
    cells.push({ at, units: char.length, text, width });
    at += char.length;
    column += width;
  }
  return cells;
}

/** Which cells to show of a line: all, or a window with the caret in its first third. */
function cut(cells: readonly Cell[], caret: number): { from: number; to: number } {
  const total = cells.reduce((sum, cell) => sum + cell.width, 0);
  if (total <= FRAME_WIDTH) return { from: 0, to: cells.length };
  let from = Math.min(caret, cells.length);
  for (let width = 0; from > 0 && width < FRAME_WIDTH / 3; from--) width += cells[from - 1]?.width ?? 0;
  let to = from;
  for (let width = 0; to < cells.length && width < FRAME_WIDTH; to++) width += cells[to]?.width ?? 0;
  return { from, to };
}

/** Controls, line separators, direction marks and halves of characters: what a terminal would obey or garble. */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/** The text with everything that could steer a terminal written out, e.g. `\x1b`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, char => {
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    if (char === '\r') return '\\r';
    const code = char.charCodeAt(0);
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A short look at a value for a message: escaped, in quotes, never more than `max` characters of it. */
export function excerpt(value: string, max = 24): string {
  const chars = [...value.slice(0, max * 2 + 2)];
  const cutOff = value.length > max * 2 + 2 || chars.length > max;
  return `"${visible(chars.slice(0, max).join(''))}${cutOff ? '…' : ''}"`;
}

/** Two columns for East Asian wide forms and emoji, none for combining marks (Unicode TR11, the ranges in use). */
function charWidth(char: string): number {
  if (/^\p{Mark}$/u.test(char)) return 0;
  const code = char.codePointAt(0) ?? 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0x303e) ||
    (code >= 0x3041 && code <= 0xa4cf) ||
    (code >= 0xa960 && code <= 0xa97f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f680 && code <= 0x1f6ff) ||
    (code >= 0x1f900 && code <= 0x1f9ff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** The candidate a typing error away from `word`, if there is one: for "did you mean". Case does not count. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(Math.min(word.length, 30) / 3));
  let best: string | undefined;
  // All of a short word changed is another word.
  let bestDistance = Math.min(limit + 1, word.length);
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = levenshtein(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, with two swapped neighbours counted as one mistake. */
function levenshtein(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : change;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
