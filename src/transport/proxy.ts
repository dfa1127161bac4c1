/** A connection that goes through another program: ProxyJump (`ssh -W`) or ProxyCommand. */
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { expand, type Resolved, setting } from './resolve.ts';

/** The words of a program whose standard input and output are the connection. */
export type Proxy = readonly [string, ...string[]];

/** How the host is reached: undefined directly, `unknown` where the configuration says more than is understood here. */
export function proxyOf(resolved: Resolved): Proxy | 'unknown' | undefined {
  const command = setting(resolved, 'proxycommand');
  if (command !== undefined) return byCommand(command, resolved);
  const jump = setting(resolved, 'proxyjump');
  return jump === undefined ? undefined : byJump(jump, resolved);
}

/** The user's own command, run as `ssh` runs it: by a shell, since that is what it is written for. */
function byCommand(command: string, resolved: Resolved): Proxy | 'unknown' {
  // What is filled in comes from the configuration as well, but stays plain words all the same.
  const plain = [resolved.hostname, resolved.name, resolved.user].every(word =>
    /^[A-Za-z0-9._:%@-]*$/.test(word),
  );
  const filled = plain ? expand(command, resolved) : undefined;
  return filled === undefined ? 'unknown' : ['/bin/sh', '-c', `exec ${filled}`];
}

/** `a,b` goes through a and then b: the last is the one that connects to the host. */
function byJump(jump: string, resolved: Resolved): Proxy {
  const hops = jump.split(',').map(hop => hop.trim());
  const last = hops.pop() ?? '';
  const before = hops.length > 0 ? ['-J', hops.join(',')] : [];
  const target = `[${resolved.hostname}]:${resolved.port}`;
  const options = ['-T', '-a', '-x', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes'];
  const quiet = ['-o', 'PermitLocalCommand=no', '-o', 'ControlMaster=no', '-o', 'UpdateHostKeys=no'];
  const url = last.startsWith('ssh://') ? last : `ssh://${last}`;
  return ['ssh', ...options, ...quiet, ...before, '-W', target, '--', url];
}

export interface ProxySocket {
  readonly socket: Duplex;
  /** The last line it said on standard error. */
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
  return { socket, said: () => said.trim().split('\n').at(-1)?.trim() ?? '', end };
}
