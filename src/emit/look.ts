/** Compares what is to stand on the disk with what does, and finds what must not be touched. Writes nothing. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostic.ts';
import type { Emission, EmittedFile } from './emission.ts';
import { OWN_FOLDERS } from './emission.ts';
import type { LookedJobs } from './look-jobs.ts';
import { lookAtJobs } from './look-jobs.ts';
import { staleBatches } from './stale.ts';
import type { Written } from './written.ts';
import { decodeWritten, WRITTEN_FILE } from './written.ts';

export interface Look {
  readonly lock: boolean;
  readonly makefile: boolean;
  readonly files: readonly EmittedFile[];
  readonly jobs: readonly LookedJobs[];
  /** Our own files that nothing stands for any more, relative to the root. */
  readonly drop: readonly string[];
  /** Folders with a result or a jobfile of ours that belong to no row any more. */
  readonly stale: readonly string[];
  /** True where `written` does not say all that is known now. */
  readonly remember: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** Every file that differs, and every reason not to write at all. */
export function lookAt(root: string, emission: Emission): Look {
  const written = readWritten(root);
  const diagnostics: Diagnostic[] = [];
  const looked = emission.jobs.map(emitted =>
    lookAtJobs(root, emitted, written.get(emitted.planned.batch.id), diagnostics),
  );
  return {
    lock: differs(root, emission.lock),
    makefile: differs(root, emission.makefile),
    files: emission.files.filter(file => differs(root, file)),
    jobs: looked.map(one => one.jobs),
    drop: ownFiles(root, emission.files),
    stale: [...looked.flatMap(one => one.stale), ...staleBatches(root, emission)],
    remember: looked.some(one => !one.remembered) || written.size !== looked.length,
    diagnostics,
  };
}

function readWritten(root: string): Written {
  const path = join(root, WRITTEN_FILE);
  return existsSync(path) ? decodeWritten(readFileSync(path)) : new Map();
}

function ownFiles(root: string, wanted: readonly EmittedFile[]): string[] {
  const paths = new Set(wanted.map(file => file.path));
  const list = (folder: string): string[] => {
    const path = join(root, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path, { withFileTypes: true }).flatMap(entry =>
      entry.isDirectory() ? list(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    );
  };
  return [
    ...OWN_FOLDERS.flatMap(list),
    ...['.logobatch/email'].filter(path => existsSync(join(root, path))),
  ].filter(path => !paths.has(path));
}

/** True where the file is not there, or holds anything else. */
function differs(root: string, file: EmittedFile): boolean {
  const path = join(root, file.path);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile() || (stats.mode & 0o100) !== (file.mode & 0o100)) return true;
  const bytes = readFileSync(path);
  let at = 0;
  for (const piece of file.text()) {
    const wanted = Buffer.from(piece);
    if (!bytes.subarray(at, at + wanted.length).equals(wanted)) return true;
    at += wanted.length;
  }
  return at !== bytes.length;
}
