/** The ways in which a file comes to stand on the disk: whole or not at all. Throws what the system says. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Writes a file that may be there already: a reader sees the old one or the new one. */
export function replaceFile(
  path: string,
  pieces: Iterable<string | Uint8Array>,
  mode: number,
  durable: boolean,
): Stats {
  mkdirSync(dirname(path), { recursive: true });
  const temp = tempOf(path);
  try {
    const stats = writeNew(temp, pieces, mode, durable);
    renameSync(temp, path);
    return stats;
  } catch (error) {
    rmSync(temp, { force: true });
    throw error;
  }
}

/** In the same folder, so that the rename stays on one file system. */
function tempOf(path: string): string {
  return join(dirname(path), `${TEMP}${basename(path)}.${process.pid}`);
}

/** What the names of our temporary files begin with: a crash may leave one. */
export const TEMP = '.new-';

/** Writes a file where nobody looks yet. */
export function writeNew(
  path: string,
  pieces: Iterable<string | Uint8Array>,
  mode = 0o644,
  durable = false,
): Stats {
  const fd = openSync(path, 'w', mode);
  try {
    for (const piece of pieces) writeAll(fd, piece);
    if (durable) fsyncSync(fd);
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, piece: string | Uint8Array): void {
  if (typeof piece === 'string' && piece.length < 16_384) {
    // One call for a jobfile; the system takes as little only when the disk is full, and says so at the next.
    const wrote = writeSync(fd, piece);
    if (wrote === Buffer.byteLength(piece)) return;
    writeAll(fd, Buffer.from(piece).subarray(wrote));
    return;
  }
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
