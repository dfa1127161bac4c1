/** The one connection of the system's `ssh` that all sessions share (ControlMaster). */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import type { Host } from '../grid/model.ts';
import { lookupName } from './hostkeys.ts';
import { endMaster, joinMaster, type Mux } from './mux.ts';
import { controlWord, pinned } from './options.ts';
import { ask } from './program.ts';
import { jumpCommand } from './proxy.ts';
import type { Resolved } from './resolve.ts';
import { sshOptions } from './transport.ts';
import { type Trouble, troubleOf } from './trouble.ts';

/** Longer ones are refused by `ssh`, which appends 17 characters while it binds (measured). */
const LONGEST = 90;

/** Seconds after which a master ends that nobody holds any more: whoever holds it may be killed. */
const IDLE = 60;

export interface Opening {
  readonly seconds: number;
  readonly interactive: boolean;
  /** Instead of IDLE. */
  readonly idle?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Master {
  readonly host: Host;
  readonly resolved: Resolved;
  readonly control: string;
}

/** Brings the master up, unless a living one is at this socket by now, and joins it. */
export async function openMaster(master: Master, options: Opening): Promise<Mux | Trouble> {
  const { control } = master;
  if (Buffer.byteLength(control) > LONGEST)
    return {
      kind: 'other',
      reason: `the path of the control socket is longer than ${LONGEST} bytes: ${control}`,
    };
  if (existsSync(control)) {
    const living = await joinMaster(control).catch(() => undefined);
    if (living) return living;
    await rm(control, { force: true });
  }
  const trouble = await startMaster(master, { ...options, seconds: Math.max(1, options.seconds) });
  if (trouble) return trouble;
  try {
    return await joinMaster(control);
  } catch (error) {
    await stopMaster(control);
    return { kind: 'other', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Ends the master and all its sessions, and removes its socket. */
export async function stopMaster(control: string): Promise<void> {
  await endMaster(control);
  await rm(control, { force: true });
}

async function startMaster(
  master: Master,
  { seconds, interactive, idle = IDLE, signal }: Opening,
): Promise<Trouble | undefined> {
  const { host, resolved, control } = master;
  const log = `${control}.log`;
  await rm(log, { force: true });
  const batch = interactive ? 'no' : 'yes';
  // `auto` replaces a socket that a dead master left; `yes` would not, and leak a process.
  const words = [
    '-fN',
    ...['-S', controlWord(control)],
    ...['-E', log],
    ...pinned(resolved),
    ...throughHops(resolved, ['-E', log, '-o', `BatchMode=${batch}`]),
    ...[
      'ControlMaster=auto',
      `ControlPersist=${idle}`,
      `BatchMode=${batch}`,
      `ConnectTimeout=${Math.ceil(seconds)}`,
      'ServerAliveInterval=5',
      'ServerAliveCountMax=3',
      'LogLevel=INFO',
    ].flatMap(option => ['-o', option]),
    ...sshOptions(host),
    '--',
    host.hostname,
  ];
  // A person can only answer where there is a terminal; no visits wait for the lock then.
  const how = interactive
    ? { program: 'ssh', args: words, group: false }
    : { program: 'sh', args: ['-c', ALONE, 'sh', control, ...words], group: true };
  const ended = await run(how, log, seconds, signal);
  const said = await readFile(log, 'utf8').catch(() => '');
  await rm(log, { force: true });
  // It listens before it goes into the background.
  if (ended === 0 && existsSync(control)) return undefined;
  if (typeof ended === 'string') return { ...troubleOf(`${said}\n${ended}`), reason: ended };
  const trouble = troubleOf(said);
  return trouble.kind === 'host-key' ? { ...trouble, ...(await shownKey(master, seconds)) } : trouble;
}

/** Visits open a connection that they miss, under the same lock: a second master would find no socket for itself, and never end. */
const ALONE = 'exec 9>>"$1.lock" && flock 9 || exit; [ ! -S "$1" ] || exit 0; shift; ssh "$@" 9>&-';

/**
 * The exit code, or what ended it before. Only its exit is waited for: in the background it keeps what it inherited, so its
 * standard error, where a program on the way may speak, goes into the log as well.
 */
async function run(
  { program, args, group }: { program: string; args: readonly string[]; group: boolean },
  log: string,
  seconds: number,
  signal?: AbortSignal,
): Promise<number | null | string> {
  const file = await open(log, 'a', 0o600);
  try {
    // In a group of its own all of it can be ended at once.
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', file.fd], detached: group });
    const stop = () => {
      try {
        if (child.pid !== undefined) process.kill(group ? -child.pid : child.pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    };
    return await new Promise(resolve => {
      const end = (how: number | null | string) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve(how);
      };
      const giveUp = (why: string) => {
        stop();
        end(why);
      };
      const timer = setTimeout(
        () => giveUp(`no connection within ${Math.ceil(seconds)} s: timed out`),
        seconds * 1000,
      );
      const abort = () => giveUp('called off');
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted) abort();
      child.once('error', error => end(error.message));
      child.once('exit', end);
    });
  } finally {
    await file.close();
  }
}

/** `ssh` would silence the hosts on the way, and follow the user's configuration when their keys are not known. */
function throughHops(resolved: Resolved, more: readonly string[]): string[] {
  const command = jumpCommand(resolved, more);
  return command === undefined ? [] : ['-o', `ProxyCommand=${command}`];
}

/** Which key the host shows, for the message: asked for once more, since `ssh` says it only to those who listen closely. */
async function shownKey({ host, resolved }: Master, seconds: number): Promise<Pick<Trouble, 'key'>> {
  const words = ['-v', '-S', 'none', '-o', 'BatchMode=yes', '-o', 'PreferredAuthentications=none'];
  const way = throughHops(resolved, ['-v', '-o', 'BatchMode=yes']);
  const { stderr } = await ask(
    'ssh',
    [...words, ...pinned(resolved), ...way, ...sshOptions(host), '--', host.hostname, 'true'],
    { seconds: Math.min(seconds, 10) },
  );
  // Hosts on the way say theirs, too: what counts is the last one before `ssh` gave up.
  const said = stderr.split('Host key verification failed')[0] ?? '';
  const [, type, shown] = [...said.matchAll(/Server host key: (\S+) (SHA256:\S+)/g)].at(-1) ?? [];
  if (type === undefined || shown === undefined) return {};
  const [, name] = /key is known for (\S+) and|key for (\S+) has changed/.exec(said)?.filter(Boolean) ?? [];
  const verdict = /revoked/i.test(said) ? 'revoked' : /HAS CHANGED/.test(said) ? 'changed' : 'unknown';
  const of = name === undefined || name === lookupName(resolved) ? {} : { of: name };
  return { key: { verdict, type, fingerprint: shown, ...of } };
}
