/** This machine behind the interface of a host: for what can be asked of both, such as a cluster that is submitted to from here. */
import { spawn } from 'node:child_process';
import { execute, Tail } from './execution.ts';
import type { Session, Transport } from './transport.ts';

/** `hidden`: names of variables that what runs here is not to see, beside our own. */
export function transportHere(hidden: readonly string[] = []): Transport {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !OURS.test(name) && !hidden.includes(name)),
  );
  let close: (reason: string) => void = () => {};
  const lost = new Promise<string>(resolve => {
    close = resolve;
  });
  const open = (command: string) => Promise.resolve(started(command, env));
  return {
    kind: 'here',
    exec: (command, options) => execute(() => open(command), options),
    open,
    lost,
    close: async () => close('closed'),
  };
}

/** What make and its scripts have put into the environment is not for others. */
const OURS = /^(LOGOBATCH_|LB_|MAKE|MFLAGS$)/;

function started(command: string, env: NodeJS.ProcessEnv): Session {
  // In a session of its own: a Ctrl-C is for whoever leads the run.
  const child = spawn('sh', ['-c', command], { env, stdio: 'pipe', detached: true });
  const errors = new Tail();
  child.stdin.on('error', () => {});
  child.stdout.on('error', () => {});
  child.stderr.on('error', () => {}).on('data', (chunk: Buffer) => errors.add(chunk));
  const closed = new Promise<{ code: number | null; stderr: string }>(resolve => {
    child.once('error', error => resolve({ code: null, stderr: error.message }));
    child.once('close', code => resolve({ code, stderr: errors.text() }));
  });
  return { stdin: child.stdin, stdout: child.stdout, closed, end: () => child.kill() };
}
