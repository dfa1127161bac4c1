/** What every image gets as it is: the shell that make runs, the bundled runtime, the schemas for editors. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Copied } from './files.ts';
import { templatesFolder } from './template.ts';

/** Texts by path below `.logobatch/`. The schemas by the name of the file they check; the runtime is there once the package is built. */
export function copiedFiles(schemas: Readonly<Record<string, object>>): Copied {
  const templates = templatesFolder();
  const files = new Map<string, string>();
  const shell = join(templates, 'shell');
  for (const entry of readdirSync(shell, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(`shell/${relative(shell, path)}`, readFileSync(path, 'utf8'));
  }
  for (const [name, schema] of Object.entries(schemas))
    files.set(`schema/${name}.json`, `${JSON.stringify(schema, undefined, 2)}\n`);
  files.set('runtime.mjs', readFileSync(join(dirname(templates), 'dist', 'runtime.mjs'), 'utf8'));
  return files;
}
