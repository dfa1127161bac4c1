/** Who runs what, out of /proc: `ps` and `pkill` go by names, and a lab ends nothing by a name. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { pause } from './waiting.ts';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Words joined by blanks; `[name]` where there are none. */
  readonly args: string;
  /** A part of OpenSSH's server, whoever it runs as. */
  readonly isSshd: boolean;
}

/** Processes for which `uid` is any of their user ids; all processes without it. What has ended but was not waited for does not count. */
export function processesOf(uid?: number): Process[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return pids.flatMap(name => {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const uids = field(status, 'Uid').split(/\s+/).map(Number);
      if (field(status, 'State').startsWith('Z') || (uid !== undefined && !uids.includes(uid))) return [];
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim();
      return [
        {
          pid: Number(name),
          parent: Number(field(status, 'PPid')),
          args: words || `[${field(status, 'Name')}]`,
          isSshd: basename(program(name)).startsWith('sshd'),
        },
      ];
    } catch (error) {
      if (hasEnded(error)) return [];
      throw error;
    }
  });
}

/** Kills these and waits until they have ended. */
export function end(pids: readonly number[]): void {
  for (const pid of pids) signal(pid, 'SIGKILL');
  for (let round = 0; round < 1000; round++) {
    const left = processesOf().filter(({ pid }) => pids.includes(pid));
    if (left.length === 0) return;
    pause(5);
  }
  throw new Error(`processes do not end: ${pids.join(' ')}`);
}

/** Kills all that runs as this user, also what is forked meanwhile. */
export function endProcessesOf(uid: number): void {
  for (let round = 0; round < 200; round++) {
    const left = processesOf(uid);
    if (left.length === 0) return;
    for (const { pid } of left) signal(pid, 'SIGKILL');
    pause(10);
  }
  throw new Error(`processes of user ${uid} do not end: ${JSON.stringify(processesOf(uid))}`);
}

/** A process that has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasEnded(error)) throw error;
  }
}

const field = (status: string, name: string) =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';

/** Kernel threads have no program to read. */
function program(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

const hasEnded = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
