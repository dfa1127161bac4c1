/** Everything that a user can leave behind on a host: what "no trace left" is measured by. */
import { lstatSync, readdirSync, readFileSync, rmSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { system } from './command.ts';
import { processesOf } from './processes.ts';
import type { User } from './user.ts';

/** Where anybody may write; and where cron and at keep what is to run later. */
const OPEN_FOLDERS = [
  '/tmp',
  '/var/tmp',
  '/dev/shm',
  '/dev/mqueue',
  '/run/lock',
  '/var/spool/cron/crontabs',
  '/var/spool/cron/atjobs',
  '/var/spool/cron/atspool',
];

/** The kernel's lists of System V objects, with the option of `ipcrm` for each. */
const IPC = { shm: '-m', msg: '-q', sem: '-s' } as const;

/**
 * Processes (sshd's own left out), files below the home, what the user owns in folders that are open to all, objects of the
 * kernel: a line each, sorted, to be compared with the same from before. A file's line changes with its contents.
 */
export function tracesOf(user: User, more: readonly string[] = []): string[] {
  return [
    ...processesOf(user.uid)
      .filter(({ isSshd }) => !isSshd)
      .map(({ pid, args }) => `process ${pid} ${args}`),
    ...below(user.home).map(describe),
    ...owned(user, [...OPEN_FOLDERS, ...more]).map(describe),
    ...ipcOf(user).map(({ kind, id }) => `${kind} ${id}`),
  ].sort();
}

/** Removes all of it but processes and the home. */
export function removeLeftovers(user: User): void {
  for (const path of owned(user, OPEN_FOLDERS)) rmSync(path, { recursive: true, force: true });
  for (const { option, id } of ipcOf(user)) system('ipcrm', [option, id]);
}

function describe(path: string): string {
  const stats = look(path);
  if (!stats?.isFile()) return `${stats?.isDirectory() ? 'folder' : 'entry'} ${path}`;
  return `file ${path} ${stats.size} ${stats.mtime.toISOString()}`;
}

function below(folder: string): string[] {
  return names(folder)
    .map(name => join(folder, name))
    .flatMap(path => (look(path)?.isDirectory() ? [path, ...below(path)] : [path]));
}

function owned(user: User, folders: readonly string[]): string[] {
  return folders
    .flatMap(folder => names(folder).map(name => join(folder, name)))
    .filter(path => look(path)?.uid === user.uid);
}

function ipcOf(user: User): { kind: string; option: string; id: string }[] {
  return Object.entries(IPC).flatMap(([kind, option]) => {
    const [head = [], ...rows] = table(`/proc/sysvipc/${kind}`);
    return rows
      .filter(row => row[head.indexOf('uid')] === String(user.uid))
      .map(row => ({ kind, option, id: row[1] ?? '' }));
  });
}

function table(path: string): string[][] {
  try {
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    return lines.map(line => line.trim().split(/\s+/));
  } catch {
    return []; // A kernel without System V objects.
  }
}

/** What vanishes while we look is no trace. */
function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
