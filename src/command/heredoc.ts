/** Where here-documents begin and end (POSIX 2.7.4). */
import type { Stretch } from './scan.ts';

export interface Heredoc {
  /** The offset of its `<<`. */
  readonly start: number;
  /** The end word as it is written, with its quotes. */
  readonly word: Stretch;
  readonly delimiter: string;
  /** Nothing is expanded in the body. */
  readonly quoted: boolean;
  /** `<<-`: tabs at the start of a line do not count. */
  readonly strip: boolean;
}

/** The here-document whose operator stands here; undefined for any other redirection. */
export function heredocAt(source: string, at: number): Heredoc | undefined {
  const operator = /<<(?!<)(-?)[ \t]*((?:'[^']*'|"[^"]*"|\\.|[^\s;&|<>()'"\\])*)/y;
  operator.lastIndex = at;
  const match = operator.exec(source);
  if (match === null) return undefined;
  const [all, dash, word = ''] = match;
  const delimiter = word.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, '$1$2$3');
  const end = at + all.length;
  return {
    start: at,
    word: { start: end - word.length, end },
    delimiter,
    quoted: delimiter !== word,
    strip: dash === '-',
  };
}

/** The line that ends the here-document whose body starts here; `found` is false if it goes on to the end. */
export function heredocEnd(
  source: string,
  body: Stretch,
  heredoc: Heredoc,
): Stretch & { readonly found: boolean } {
  let continued = false;
  for (let start = body.start; start < body.end; ) {
    const newline = source.indexOf('\n', start);
    const stop = newline < 0 || newline > body.end ? body.end : newline;
    const line = source.slice(start, stop);
    if (!continued && (heredoc.strip ? line.replace(/^\t+/, '') : line) === heredoc.delimiter) {
      return { start, end: Math.min(stop + 1, body.end), found: true };
    }
    // A line that a backslash continues takes the next one in, whatever that says.
    continued = !heredoc.quoted && (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
    start = stop + 1;
  }
  return { start: body.end, end: body.end, found: false };
}
