/**
 * A numbered place for one lab, so that labs of several test processes go side by side: users, addresses and ports are
 * derived from its number. The lock is an abstract socket, which the kernel gives back however its holder ends; what a
 * holder that died has left is found in the slot's folder and cleared by whoever starts a lab next.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

const LABS = '/run/logobatch-lab';
/** Bounded by addresses: slot i has 127.0.<i+1>.*. */
const SLOTS = 50;

export interface Slot {
  readonly number: number;
  /** Empty at first, readable for all. */
  readonly folder: string;
  /** Forgets the folder and gives the slot back. */
  readonly release: () => void;
}

/** Takes the first free slot; `clear` is called for each folder that a dead lab has left, before the folder is removed. */
export async function takeSlot(clear: (folder: string) => void): Promise<Slot> {
  let taken: Slot | undefined;
  for (let number = 0; number < SLOTS; number++) {
    const folder = join(LABS, String(number));
    if (taken && !existsSync(folder)) continue;
    const lock = await tryLock(`\0logobatch-lab-${number}`);
    if (!lock) continue;
    const release = () => {
      rmSync(folder, { recursive: true, force: true });
      lock.close();
    };
    if (existsSync(folder)) {
      clear(folder);
      rmSync(folder, { recursive: true });
    }
    if (taken) release();
    else {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      taken = { number, folder, release };
    }
  }
  if (!taken) throw new Error(`${SLOTS} labs are running already`);
  return taken;
}

/** A lock on the name; undefined while another process has it. */
export function tryLock(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server.unref()));
  });
}
