/** At most so many at once; the others wait for their turn, in order. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/** Turns for at most `limit` at once. */
export function turnsOf(limit: number): Turn {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async work => {
    if (free > 0) free--;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
