/** Who else is busy in an image: a run of make, or another compile. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostic.ts';

const RUN = '.logobatch/run';
const OWNER = `${RUN}/owner`;
const COMPILING = `${RUN}/compiling`;

/** A diagnostic where a run of make is going on: its recipes read what compile would change. */
export function runningMake(root: string): Diagnostic | undefined {
  const [pid, birth] = words(join(root, OWNER));
  if (!isAlive(Number(pid), birth)) return undefined;
  return busy(
    `make is running in this image (pid ${pid})`,
    'wait for it, or end it with `make cancel`; --force compiles all the same',
  );
}

export type Held =
  | { readonly ok: true; readonly release: () => void }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** Keeps other compiles of the same image out until released. One that died leaves no trace that matters. */
export function holdImage(root: string, force: boolean): Held {
  const path = join(root, COMPILING);
  const made = mkdirSync(join(root, RUN), { recursive: true });
  const release = () => {
    rmSync(path, { force: true });
    if (made !== undefined) removeEmpty(root);
  };
  for (;;) {
    try {
      writeFileSync(path, `${process.pid} ${birthOf(process.pid)} ${hostname()}\n`, { flag: 'wx' });
      return { ok: true, release };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const [pid, birth, host] = words(path);
    // Another machine's processes cannot be seen from here, so its word counts.
    if (!force && (host === undefined || host !== hostname() || isAlive(Number(pid), birth))) {
      return {
        ok: false,
        diagnostic: busy(
          `another compile of this image is going on (pid ${pid} on ${host})`,
          'wait for it; --force goes ahead',
        ),
      };
    }
    rmSync(path, { force: true });
  }
}

/** A compile that was refused leaves not even a folder behind. */
function removeEmpty(root: string): void {
  for (const folder of [RUN, '.logobatch']) {
    try {
      rmdirSync(join(root, folder));
    } catch {
      return;
    }
  }
}

function busy(message: string, hint: string): Diagnostic {
  return { severity: 'error', code: 'image-busy', message, hint };
}

function words(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ') : [];
}

/** True while that very process runs: a number alone may have been given to another one since. */
function isAlive(pid: number, birth: string | undefined): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return birth === undefined || birth === '0' || birthOf(pid) === birth;
}

/** When a process started, in the kernel's ticks since boot; `0` where there is no /proc. */
function birthOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, a name in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}
