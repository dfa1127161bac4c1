/**
 * Real SSH hosts on this machine: an unprivileged user, an address of 127.0.0.0/8 and a sshd each, so that each can be killed
 * by itself. Several labs may run at once; what a lab that died has left is cleared by the next one.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeClient } from './client.ts';
import { hasProgram, run } from './command.ts';
import { type Host, type HostOptions, makeHost } from './host.ts';
import { agentSocket, person, startAgent, unlock } from './login.ts';
import { processesOf, signal } from './processes.ts';
import type { Slot } from './slot.ts';
import { SSHD } from './sshd.ts';
import { standing } from './standing.ts';
import { tracesOf } from './traces.ts';

export type { Host, HostOptions } from './host.ts';

export interface LabOptions {
  /** How many plain hosts, or what each is to be like. */
  readonly hosts: number | readonly HostOptions[];
  /** The client's known_hosts does not show names. */
  readonly hashed?: boolean;
}

export interface GridOptions {
  /** Of each host; default 2. */
  readonly slots?: number;
  /** Slots of this machine; absent: this machine is no resource. */
  readonly local?: number;
  /** Further keys for every host, and for hosts by name; `undefined` leaves a host out. */
  readonly all?: Readonly<Record<string, unknown>>;
  readonly hosts?: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  /** Further keys at the top, such as `storage`. */
  readonly top?: Readonly<Record<string, unknown>>;
}

export type Lab = Awaited<ReturnType<typeof startLab>>;

/** Why no lab can be started here; undefined where it can. For `test(…, {skip: canLab()})`. */
export function canLab(): string | undefined {
  if (process.platform !== 'linux') return 'a lab of SSH hosts needs Linux';
  if (process.getuid?.() !== 0) return 'a lab of SSH hosts needs root, to make users';
  if (!existsSync(SSHD)) return `a lab of SSH hosts needs ${SSHD} (Debian: openssh-server)`;
  const missing = ['ssh', 'ssh-keygen', 'useradd', 'userdel', 'busybox'].filter(name => !hasProgram(name));
  return missing.length > 0 ? `a lab of SSH hosts needs ${missing.join(', ')}` : undefined;
}

export function startLab(options: LabOptions) {
  return standing(slot => build(slot, options));
}

async function build(slot: Slot, options: LabOptions) {
  const wanted =
    typeof options.hosts === 'number'
      ? Array.from({ length: options.hosts }, (): HostOptions => ({}))
      : options.hosts;
  const hosts: Host[] = [];
  const client = makeClient(join(slot.folder, 'client'));
  const hasAgent = wanted.some(({ login }) => login === 'agent' || login === 'encrypted');
  if (hasAgent) await startAgent(client.folder);
  for (const host of wanted) hosts.push(await makeHost(slot, hosts, host, client));
  if (options.hashed) client.hash();
  const path = `${client.bin}:${process.env.PATH ?? ''}`;
  const env: Record<string, string> = hasAgent
    ? { PATH: path, SSH_AUTH_SOCK: agentSocket(client.folder) }
    : { PATH: path };
  await Promise.all(hosts.map(({ start }) => start()));
  const named = (name: string) => {
    const host = hosts.find(each => each.name === name);
    return host ?? unknownHost(name);
  };
  return {
    ...client,
    hosts,
    host: named,
    /** For what is to use the lab's `ssh`. */
    env,
    /** Runs the lab's `ssh` with these words. */
    ssh: (words: readonly string[], input = '', more: Readonly<Record<string, string>> = {}) =>
      run(join(client.bin, 'ssh'), words, input, { ...process.env, ...env, ...more }),
    /** Somebody who types the secret when asked, with `env`; `asked` says what they were asked so far. */
    person: person(client.folder),
    /** Gives the agent the key of a host whose login is `encrypted`. */
    unlock: (host: Host) => unlock(client.folder, host.name),
    /** The text of a `~/.logobatch.yml` that names the hosts. */
    grid: (wishes: GridOptions = {}) => gridText(hosts, wishes),
    /** See `tracesOf`. `more`: folders to look for the user's files in, such as a shared storage. */
    traces: (host: Host, more: readonly string[] = []) => tracesOf(host.user, more),
    /** What runs there, sshd left out. */
    processes: (host: Host) => processesOf(host.user.uid).filter(({ isSshd }) => !isSshd),
    /** Signals a process of the host, and no other. */
    kill: (host: Host, pid: number, name: NodeJS.Signals = 'SIGKILL') => {
      if (processesOf(host.user.uid).some(each => each.pid === pid)) signal(pid, name);
      else throw new Error(`${pid} is no process of ${host.name}`);
    },
  };
}

function unknownHost(name: string): never {
  throw new Error(`the lab has no host ${name}`);
}

function gridText(
  hosts: readonly Host[],
  { slots = 2, local, all, hosts: single = {}, top }: GridOptions,
): string {
  const remote = hosts
    .filter(({ name }) => !(name in single) || single[name] !== undefined)
    .map(({ name }) => ({ name, type: 'ssh', hostname: name, slots, ...all, ...single[name] }));
  const here = local === undefined ? [] : [{ name: 'here', type: 'local', slots: local }];
  return stringify({ ...top, compute: [...here, ...remote] });
}
