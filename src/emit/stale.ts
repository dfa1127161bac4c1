/** Results whose rows or batches are gone: listed for the user, never deleted. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Emission, EmittedJobs } from './emission.ts';

/** Folders of rows that are gone. The names are compared only where there are more folders than jobs. */
export function staleJobs(root: string, emitted: EmittedJobs, there: number): string[] {
  const found = readdirSync(join(root, emitted.folder)).filter(name => !name.startsWith('.'));
  if (found.length <= there) return [];
  const wanted = new Set(emitted.planned.names());
  return found
    .filter(name => !wanted.has(name) && isJob(root, `${emitted.folder}/${name}`))
    .sort(new Intl.Collator('en', { numeric: true }).compare)
    .map(name => `${emitted.folder}/${name}`);
}

function isJob(root: string, folder: string): boolean {
  return existsSync(join(root, folder, 'jobfile.sh'));
}

/** Jobs of batches that are not compiled any more. */
export function staleBatches(root: string, emission: Emission): string[] {
  const wanted = new Set(emission.jobs.map(jobs => jobs.folder));
  return foldersIn(root, 'data/processed')
    .flatMap(bbatch => foldersIn(root, bbatch))
    .filter(batch => !wanted.has(batch))
    .flatMap(batch => foldersIn(root, batch))
    .filter(folder => isJob(root, folder));
}

function foldersIn(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(entry => `${folder}/${entry.name}`)
    .sort();
}
