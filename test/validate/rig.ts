/** Small images in temporary folders. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { renderDiagnostics } from '../../src/diagnostic.ts';
import type { Batch } from '../../src/model.ts';
import { imageSources } from '../../src/read/sources.ts';
import { readImage } from '../../src/validate/image.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

const base = mkdtempSync(path.join(tmpdir(), 'lb-validate-'));
chmodSync(base, 0o755);
after(() => rmSync(base, { recursive: true, force: true }));
let made = 0;

/** An image called `study` with these files; a path that ends in `/` is an empty folder. */
export function newImage(files: Files): string {
  const root = path.join(base, String(++made), 'study');
  mkdirSync(root, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const full = path.join(root, name);
    mkdirSync(name.endsWith('/') ? full : path.dirname(full), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(full, content);
  }
  return root;
}

/** What is wrong with an image, as a terminal shows it. */
export async function complaints(root: string): Promise<string> {
  const { diagnostics } = await readImage(root);
  return renderDiagnostics(diagnostics, imageSources(root), { colour: false });
}

/** First lines only. */
export async function firstLines(files: Files): Promise<string[]> {
  const { diagnostics } = await readImage(newImage(files));
  return diagnostics.map(
    d => `${d.place?.line ?? 0}:${d.place?.column ?? 0} ${d.severity} ${d.message} [${d.code}]`,
  );
}

/** The batches of an image that must be free of errors. */
export async function batches(files: Files): Promise<Batch[]> {
  const root = newImage(files);
  const result = await readImage(root);
  if (!result.ok) throw new Error(await complaints(root));
  return result.image.bbatches.flatMap(bbatch => bbatch.batches);
}

/** The only batch of `batch_info/b.yml`. */
export async function batch(yaml: string, files: Files = {}): Promise<Batch> {
  const [only, ...others] = await batches({ ...files, 'batch_info/b.yml': yaml });
  if (!only || others.length > 0) throw new Error('not exactly one batch');
  return only;
}
