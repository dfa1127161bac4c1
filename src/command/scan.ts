/** What is found in a text with markers, and the scan of a text that no shell reads. */
import type { Quoting } from '../model.ts';

/** `{name}` in a text; offsets in UTF-16 units. */
export interface FoundMarker {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly where: Quoting;
  /** Its value must come out of an exported variable here, since no literal text would be exact. */
  readonly byVariable: boolean;
  /** A backslash before it belongs to the text (`"\{x}"`), and must not reach into the value. */
  readonly afterBackslash: boolean;
  /** Why no value can be filled in here, and what to write instead; numbers may stand in arithmetic all the same. */
  readonly why: string | undefined;
}

/** A stretch of a text, in UTF-16 units. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export interface Scanned {
  readonly markers: FoundMarker[];
  /** `{{word}}`, which yields `{word}`. */
  readonly literals: (Stretch & { readonly text: string })[];
  /** Openings of what never ends. */
  readonly unterminated: (Stretch & { readonly why: string })[];
}

/** Either `{{word}}` (group 1) or `{word}` (group 2), where the text says `{`. */
const BRACES = /\{(\{[A-Za-z_][A-Za-z0-9_]*\})\}|\{([A-Za-z_][A-Za-z0-9_]*)\}/y;

/** What the `{` at an offset opens: a literal, a marker, or nothing of ours. */
export function bracesAt(
  source: string,
  at: number,
): { name?: string; literal?: string; end: number } | undefined {
  BRACES.lastIndex = at;
  const match = BRACES.exec(source);
  if (match === null) return undefined;
  const end = at + match[0].length;
  if (match[1] !== undefined) return { literal: match[1], end };
  if (match[2] === undefined || source[at - 1] === '$') return undefined;
  return { name: match[2], end };
}

/** Finds markers and literals in a stretch of text that has no structure of its own. */
export function scanStretch(
  found: Scanned,
  source: string,
  stretch: Stretch,
  like: Pick<FoundMarker, 'where' | 'byVariable' | 'why'>,
): void {
  for (let at = source.indexOf('{', stretch.start); at >= 0 && at < stretch.end; ) {
    const braces = bracesAt(source, at);
    if (braces !== undefined && braces.end <= stretch.end) {
      const { name, literal, end } = braces;
      if (literal !== undefined) found.literals.push({ start: at, end, text: literal });
      if (name !== undefined) found.markers.push({ name, start: at, end, afterBackslash: false, ...like });
    }
    at = source.indexOf('{', braces?.end ?? at + 1);
  }
}

/** A text that no shell reads. */
export function scanPlain(source: string): Scanned {
  const found: Scanned = { markers: [], literals: [], unterminated: [] };
  const all = { start: 0, end: source.length };
  scanStretch(found, source, all, { where: 'plain', byVariable: false, why: undefined });
  return found;
}
