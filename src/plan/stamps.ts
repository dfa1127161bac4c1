import { createHash } from 'node:crypto';
import type { Batch } from '../model.ts';

/**
 * A name for a shared folder's stamp that make, sh and any file system take as it is. A plain name stays; any other is
 * made readable and told apart by a few digits of its hash.
 */
export function stampName(folder: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,60}$/.test(folder)) return folder;
  const readable = folder
    .replaceAll('/', '_')
    .replace(/[^A-Za-z0-9_.-]/g, '_')
    .slice(0, 60);
  return `${readable.replace(/^[.-]/, '_')}-${createHash('sha256').update(folder).digest('hex').slice(0, 6)}`;
}

/** Every shared folder of these batches with its stamp, in order of first use. */
export function stampsOf(batches: readonly Batch[]): Map<string, string> {
  return new Map(batches.flatMap(batch => batch.shared.map(folder => [folder, stampName(folder)] as const)));
}
