/** A place in a text that is being scanned, and what was found up to there. */
import type { Quoting } from '../model.ts';
import type { FoundMarker, Scanned } from './scan.ts';
import { bracesAt, scanStretch } from './scan.ts';

/** Deeper nesting than any person writes; keeps hostile text from exhausting our stack. */
const DEEPEST = 100;

/** What holds for every marker inside a construct. */
export type Rule = Pick<FoundMarker, 'byVariable' | 'why'>;

export class Cursor {
  protected readonly source: string;
  protected readonly found: Scanned = { markers: [], literals: [], unterminated: [] };
  /** Offset of the next character, and of the first that is not ours. */
  protected at = 0;
  protected end: number;
  protected rule: Rule = { byVariable: false, why: undefined };
  private depth = 0;

  constructor(source: string) {
    this.source = source;
    this.end = source.length;
  }

  /** Takes a `{`, with its marker or literal where it opens one. */
  protected brace(where: Quoting, afterBackslash = false): void {
    const start = this.at;
    const { name, literal, end } = bracesAt(this.source, start) ?? { end: start + 1 };
    this.at = end;
    if (literal !== undefined) this.found.literals.push({ start, end, text: literal });
    if (name !== undefined)
      this.found.markers.push({ name, start, end, where, afterBackslash, ...this.rule });
  }

  /** Takes a stretch without inner structure up to the one character that closes it; -1 if nothing does. */
  protected stretchTo(close: number, opening: string, start: number, like: Rule & { where: Quoting }): void {
    if (close < 0 || close >= this.end) {
      this.unterminated(start, opening);
    } else {
      scanStretch(this.found, this.source, { start: this.at, end: close }, like);
      this.at = close + 1;
    }
  }

  /** Only the innermost is told: what is around it never ends either. */
  protected unterminated(
    start: number,
    opening: string,
    why = `${opening} is opened here and never ended`,
  ): void {
    this.at = this.end;
    if (this.found.unterminated.length > 0) return;
    this.found.unterminated.push({ start, end: start + opening.length, why });
  }

  /** Reads a construct one level down, under a rule of its own. */
  protected under<T>(rule: Partial<Rule>, read: () => T): T {
    const outer = this.rule;
    this.rule = { ...outer, ...rule };
    if (++this.depth === DEEPEST) this.unterminated(this.at, '', 'nested too deeply to be followed');
    const result = read();
    this.depth--;
    this.rule = outer;
    return result;
  }

  /** The same, as if the text ended at `end`. */
  protected upTo(end: number, rule: Partial<Rule>, read: () => void): void {
    const outer = this.end;
    this.end = end;
    this.under(rule, read);
    this.end = outer;
  }
}
