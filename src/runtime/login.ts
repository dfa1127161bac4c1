/**
 * Logging in where a person has to answer: a one-time code, a passphrase. Only `start` has the terminal, so it is asked, one host after
 * another, to open the connection that all sessions then share. It is asked by a line `login <socket> <host> <options>`.
 */
import { rmSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Host } from '../grid/model.ts';
import { sshOptions } from '../transport/transport.ts';

/** Seconds that a person has for it. */
const PATIENCE = 180;

/** Who asks a person. */
export interface Logins {
  /** True once the connection is there. */
  readonly ask: (host: Host, control: string, abort: AbortSignal) => Promise<boolean>;
  /** Somebody is being asked, or is about to be. */
  readonly pending: () => boolean;
}

/** For a run without a terminal: nobody can be asked. */
export const NOBODY: Logins = { ask: async () => false, pending: () => false };

/** `closed`: `start` does not listen any more. */
export function loginsBy(print: (line: string) => void, closed: () => boolean): Logins {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const ask = async (host: Host, control: string, abort: AbortSignal) => {
    const refused = `${control}.refused`;
    rmSync(refused, { force: true });
    print(['login', control, host.hostname, ...sshOptions(host)].join(' '));
    const end = Date.now() + PATIENCE * 1000;
    while (Date.now() < end && !abort.aborted && !isThere(refused)) {
      if (isThere(control)) return true;
      await wait(100);
    }
    rmSync(refused, { force: true });
    return isThere(control);
  };
  return {
    ask: async (...asked) => {
      if (closed()) return false;
      waiting++;
      const mine = last.then(() => ask(...asked)).finally(() => waiting--);
      last = mine.catch(() => {});
      return mine;
    },
    pending: () => waiting > 0,
  };
}

const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;
