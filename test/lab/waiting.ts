import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, without giving way to anything else: also when the process is about to exit. Milliseconds. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Waits until `holds` says so; fails with `what` was awaited when that takes longer than `seconds`. */
export async function until(what: string, holds: () => boolean, seconds = 10): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await sleep(20);
  }
}
