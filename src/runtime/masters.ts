/** The connections that visits share: opened by them, closed with the run. */
import { execFile } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Closes all whose sockets lie in this folder, and removes it. A socket without a master is only a file. */
export async function closeMasters(folder: string): Promise<void> {
  const sockets = namesIn(folder).filter(name => /^\d+\.\d+$/.test(name));
  await Promise.all(sockets.map(name => exit(join(folder, name))));
  rmSync(folder, { recursive: true, force: true });
}

function exit(path: string): Promise<void> {
  return new Promise(resolve => {
    // The host is asked for by ssh, and not looked at.
    const words = ['-o', `ControlPath=${path}`, '-O', 'exit', '--', 'host'];
    execFile('ssh', words, { timeout: 5_000 }, () => resolve());
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
