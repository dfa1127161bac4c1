/** Finds the markers of a text and, in a shell command, the quoting each one stands in. */
import type { Quoting } from '../model.ts';

/** `{name}` in a text; offsets in UTF-16 units. */
export interface FoundMarker {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly where: Quoting;
}

/** What a scan found. */
export interface Scanned {
  readonly markers: FoundMarker[];
  /** `{{word}}`, which yields `{word}`. */
  readonly literals: { readonly start: number; readonly end: number; readonly text: string }[];
  readonly unterminated: { readonly start: number; readonly end: number; readonly why: string }[];
}

const BRACES = /\{(\{[A-Za-z_][A-Za-z0-9_]*\})\}|(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** A text that no shell reads. */
export function scanPlain(source: string): Scanned {
  const found: Scanned = { markers: [], literals: [], unterminated: [] };
  for (const match of source.matchAll(BRACES)) {
    const [all, literal, name] = match;
    const [start, end] = [match.index, match.index + all.length];
    if (literal !== undefined) found.literals.push({ start, end, text: literal });
    else found.markers.push({ name: name ?? '', start, end, where: 'plain' });
  }
  return found;
}

/** A shell command. First cut: knows `'…'`, `"…"` and backslashes. */
export function scanShell(source: string, _bash: boolean): Scanned {
  const found = scanPlain(source);
  let where: Quoting = 'bare';
  let at = 0;
  const markers = found.markers.map(marker => {
    for (; at < marker.start; at++) {
      const char = source[at];
      if (char === '\\' && where !== 'single') at++;
      else if (char === "'" && where !== 'double') where = where === 'single' ? 'bare' : 'single';
      else if (char === '"' && where !== 'single') where = where === 'double' ? 'bare' : 'double';
    }
    return { ...marker, where };
  });
  return { ...found, markers };
}
