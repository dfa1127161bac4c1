/** The connections that visits share: opened for the first of them or by them, closed with the run. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../grid/model.ts';
import { sshOptions } from '../transport/transport.ts';

const opening = new Set<ChildProcess>();

/** Opens the first one of a node without waiting for it: a handshake takes as long as a node's coming up. `control`: what its path begins with. */
export function openAhead(node: string, host: Host, control: string): void {
  const words = ['.logobatch/shell/ahead', node, control, host.hostname, ...sshOptions(host)];
  const child = spawn('sh', words, { stdio: 'ignore', detached: true });
  opening.add(child);
  const ended = () => opening.delete(child);
  child.on('error', ended).on('exit', ended);
}

/** Whoever is still opening one is stopped: one that came later would be left. */
async function stopOpening(): Promise<void> {
  const ends = [...opening].map(child => {
    const ended = new Promise(resolve => child.on('exit', resolve));
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    return ended;
  });
  await Promise.all(ends);
}

/** Closes all whose sockets lie in this folder, and removes it. A socket without a master is only a file. */
export async function closeMasters(folder: string): Promise<void> {
  await stopOpening();
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
