/** What clusters of a lab have in common: whose their processes are, and how to use them as their user. */
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './client.ts';
import { type Ran, run } from './command.ts';
import { end, processesOf } from './processes.ts';
import type { User } from './user.ts';

/** One task that waits or runs; an element of an array by itself. */
export interface QueuedJob {
  /** As the cluster's own commands take it, such as `12`, `12_3` (Slurm), `12.3` (Grid Engine). */
  readonly id: string;
  readonly job: string;
  /** Of an array's element. */
  readonly task: string | undefined;
  readonly name: string;
  readonly user: string;
  /** In the cluster's own words, such as `RUNNING` or `qw`. */
  readonly state: string;
  /** Where it runs; empty while it waits. */
  readonly node: string;
}

/** Variables that a cluster sets for all that it runs, and that name a path below the lab's folder. */
const MARKS = ['SLURM_CONF', 'SGE_ROOT'];

/** Ends all that a cluster runs, whoever it runs as: what works in the lab's folder, and what has it in its environment. */
export function endCluster(folder: string): void {
  endAll(
    pid =>
      worksIn(pid, folder) ||
      environmentOf(pid).some(entry => MARKS.some(mark => entry.startsWith(`${mark}=${folder}/`))),
  );
}

/** Ends these processes, also those that are forked meanwhile. */
export function endAll(isMeant: (pid: number) => boolean): void {
  for (let round = 0; round < 200; round++) {
    const left = processesOf().filter(({ pid }) => pid !== process.pid && isMeant(pid));
    if (left.length === 0) return;
    end(left.map(({ pid }) => pid));
  }
  throw new Error('processes of a cluster do not end');
}

/** What users of a cluster have on PATH. */
export const PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * How to use a cluster by its login node. `env`: for what reaches it by `ssh`; `variables`: what its commands need there; `prefix`: words that make
 * a command run there.
 */
export function usesOf(
  { user }: { readonly user: User },
  { bin }: Pick<Client, 'bin'>,
  {
    env,
    variables,
    prefix = [],
  }: {
    readonly env: Readonly<Record<string, string>>;
    readonly variables: Readonly<Record<string, string>>;
    readonly prefix?: readonly string[];
  },
) {
  return {
    /** Who submits at the login node, and its home, which all of the cluster sees. */
    user,
    home: user.home,
    /** Runs the lab's `ssh` with these words. */
    ssh: (words: readonly string[], input = '') =>
      run(join(bin, 'ssh'), words, input, { ...process.env, ...env }),
    /** Runs these words there as the user, at home. */
    run: (words: readonly string[], input = '') => runAs(user, words, { prefix, env: variables, input }),
    /** What the user runs, sessions of sshd left out. */
    processes: () => processesOf(user.uid).filter(({ isSshd }) => !isSshd),
  };
}

/** Runs words as the user, at home, with a login's environment and these variables. */
function runAs(
  user: User,
  words: readonly string[],
  {
    prefix = [],
    env = {},
    input = '',
  }: {
    readonly prefix?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
  },
): Promise<Ran> {
  const own = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: '/bin/sh', ...env };
  const variables = Object.entries(own).map(([name, value]) => `${name}=${value}`);
  const [program = '', ...rest] = [
    ...prefix,
    ...['runuser', '-u', user.name, '--', 'env', '-i', '-C', user.home, ...variables],
    ...words,
  ];
  return run(program, rest, input);
}

/** Entries such as `A=b`; none for what hides them. */
export function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Whether its current folder is this one or one below. */
export function worksIn(pid: number, folder: string): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
  } catch {
    return false;
  }
}
