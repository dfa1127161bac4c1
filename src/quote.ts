/** Branded strings for texts that may stand in a shell script or a Makefile as they are, and their only makers. */

/** A word that sh reads as exactly one argument. */
export type ShWord = string & { readonly __brand: 'ShWord' };
/** Text that make reads as itself in a rule, a variable or a comment. */
export type MakeText = string & { readonly __brand: 'MakeText' };

const SAFE = /^[A-Za-z0-9_/.:=@%+,-]+$/;

/** Quotes any text without NUL as one word of POSIX sh; plain words stay as they are, for the reader's sake. */
export function shWord(text: string): ShWord {
  return (SAFE.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`) as ShWord;
}

/** The inside of a `'…'` that is already open. */
export function insideSingle(text: string): string {
  return text.replaceAll("'", "'\\''");
}

/** The inside of a `"…"` that is already open. */
export function insideDouble(text: string): string {
  return text.replace(/[\\"$`]/g, '\\$&');
}

/**
 * A target or prerequisite made of names that passed the checks: letters, digits and `_./+-`.
 * Anything else is our bug: free text travels in files, never through make.
 */
export function makeName(name: string): MakeText {
  if (!/^[A-Za-z0-9_./+-]+$/.test(name)) throw new Error(`not a name for make: ${JSON.stringify(name)}`);
  return name as MakeText;
}

/** One line of a Makefile comment: control characters shown, a trailing backslash kept from continuing the line. */
export function makeComment(text: string): MakeText {
  const shown = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trimEnd();
  return shown.replace(/\\+$/, '') as MakeText;
}
