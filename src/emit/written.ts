/**
 * `.logobatch/run/written`: compile's own memory of the jobfiles it left on the disk, with size and time. A file that
 * still looks like that is not read, and its text is not made: a second compile of 100,000 jobs only looks.
 * Losing it costs time, never correctness.
 */
import { endianness } from 'node:os';

export const WRITTEN_FILE = '.logobatch/run/written';
const FORMAT = 1;

/** What was written of one batch; entry i of each array is one job. */
export interface WrittenJobs {
  /** See `EmittedJobs.wording`. */
  readonly wording: string;
  readonly numbers: Int32Array;
  /** See `PlannedBatch.prints`. */
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  /** In bytes; together with the time it tells an untouched file. */
  readonly sizes: Uint32Array;
  /** Milliseconds since 1970, with their fraction. */
  readonly mtimes: Float64Array;
}

/** By batch id. */
export type Written = ReadonlyMap<string, WrittenJobs>;

interface Header {
  readonly format: number;
  readonly endian: string;
  readonly batches: readonly { readonly id: string; readonly wording: string; readonly count: number }[];
}

/** Bytes of one job's entry. */
const ENTRY = 4 + 4 + 4 + 4 + 8;

/** A line of JSON, then the arrays of each batch as they lie in memory. */
export function encodeWritten(written: Written): Uint8Array[] {
  const header: Header = {
    format: FORMAT,
    endian: endianness(),
    batches: [...written].map(([id, { wording, numbers }]) => ({ id, wording, count: numbers.length })),
  };
  const parts: Uint8Array[] = [Buffer.from(`${JSON.stringify(header)}\n`)];
  for (const { numbers, hi, lo, sizes, mtimes } of written.values()) {
    for (const array of [numbers, hi, lo, sizes, mtimes]) {
      parts.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    }
  }
  return parts;
}

/** What an earlier compile noted; nothing where that cannot be trusted. */
export function decodeWritten(bytes: Buffer): Written {
  const written = new Map<string, WrittenJobs>();
  const header = readHeader(bytes);
  if (!header) return written;
  let at = bytes.indexOf(10) + 1;
  const total = header.batches.reduce((sum, { count }) => sum + count * ENTRY, at);
  if (total !== bytes.length) return written;
  // Copied out, since typed arrays want to be aligned.
  const next = (length: number): ArrayBuffer => {
    const copy = new ArrayBuffer(length);
    new Uint8Array(copy).set(bytes.subarray(at, at + length));
    at += length;
    return copy;
  };
  for (const { id, wording, count } of header.batches) {
    written.set(id, {
      wording,
      numbers: new Int32Array(next(count * 4)),
      hi: new Uint32Array(next(count * 4)),
      lo: new Uint32Array(next(count * 4)),
      sizes: new Uint32Array(next(count * 4)),
      mtimes: new Float64Array(next(count * 8)),
    });
  }
  return written;
}

function readHeader(bytes: Buffer): Header | undefined {
  const end = bytes.indexOf(10);
  if (end < 0) return undefined;
  try {
    const header: unknown = JSON.parse(bytes.toString('utf8', 0, end));
    return isHeader(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  if (!('format' in value && value.format === FORMAT)) return false;
  if (!('endian' in value && value.endian === endianness())) return false;
  if (!('batches' in value && Array.isArray(value.batches))) return false;
  return value.batches.every(
    (one: unknown) =>
      typeof one === 'object' &&
      one !== null &&
      'id' in one &&
      typeof one.id === 'string' &&
      'wording' in one &&
      typeof one.wording === 'string' &&
      'count' in one &&
      Number.isSafeInteger(one.count),
  );
}
