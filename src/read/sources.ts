/** Gives the texts of an image's files to the renderer of diagnostics. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { TextDecoder } from 'node:util';
import type { Sources } from '../diagnostic.ts';
import { sniff } from './text.ts';

/** A frame is a courtesy: of larger files only the line number is shown. */
const MAX_SHOWN_BYTES = 32 * 1024 * 1024;

/** Reads a file when its first frame is drawn; what cannot be read has no frame. */
export function imageSources(root: string): Sources {
  return file => {
    try {
      const full = path.join(root, file);
      const stats = statSync(full);
      if (!stats.isFile() || stats.size > MAX_SHOWN_BYTES) return undefined;
      const bytes = readFileSync(full);
      const { encoding, mark } = sniff(bytes);
      return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes.subarray(mark));
    } catch {
      return undefined;
    }
  };
}
