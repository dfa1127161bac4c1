/** One host of a lab: a user, an address, a sshd, and the client's knowledge of it. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './address.ts';
import type { Client } from './client.ts';
import { endCluster } from './cluster.ts';
import { applets, before } from './confine.ts';
import { endDaemon } from './daemon.ts';
import { arrange, type Login } from './login.ts';
import { makeNetwork, type Network, removeNetwork } from './netns.ts';
import { processesOf, signal } from './processes.ts';
import type { Slot } from './slot.ts';
import { type Extent, makeSshd, type Sshd } from './sshd.ts';
import { addUser, furnish, removeUser, type Shell, shellPath, type User } from './user.ts';

export interface HostOptions {
  /** Default: n1, n2 … */
  readonly name?: string;
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
  /** Default `key`. */
  readonly login?: Login;
  /** The client goes through an earlier host. */
  readonly via?: { readonly host: string; readonly by: 'ProxyJump' | 'ProxyCommand' };
  /**
   * `own`: one that can be cut (see `canNetns`); the name of an earlier host with such a one: inside of that, at an address
   * that nobody else reaches. Default: this machine's.
   */
  readonly network?: 'own' | `n${number}`;
  /** Words before the sshd's own command, inside of its network. */
  readonly enter?: readonly string[];
  /** Listens at ::1 (see `canIpv6`). */
  readonly ipv6?: boolean;
}

export interface Host {
  /** What `ssh` calls it. */
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
  readonly network: Network | undefined;
  /** Packets vanish in both ways until `heal`. Only for a host with a network of its own. */
  readonly cut: () => void;
  readonly heal: () => void;
}

/** Makes the next host of a lab; it does not listen yet. */
export async function makeHost(
  slot: Slot,
  earlier: readonly Host[],
  options: HostOptions,
  client: Client,
): Promise<Host> {
  const { shell = 'bash', noHome = false } = options;
  const index = earlier.length + 1;
  const name = options.name ?? `n${index}`;
  const folder = join(slot.folder, name);
  mkdirSync(folder);
  const unique = nameOf(slot.number, index);
  // Written down before anything is made, so that whoever clears up knows of it.
  appendFileSync(join(slot.folder, 'made'), `${unique}\n`);
  const user = addUser(unique, shellPath(shell, join(folder, 'shell')), !noHome);
  if (!noHome) furnish(user, shell, options.rc, options.files ?? {});
  const own = options.network === 'own' ? makeNetwork(unique, slot.number, index) : undefined;
  const network = own ?? earlier.find(each => each.name === options.network)?.network;
  const address = options.ipv6 ? '::1' : (own?.address ?? `127.0.${slot.number + 1}.${index}`);
  // ::1 is the same for all labs.
  const port = network
    ? 2200 + index
    : await freePort(address, 2200 + index + (options.ipv6 ? 100 * slot.number : 0));
  const login = arrange(options.login ?? 'key', {
    client: client.folder,
    host: folder,
    name,
    user: user.name,
    key: client.key,
  });
  const sshd = makeSshd({
    folder,
    uid: user.uid,
    prefix: [...(network?.prefix ?? []), ...(options.enter ?? [])],
    lines: [
      ...(options.sshd ?? []),
      ...login.server,
      `ListenAddress [${address}]:${port}`,
      `AllowUsers ${user.name}`,
      'UsePAM no',
      'PasswordAuthentication no',
      'StrictModes no',
      'PrintMotd no',
      'LogLevel VERBOSE',
      'AcceptEnv LANG LC_*',
      'Subsystem sftp /usr/lib/openssh/sftp-server',
      ...(options.path ? [`SetEnv PATH=${applets(join(folder, 'path'), options.path)}`] : []),
      ...(options.forceCommand === undefined
        ? []
        : [`ForceCommand ${before(join(folder, 'force'), options.forceCommand)}`]),
    ],
  });
  client.add(name, [
    ...(options.client ?? []),
    `HostName ${address}`,
    `Port ${port}`,
    `User ${user.name}`,
    ...login.client,
    ...(options.via ? [through(options.via, client)] : []),
  ]);
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
    network,
    cut: () => (network ?? nowhere(name)).cut(),
    heal: () => (network ?? nowhere(name)).heal(),
  };
}

function through({ host, by }: NonNullable<HostOptions['via']>, client: Client): string {
  return by === 'ProxyJump'
    ? `ProxyJump ${host}`
    : `ProxyCommand ${join(client.bin, 'ssh')} -W %h:%p ${host}`;
}

function nowhere(name: string): never {
  throw new Error(`${name} has no network of its own`);
}

/** Ends and removes what a lab has made, by what its folder says. */
export function clear(folder: string): void {
  const made = join(folder, 'made');
  const names = existsSync(made) ? readFileSync(made, 'utf8').split('\n').filter(Boolean) : [];
  for (const entry of readdirSync(folder)) endDaemon(join(folder, entry), true);
  endCluster(folder);
  for (const name of names) {
    removeUser(name);
    removeNetwork(name);
  }
}

/** Names that nobody else gives, with the lab's number, so that labs do not meet. */
const nameOf = (lab: number, index: number) => `lbtest${lab}n${index}`;
