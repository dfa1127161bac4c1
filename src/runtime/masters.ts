/** The connections that visits share: closed with the run. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopMaster } from '../transport/master.ts';

/** Closes all whose sockets lie in this folder, and removes it. A socket without a master is only a file. */
export async function closeMasters(folder: string): Promise<void> {
  const sockets = namesIn(folder).filter(name => /^\w+\.\d+$/.test(name));
  await Promise.all(sockets.map(name => stopMaster(join(folder, name))));
  rmSync(folder, { recursive: true, force: true });
}

/** Of warm nodes: all but the first of each, which the next run will find; and the folder, if nothing is in it. */
export async function closeOthers(folder: string): Promise<void> {
  const names = namesIn(folder);
  const others = names.filter(name => /^\w+\.[1-9]\d*$/.test(name));
  await Promise.all(others.map(name => stopMaster(join(folder, name))));
  if (names.length === 0) rmSync(folder, { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
