/** A connection that goes through another program: ProxyJump (`ssh -W`) or ProxyCommand. */
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { shWord } from '../quote.ts';
import { expand, type Resolved, setting } from './resolve.ts';

/** The words of a program whose standard input and output are the connection. */
export type Proxy = readonly [string, ...string[]];

/** How the host is reached: undefined directly, `unknown` where the configuration says more than is understood here. */
export function proxyOf(resolved: Resolved): Proxy | 'unknown' | undefined {
  const command = setting(resolved, 'proxycommand');
  if (command !== undefined) return byCommand(command, resolved);
  const jump = jumpCommand(resolved, ['-o', 'BatchMode=yes']);
  return jump === undefined ? undefined : byCommand(jump, resolved);
}

/** Run as `ssh` runs it: by a shell, since that is what such a command is written for. */
function byCommand(command: string, resolved: Resolved): Proxy | 'unknown' {
  // What is filled in comes from the configuration as well, but stays plain words all the same.
  const plain = [resolved.hostname, resolved.name, resolved.user].every(word =>
    /^[A-Za-z0-9._:%@-]*$/.test(word),
  );
  const filled = plain ? expand(command, resolved) : undefined;
  return filled === undefined ? 'unknown' : ['/bin/sh', '-c', `exec ${filled}`];
}

/** For the hosts on the way what holds for the host itself: known keys only, and nothing handed out. */
const HOP = [
  ...['-T', '-a', '-x'],
  ...['StrictHostKeyChecking=yes', 'PermitLocalCommand=no', 'ControlMaster=no', 'UpdateHostKeys=no'].flatMap(
    option => ['-o', option],
  ),
];

/**
 * ProxyJump as the ProxyCommand that `ssh` would make of it, but with our options for the hosts on the way: of a jump
 * `a,b` the last connects to the host. `%h` and `%p` are filled in by whoever runs it. Undefined: there is no jump.
 */
export function jumpCommand(resolved: Resolved, more: readonly string[]): string | undefined {
  const hops = setting(resolved, 'proxyjump')?.split(',') ?? [];
  return hops.reduce<string | undefined>((before, hop) => {
    const url = hop.startsWith('ssh://') ? hop : `ssh://${hop.trim()}`;
    // Each `ssh` fills in its own and halves the signs that are doubled.
    const way = before === undefined ? [] : ['-o', `ProxyCommand=${before}`];
    const words = ['ssh', ...HOP, ...more, ...way, '--', url].map(word => word.replaceAll('%', '%%'));
    words.splice(-2, 0, '-W', '[%h]:%p');
    return words.map(shWord).join(' ');
  }, undefined);
}

export interface ProxySocket {
  readonly socket: Duplex;
  /** What it said on standard error, the end of it. */
  readonly said: () => string;
  readonly end: () => void;
}

/** Starts the program; when it ends, so does the socket. */
export function startProxy([program, ...args]: Proxy): ProxySocket {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-2000);
  });
  const socket = Duplex.from({ readable: child.stdout, writable: child.stdin });
  socket.on('error', () => {});
  const end = () => {
    socket.destroy();
    if (child.exitCode === null) child.kill('SIGTERM');
  };
  child.on('error', error => {
    said = error.message;
    socket.destroy();
  });
  child.on('close', () => socket.destroy());
  return { socket, said: () => said, end };
}
