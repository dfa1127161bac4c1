/** A daemon of a lab: a process in the foreground with a folder of its own, which can be ended in two ways and started again. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonOf, endDaemon } from './daemon.ts';
import { signal } from './processes.ts';
import { until } from './waiting.ts';

export interface Service {
  /** Its own, and where it runs; holds its pid and what it says. */
  readonly folder: string;
  readonly isUp: () => boolean;
  readonly pid: () => number | undefined;
  readonly log: () => string;
  /** Resolves when it is ready. */
  readonly start: () => Promise<void>;
  /** As an administrator would: it writes down what it knows, and ends. */
  readonly stop: () => Promise<void>;
  /** At once. What it has forked lives on unless `children`. */
  readonly kill: (children?: boolean) => void;
}

export interface ServiceOptions {
  readonly folder: string;
  /** One word must name a file in the folder: by that the process is known again. It must not fork into the background. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly isReady: (news: string) => boolean;
}

/** Seconds, for a machine with much else to do. */
const PATIENCE = 60;

export function makeService({ folder, command, env = {}, isReady }: ServiceOptions): Service {
  const log = join(folder, 'log');
  mkdirSync(folder, { recursive: true });
  writeFileSync(log, '');
  const isUp = () => daemonOf(folder) !== undefined;
  const start = async () => {
    if (isUp()) throw new Error(`${folder}: it runs already`);
    const seen = readFileSync(log, 'utf8').length;
    const out = openSync(log, 'a');
    const [program = '', ...words] = command;
    const child = spawn(program, words, {
      cwd: folder,
      stdio: ['ignore', out, out],
      detached: true,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...env },
    });
    closeSync(out);
    child.on('error', () => {});
    child.unref();
    writeFileSync(join(folder, 'pid'), `${child.pid ?? 0}`);
    const news = () => readFileSync(log, 'utf8').slice(seen);
    await until(
      `${folder}: it is ready`,
      () => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
          throw new Error(`${command.join(' ')} does not start: ${news()}`);
        return isReady(news());
      },
      PATIENCE,
    );
  };
  return {
    folder,
    isUp,
    pid: () => daemonOf(folder),
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    start,
    stop: async () => {
      const pid = daemonOf(folder);
      if (pid === undefined) return;
      signal(pid, 'SIGTERM');
      await until(`${folder}: it has ended`, () => !isUp(), PATIENCE);
    },
    kill: (children = false) => endDaemon(folder, children),
  };
}
