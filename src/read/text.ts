/**
 * Bytes → text. Files are UTF-8 (with or without a byte order mark) or UTF-16 with one; nothing is guessed and no
 * byte is ever replaced, because a value that changed on its way is worse than a message.
 */
import type { Place } from '../model.ts';
import type { Report } from './report.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** What the first bytes say, and how many of them are the mark itself. */
export function sniff(bytes: Uint8Array): { encoding: Encoding; mark: number } {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: 'utf-8', mark: 3 };
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', mark: 2 };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', mark: 2 };
  return { encoding: 'utf-8', mark: 0 };
}

/** The whole text without its mark, or undefined after a diagnostic. */
export function decode(bytes: Uint8Array, file: string, report: Report): string | undefined {
  const fault = findFault(bytes);
  if (fault) {
    reportFault(fault, file, report);
    return undefined;
  }
  const { encoding, mark } = sniff(bytes);
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes.subarray(mark));
}

/** A byte that is no text. */
export interface Fault {
  readonly what: 'nul' | Encoding;
  /** From the start of the file, 0-based. */
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  readonly byte: number;
}

/** The first place of a whole file where the bytes are no text. */
export function findFault(bytes: Uint8Array): Fault | undefined {
  const { encoding, mark } = sniff(bytes);
  const body = bytes.subarray(mark);
  let at: number;
  let nul = false;
  if (encoding === 'utf-8') {
    const invalid = firstInvalidUtf8(body);
    const zero = body.indexOf(0);
    nul = zero >= 0 && (invalid < 0 || zero < invalid);
    at = nul ? zero : invalid;
  } else {
    ({ at, nul } = firstBadUtf16(body, encoding === 'utf-16be'));
  }
  if (at < 0) return undefined;
  const before = new TextDecoder(encoding).decode(body.subarray(0, at)).split(/\r\n|\n|\r/);
  const column = (before.at(-1)?.length ?? 0) + 1;
  const what = nul ? 'nul' : encoding;
  return { what, offset: mark + at, line: before.length, column, byte: body[at] ?? 0 };
}

export function reportFault(fault: Fault, file: string, report: Report): void {
  const place: Place = { file, line: fault.line, column: fault.column, length: 1 };
  const where = `at byte ${fault.offset.toLocaleString('en')}`;
  if (fault.what === 'nul') {
    report.error('not-text', place, `a NUL character ${where}: this is no text file`, {
      hint: 'if it is UTF-16, save it with a byte order mark, or as UTF-8',
    });
    return;
  }
  const byte = `0x${fault.byte.toString(16).padStart(2, '0')}`;
  const name = fault.what === 'utf-8' ? 'UTF-8' : 'UTF-16';
  report.error('not-text', place, `byte ${byte} ${where} is not ${name}`, {
    hint: `save the file as UTF-8; an older one is converted by: iconv -f latin1 -t utf-8 ${file} > new`,
  });
}

/** Offset of the first byte that starts no well-formed sequence (RFC 3629), or -1. */
function firstInvalidUtf8(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i] ?? 0;
    if (lead < 0x80) {
      i++;
      continue;
    }
    const length = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : 4;
    const second = bytes[i + 1] ?? 0;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (lead < 0xc2 || lead > 0xf4 || second < low || second > high) return i;
    for (let k = 2; k < length; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return i;
    i += length;
  }
  return -1;
}

/** The first half of a character that stands alone, a NUL, or an odd last byte; -1 where all is well. */
function firstBadUtf16(bytes: Uint8Array, big: boolean): { at: number; nul: boolean } {
  const unit = (i: number) => {
    const [first = 0, second = 0] = [bytes[i], bytes[i + 1]];
    return big ? first * 256 + second : second * 256 + first;
  };
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const code = unit(i);
    if (code === 0) return { at: i, nul: true };
    if (code < 0xd800 || code > 0xdfff) continue;
    const next = i + 3 < bytes.length ? unit(i + 2) : 0;
    if (code > 0xdbff || next < 0xdc00 || next > 0xdfff) return { at: i, nul: false };
    i += 2;
  }
  return { at: bytes.length % 2 ? bytes.length - 1 : -1, nul: false };
}
