/**
 * Where the control sockets of connections lie: those of a run in a folder of its own; those of nodes that stay warm between runs in one of the
 * image's, so that the next run finds the connections, too. Only the user may enter either; both are short, since paths of sockets are.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../grid/model.ts';
import type { Context } from './context.ts';
import { imageId } from './ledger.ts';

/** Seconds that the connection to a warm node stays open with nobody using it: a working day. */
export const KEPT = 8 * 3600;

export function controlFolder({ slots, start }: Context): string {
  return made(join(slots, `c.${start}`));
}

export function keptFolder({ slots }: Context): string {
  return made(join(slots, `w.${imageId().slice(0, 8)}`));
}

/** The socket of a warm node's first connection; another one if the grid file sends it elsewhere. */
export function keptSocket(context: Context, { name, host }: { name: string; host: Host }): string {
  const who = JSON.stringify([name, host.hostname, host.username, host.port]);
  return join(keptFolder(context), `${createHash('sha256').update(who).digest('hex').slice(0, 8)}.0`);
}

/** Notes beside a socket that its connection is to stay open, also when it was lost and opened anew; and whether it takes a person to open it. */
export function tellKept(socket: string, { byPerson }: { byPerson: boolean }): void {
  writeFileSync(`${socket}.kept`, byPerson ? 'person\n' : '');
}

export function readKept(socket: string): { readonly byPerson: boolean } | undefined {
  try {
    return { byPerson: readFileSync(`${socket}.kept`, 'utf8') !== '' };
  } catch {
    return undefined;
  }
}

function made(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
