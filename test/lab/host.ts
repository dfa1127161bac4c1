/** One host of a lab: a user, an address, a sshd, and the client's knowledge of it. */
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Client } from './client.ts';
import { system } from './command.ts';
import { processesOf, signal } from './processes.ts';
import type { Slot } from './slot.ts';
import { type Extent, endListener, makeSshd, type Sshd } from './sshd.ts';
import { addUser, furnish, removeUser, type Shell, shellPath, type User } from './user.ts';

export interface HostOptions {
  /** The login shell; default bash. */
  readonly shell?: Shell;
  /** What the shell reads before a command: the text of its rc file. */
  readonly rc?: string;
  /** Further files below the home. */
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of sshd_config that count before the lab's own, such as `MaxSessions 2`. */
  readonly sshd?: readonly string[];
  /** Lines of the client's configuration for this host. */
  readonly client?: readonly string[];
  /** PATH holds only these applets of busybox; `all` of them. */
  readonly path?: readonly string[] | 'all';
  /** There is no home, though the user database names one. */
  readonly noHome?: boolean;
  /** Lines of sh that run before each command that comes in, such as `ulimit -n 64`. */
  readonly forceCommand?: string;
  /** The client does not know the host's key. */
  readonly unknown?: boolean;
}

export interface Host {
  /** What `ssh` calls it: n1, n2 … */
  readonly name: string;
  readonly user: User;
  readonly address: string;
  readonly port: number;
  readonly sshd: Sshd;
  readonly log: () => string;
  readonly start: () => Promise<void>;
  /** Default: `connections`. Nothing of it is left when this returns. */
  readonly kill: (extent?: Extent) => void;
  /** The host answers with another key from now on; the client is not told. */
  readonly newHostKey: () => Promise<void>;
  /** All of the host stands still, connections included, until `thaw`. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/** Makes the index-th host of a lab, 1-based; it does not listen yet. */
export async function makeHost(
  slot: Slot,
  index: number,
  options: HostOptions,
  client: Client,
): Promise<Host> {
  const { shell = 'bash', noHome = false } = options;
  const name = `n${index}`;
  const folder = join(slot.folder, name);
  mkdirSync(folder, { recursive: true });
  // Written down before it is made, so that whoever clears up knows of it.
  appendFileSync(join(slot.folder, 'users'), `${userName(slot.number, index)}\n`);
  const user = addUser(userName(slot.number, index), shellPath(shell, join(folder, 'shell')), !noHome);
  if (!noHome) furnish(user, shell, options.rc, options.files ?? {});
  const keys = join(folder, 'authorized_keys');
  copyFileSync(client.publicKey, keys);

  const address = `127.0.${slot.number + 1}.${index}`;
  const port = await freePort(address, 2200 + index);
  const sshd = makeSshd({
    folder,
    uid: user.uid,
    prefix: [],
    lines: [
      ...(options.sshd ?? []),
      `ListenAddress ${address}:${port}`,
      `AllowUsers ${user.name}`,
      `AuthorizedKeysFile ${keys}`,
      'UsePAM no',
      'PasswordAuthentication no',
      'StrictModes no',
      'PrintMotd no',
      'LogLevel VERBOSE',
      'AcceptEnv LANG LC_*',
      'Subsystem sftp /usr/lib/openssh/sftp-server',
      ...(options.path ? [`SetEnv PATH=${applets(join(folder, 'path'), options.path)}`] : []),
      ...(options.forceCommand === undefined ? [] : [`ForceCommand ${before(folder, options.forceCommand)}`]),
    ],
  });
  client.add(name, [...(options.client ?? []), `HostName ${address}`, `Port ${port}`, `User ${user.name}`]);
  if (!options.unknown) client.know(address, port, sshd.hostKey());

  const all = () => [...sshd.processes(), ...processesOf(user.uid)];
  const kill = (extent: Extent = 'connections') => sshd.kill(extent);
  return {
    name,
    user,
    address,
    port,
    sshd,
    log: sshd.log,
    start: sshd.start,
    kill,
    newHostKey: async () => {
      const wasUp = sshd.isUp();
      kill('listener');
      sshd.newHostKey();
      if (wasUp) await sshd.start();
    },
    freeze: () => {
      for (const { pid } of all()) signal(pid, 'SIGSTOP');
    },
    thaw: () => {
      for (const { pid } of all()) signal(pid, 'SIGCONT');
    },
  };
}

/** Ends and removes what a lab has made, by what its folder says. */
export function clear(folder: string): void {
  const users = join(folder, 'users');
  const names = existsSync(users) ? readFileSync(users, 'utf8').split('\n').filter(Boolean) : [];
  for (const entry of readdirSync(folder)) endListener(join(folder, entry));
  for (const name of names) removeUser(name);
}

/** Names that nobody else gives, with the lab's number, so that labs do not meet. */
const userName = (lab: number, index: number) => `lbtest${lab}n${index}`;

/** A folder of links to busybox, to be the whole of PATH. */
function applets(folder: string, wanted: readonly string[] | 'all'): string {
  mkdirSync(folder, { recursive: true });
  const names = wanted === 'all' ? system('busybox', ['--list']).split('\n').filter(Boolean) : wanted;
  for (const name of names) symlinkSync('/bin/busybox', join(folder, name));
  return folder;
}

/** A script that runs these lines and then what the client asked for, in the login shell, as sshd would. */
function before(folder: string, lines: string): string {
  const path = join(folder, 'force');
  const command =
    '[ -n "${SSH_ORIGINAL_COMMAND-}" ] && exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"\nexec "$SHELL" -l';
  writeFileSync(path, `#!/bin/sh\n${lines}\n${command}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Below the range from which the kernel takes ports for outgoing connections, so that a host finds its port again. */
async function freePort(address: string, first: number): Promise<number> {
  for (let port = first; port < 30_000; port += 100) if (await isFree(address, port)) return port;
  throw new Error(`no port is free at ${address}`);
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
