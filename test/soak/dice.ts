/** Chance that can be had again: the same numbers for the same seed. */
export interface Dice {
  /** At least 0, below 1. */
  readonly next: () => number;
  readonly pick: <T>(list: readonly T[]) => T | undefined;
}

/** mulberry32, a generator of Tommy Ettinger's that is in the public domain. */
export function dice(seed: number): Dice {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, pick: list => list[Math.floor(next() * list.length)] };
}

/** Given by `LOGOBATCH_SEED`, to have the dice of an earlier run. */
export const seedOfToday = () => Number(process.env.LOGOBATCH_SEED ?? Date.now() % 1e9);
