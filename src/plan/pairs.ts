/**
 * `needs: {each: B}`: which job of B a job waits for. Rows pair with equal rows, the k-th with the k-th, and what is
 * left over by order. Pairs are made between rows: a row that runs with several processor counts shares its partner.
 */
import type { Keys } from './keys.ts';
import { keyQueue } from './keys.ts';

/** As much of a planned batch as pairing looks at. */
export interface Pairable {
  readonly rowKeys: Keys;
  /** The processor counts that every row is run with, one after another; one entry where there is no threadtest. */
  readonly cpus: readonly number[];
  readonly count: number;
}

/** For each row of `from` the row of `to` it waits for, or -1 where there is none left. */
export function pairRows(from: Pairable, to: Pairable): Int32Array {
  const rows = from.rowKeys.hi.length;
  const others = to.rowKeys.hi.length;
  const partner = new Int32Array(rows).fill(-1);
  const taken = new Uint8Array(others);
  const take = keyQueue(to.rowKeys, 0, others);
  for (let row = 0; row < rows; row++) {
    const other = take(from.rowKeys, row);
    partner[row] = other;
    if (other >= 0) taken[other] = 1;
  }
  let free = 0;
  for (let row = 0; row < rows; row++) {
    if ((partner[row] ?? -1) >= 0) continue;
    while (free < others && taken[free]) free++;
    if (free === others) break;
    partner[row] = free++;
  }
  return partner;
}

/** The jobs of `to` that job `index` of `from` waits for: the one with as many processors, or all of that row. */
export function partnersOf(from: Pairable, to: Pairable, rows: Int32Array, index: number): number[] {
  const row = rows[Math.floor(index / from.cpus.length)] ?? -1;
  if (row < 0) return [];
  const first = row * to.cpus.length;
  const same = to.cpus.indexOf(from.cpus[index % from.cpus.length] ?? 0);
  if (to.cpus.length === 1 || same >= 0) return [first + Math.max(0, same)];
  return to.cpus.map((_, i) => first + i);
}
