/** What every image gets as it is: the shell that make runs, the bundled runtime, the schema for editors. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Copied } from './files.ts';
import { templatesFolder } from './template.ts';

/** Texts by path below `.logobatch/`. The runtime is there once the package is built. */
export function copiedFiles(schema: object): Copied {
  const templates = templatesFolder();
  const files = new Map<string, string>();
  const shell = join(templates, 'shell');
  for (const entry of readdirSync(shell, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(`shell/${relative(shell, path)}`, readFileSync(path, 'utf8'));
  }
  files.set('schema/bbatch.json', `${JSON.stringify(schema, undefined, 2)}\n`);
  files.set('runtime.mjs', readFileSync(join(dirname(templates), 'dist', 'runtime.mjs'), 'utf8'));
  return files;
}
