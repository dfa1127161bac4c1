import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from './slot.ts';

/**
 * Waits until no other process of this machine has this turn, and takes it: for what there is to be only one of. The turn
 * ends with `release`, or with the process that has it.
 */
export async function takeTurn(name: string, seconds = 1200): Promise<{ readonly release: () => void }> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const lock = await tryLock(`\0logobatch-turn-${name}`);
    if (lock) return { release: () => void lock.close() };
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain for the turn of ${name}`);
    await sleep(250);
  }
}
