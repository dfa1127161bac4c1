/** One sshd: a configuration, a process that can be ended and started again, the connections it has. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKey } from './client.ts';
import { daemonOf, endDaemon } from './daemon.ts';
import { end, endProcessesOf, type Process, processesOf } from './processes.ts';
import { until } from './waiting.ts';

export const SSHD = '/usr/sbin/sshd';

/**
 * How much goes down: only the listener (connections live on), the connections with it (what was started through them may
 * live on), or all that runs on the host, as when a machine loses power.
 */
export type Extent = 'listener' | 'connections' | 'machine';

export interface Sshd {
  readonly hostKey: () => string;
  readonly newHostKey: () => void;
  readonly log: () => string;
  readonly isUp: () => boolean;
  /** Resolves when it accepts connections. */
  readonly start: () => Promise<void>;
  readonly kill: (extent: Extent) => void;
  /** Listener and connections, of root and of the user. */
  readonly processes: () => Process[];
}

export interface SshdOptions {
  /** Its own; holds the configuration, the host key, the log and the pid. */
  readonly folder: string;
  readonly uid: number;
  /** Lines of sshd_config, by weight: of two lines with one key the first counts. */
  readonly lines: readonly string[];
  /** Words before the command, such as those that enter a network of its own. */
  readonly prefix: readonly string[];
}

export function makeSshd({ folder, uid, lines, prefix }: SshdOptions): Sshd {
  const config = join(folder, 'sshd_config');
  const key = join(folder, 'host_key');
  const log = join(folder, 'log');
  mkdirSync('/run/sshd', { recursive: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(config, `${[...lines, `HostKey ${key}`, `PidFile ${join(folder, 'pid')}`].join('\n')}\n`);
  writeFileSync(log, '');

  const newHostKey = () => {
    for (const path of [key, `${key}.pub`]) rmSync(path, { force: true });
    makeKey(key);
  };
  newHostKey();

  const connections = () => {
    const all = processesOf().filter(({ isSshd }) => isSshd);
    const listener = daemonOf(folder);
    // Those of the user stay known when the listener is gone; the monitor of each, of root, is its parent.
    const own = processesOf(uid).filter(({ isSshd }) => isSshd);
    const monitors = all.filter(
      ({ pid, parent }) => pid !== listener && (parent === listener || own.some(mine => mine.parent === pid)),
    );
    const children = all.filter(({ parent }) => monitors.some(({ pid }) => pid === parent));
    const found = new Map([...own, ...monitors, ...children].map(process => [process.pid, process]));
    return [...found.values()];
  };

  const start = async () => {
    if (daemonOf(folder) !== undefined) throw new Error(`${folder}: sshd runs already`);
    rmSync(join(folder, 'pid'), { force: true });
    const seen = readFileSync(log, 'utf8').length;
    const out = openSync(log, 'a');
    const [program = SSHD, ...words] = [...prefix, SSHD, '-D', '-e', '-f', config];
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
    const child = spawn(program, words, { stdio: ['ignore', out, out], detached: true, env });
    closeSync(out);
    child.unref();
    const news = () => readFileSync(log, 'utf8').slice(seen);
    await until(`${folder}/log says that sshd listens`, () => {
      if (child.exitCode !== null) throw new Error(`sshd does not start: ${news()}`);
      return news().includes('Server listening') && existsSync(join(folder, 'pid'));
    });
  };

  const kill = (extent: Extent) => {
    // Looked up first: a connection is known as one by its listener.
    const open = extent === 'listener' ? [] : connections();
    endDaemon(folder, false);
    end(open.map(({ pid }) => pid));
    if (extent === 'machine') endProcessesOf(uid);
  };

  return {
    hostKey: () => readFileSync(`${key}.pub`, 'utf8').trim(),
    newHostKey,
    log: () => readFileSync(log, 'utf8'),
    isUp: () => daemonOf(folder) !== undefined,
    start,
    kill,
    processes: () => {
      const listener = daemonOf(folder);
      return [...processesOf().filter(({ pid }) => pid === listener), ...connections()];
    },
  };
}
