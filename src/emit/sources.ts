/** `.logobatch/sources`: what the image was compiled from, so that make can say when it has changed since. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from '../model.ts';

/** As `sha256sum` writes and checks it, in the order of the names. */
export function sourcesOf(root: string, { bbatches }: Image): string {
  const named = bbatches.flatMap(({ file, batches }) => [
    file,
    ...batches.flatMap(({ table }) => [table.source, table.placeOf(0)?.file ?? file]),
  ]);
  const files = [...new Set(named)].filter(name => isPlainFile(root, name)).sort();
  return files.map(name => `${digestOf(join(root, name))}  ${name}\n`).join('');
}

/** `sha256sum` writes a name with such characters in another way. */
function isPlainFile(root: string, name: string): boolean {
  return !/[\n\r\\]/.test(name) && (statSync(join(root, name), { throwIfNoEntry: false })?.isFile() ?? false);
}

const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
