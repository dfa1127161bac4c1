/** The connections that visits share: closed with the run. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopMaster } from '../transport/master.ts';

/** Closes all whose sockets lie in this folder, and removes it. A socket without a master is only a file. */
export async function closeMasters(folder: string): Promise<void> {
  const sockets = namesIn(folder).filter(name => /^\d+\.\d+$/.test(name));
  await Promise.all(sockets.map(name => stopMaster(join(folder, name))));
  rmSync(folder, { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
