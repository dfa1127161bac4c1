/** The connections that visits share: opened for the first of them or by them, closed with the run. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SshResource } from '../grid/model.ts';
import { sshOptions } from '../transport/transport.ts';
import type { Context } from './context.ts';
import type { Turn } from './turns.ts';

/** Opens the first connection for a node's visits without waiting for it. `path`: of its socket. */
export type Ahead = (node: SshResource, path: string, abort: AbortSignal) => void;

const opening = new Set<ChildProcess>();

/** Visits that begin would else wait for a handshake each. No more of them than there are slots to be used, and each when it is its turn. */
export function aheadOf({ run, breadth = Infinity }: Context, turn: Turn): Ahead {
  let opened = 0;
  return ({ name, host }, path, abort) => {
    if (++opened > breadth) return;
    const words = ['.logobatch/shell/ahead', run, name, path, host.hostname, ...sshOptions(host)];
    void turn(async () => {
      if (!abort.aborted) await open(words, run);
    });
  };
}

/** In a group of its own, as whose leader it can be stopped; and with the word by which the run's end finds it if we are killed. */
function open(words: readonly string[], run: string): Promise<void> {
  const env = { ...process.env, LOGOBATCH_RUN: run };
  const child = spawn('sh', words, { stdio: 'ignore', detached: true, env });
  opening.add(child);
  return new Promise(resolve => {
    const ended = () => {
      opening.delete(child);
      resolve();
    };
    child.on('error', ended).on('exit', ended);
  });
}

/** Whoever is still opening one is stopped: one that came later would be left. */
async function stopOpening(): Promise<void> {
  const ends = [...opening].map(child => {
    const ended = new Promise(resolve => child.on('exit', resolve).on('error', resolve));
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
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
