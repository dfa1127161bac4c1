/**
 * The one place that writes an image's files. Only what differs; a file that was there is replaced by renaming; the
 * Makefile comes last, so whatever happens on the way, `make` finds the old one or the whole new one.
 */
import { mkdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Emission, EmittedFile } from './emission.ts';
import type { Look } from './look.ts';
import type { LookedJobs } from './look-jobs.ts';
import { FRESH, SAME } from './look-jobs.ts';
import { replaceFile, writeNew } from './put.ts';
import { encodeWritten, WRITTEN_FILE } from './written.ts';

/** Does what `lookAt` found to be done. Throws the system's errors: a full disk, a folder that may not be written. */
export function writeImage(root: string, emission: Emission, look: Look): void {
  if (look.lock) put(root, emission.lock, true);
  for (const file of look.files) put(root, file, false);
  for (const jobs of look.jobs) writeJobs(root, jobs);
  for (const path of look.drop) rmSync(join(root, path));
  if (look.remember) remember(root, look);
  if (look.makefile) put(root, emission.makefile, true);
}

function put(root: string, file: EmittedFile, durable: boolean): void {
  replaceFile(join(root, file.path), file.text(), file.mode, durable);
}

function writeJobs(root: string, { emitted, action, now, changes }: LookedJobs): void {
  if (changes === 0) return;
  const folder = join(root, emitted.folder);
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < action.length; i++) {
    if (action[i] === SAME) continue;
    const own = `${folder}/${emitted.planned.name(i)}`;
    const path = `${own}/jobfile.sh`;
    const text = [emitted.text(i)];
    if (action[i] === FRESH) mkdirSync(own);
    const stats = action[i] === FRESH ? writeNew(path, text) : replaceFile(path, text, 0o644, false);
    if (action[i] !== FRESH) outdate(`${own}/.done`);
    now.sizes[i] = stats.size;
    now.mtimes[i] = stats.mtimeMs;
  }
}

/** Make is to look at this record, however the clocks stand that dated it and the new jobfile. */
function outdate(record: string): void {
  try {
    utimesSync(record, 86_400, 86_400);
  } catch {
    // There is none, or it is somebody else's; then the times hold.
  }
}

function remember(root: string, look: Look): void {
  const written = new Map(look.jobs.map(({ emitted, now }) => [emitted.planned.batch.id, now]));
  replaceFile(join(root, WRITTEN_FILE), encodeWritten(written), 0o644, false);
}
