/** One command through a master: a process of `ssh` whose own words go to a file, apart from the command's. */
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { Tail } from './execution.ts';
import type { Master } from './master.ts';
import { controlWord, pinned } from './options.ts';
import type { Resolved } from './resolve.ts';
import { type Session, sshOptions } from './transport.ts';

export interface Started {
  readonly session: Session;
  /** `open`; `refused`: the host takes no more sessions; else what `ssh` said as it failed. Nothing was run then. */
  readonly established: Promise<string>;
}

/** Numbers the logs of sessions, so that no two share one. */
let sessions = 0;

/** Starts one; `isMasterUp` decides about an exit code that may come from `ssh` or from the command. */
export function startSession(master: Master, command: string, isMasterUp: () => Promise<boolean>): Started {
  const { host, resolved, control } = master;
  const log = `${control}.${process.pid}-${++sessions}`;
  const words = [
    ...pinned(resolved),
    // A lost master must not turn into a connection of its own, silently: ProxyCommand=false ends that with 255.
    ...['BatchMode=yes', 'ControlMaster=no', 'ProxyCommand=false', 'LogLevel=DEBUG2'].flatMap(option => [
      '-o',
      option,
    ]),
    '-S',
    controlWord(control),
    '-E',
    log,
    ...sshOptions(host),
    '--',
    host.hostname,
    command,
  ];
  const child = spawn('ssh', words, { env: unsent(resolved, process.env), stdio: 'pipe', detached: true });
  const errors = new Tail();
  let failed = '';
  let ended = false;
  child.stdin.on('error', () => {});
  // Read from the start: what nobody reads is thrown away when the process ends.
  const stdout = child.stdout.on('error', () => {}).pipe(new PassThrough());
  const read = new Promise<void>(resolve => stdout.once('close', resolve));
  child.stderr.on('error', () => {});
  child.stderr.on('data', (chunk: Buffer) => errors.add(chunk));
  const exited = new Promise<number | null>(resolve => {
    child.once('error', error => {
      failed = error.message;
      stdout.destroy();
      ended = true;
      resolve(null);
    });
    child.once('exit', code => {
      ended = true;
      resolve(code);
    });
  });
  const ownWords = exited.then(() => readFile(log, 'utf8').catch(() => ''));
  void ownWords.then(() => rm(log, { force: true }));
  const established = opened(log, () => ended, ownWords).then(async isOpen =>
    isOpen ? 'open' : refusal(failed === '' ? await ownWords : failed),
  );
  const flushed = new Promise<void>(resolve => child.stderr.once('close', resolve));
  const closed = Promise.all([exited, ownWords, read, flushed]).then(async ([code, said]) => {
    const stderr = errors.text();
    const real = code === 255 ? await realCode(said, isMasterUp) : code;
    if (real !== null) return { code: real, stderr };
    const why = failed || lastWords(said) || 'the session was ended';
    return { code: null, stderr: `${stderr}${stderr === '' || stderr.endsWith('\n') ? '' : '\n'}${why}` };
  });
  const end = () => {
    child.kill('SIGTERM');
    stdout.destroy();
  };
  return { session: { stdin: child.stdin, stdout, closed, end }, established };
}

const OPEN = /master session id/;

/** Waits until the master has opened the session, or the process ended; true: it is open, or was. */
async function opened(log: string, hasEnded: () => boolean, ownWords: Promise<string>): Promise<boolean> {
  for (;;) {
    if (hasEnded()) return OPEN.test(await ownWords);
    if (OPEN.test(await readFile(log, 'utf8').catch(() => ''))) return true;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

function refusal(said: string): string {
  return /Session open refused|session request failed/.test(said) ? 'refused' : lastWords(said);
}

/**
 * `ssh` says 255 for what it could not do, and for a command that said 255 itself. The master passes a command's code
 * on; it passes none where a signal ended the command, or the connection is gone.
 */
async function realCode(said: string, isMasterUp: () => Promise<boolean>): Promise<number | null> {
  if (/Received exit status from master 255\b/.test(said)) return 255;
  if (/terminated unexpectedly/.test(said)) return null;
  return OPEN.test(said) && (await isMasterUp()) ? 255 : null;
}

function lastWords(said: string): string {
  const lines = said.split('\n').filter(line => line !== '' && !/^debug\d:/.test(line));
  return lines.at(-1)?.trim() ?? '';
}

/** The environment without what SendEnv would hand to the host: a job's surroundings are the image's business. */
export function unsent(resolved: Resolved, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const patterns = (resolved.settings.get('sendenv') ?? []).flatMap(line => line.split(' ')).map(asPattern);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => name === 'PATH' || name === 'HOME' || !patterns.some(pattern => pattern.test(name)),
    ),
  );
}

function asPattern(text: string): RegExp {
  const escaped = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`);
}
