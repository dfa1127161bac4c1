import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { makeKeys, putKey } from '../../src/plan/keys.ts';
import type { Numbering } from '../../src/plan/renumber.ts';
import { NO_ROWS, renumber } from '../../src/plan/renumber.ts';

const START: Numbering = { next: 1, active: NO_ROWS, gone: NO_ROWS };

function keysOf(rows: readonly string[]) {
  const keys = makeKeys(rows.length);
  for (const [i, row] of rows.entries()) putKey(keys, i, row);
  return keys;
}

/** The numbers after each of several tables, one after another. */
function history(...tables: readonly string[][]): number[][] {
  let numbering = START;
  return tables.map(rows => {
    numbering = renumber(numbering, keysOf(rows));
    return [...numbering.active.numbers];
  });
}

const last = (...tables: readonly string[][]) => history(...tables).at(-1);

describe('renumber', () => {
  test('numbers a new table from 1', () => {
    assert.deepEqual(last(['a', 'b', 'c']), [1, 2, 3]);
  });

  test('a row keeps its number wherever it moved', () => {
    assert.deepEqual(last(['a', 'b', 'c', 'd'], ['d', 'b', 'a', 'c']), [4, 2, 1, 3]);
  });

  test('a row put in between gets a new number', () => {
    assert.deepEqual(last(['a', 'b', 'c'], ['a', 'new', 'b', 'c']), [1, 4, 2, 3]);
  });

  test('an edited row keeps its number', () => {
    assert.deepEqual(last(['a', 'b', 'c'], ['a', 'edited', 'c']), [1, 2, 3]);
    assert.deepEqual(last(['a', 'b', 'c'], ['edited', 'b', 'c']), [1, 2, 3]);
    assert.deepEqual(last(['a', 'b', 'c'], ['a', 'b', 'edited']), [1, 2, 3]);
  });

  test('rows edited all over, as when a column is added, keep their numbers', () => {
    assert.deepEqual(last(['a', 'b', 'c'], ['a,x', 'b,x', 'c,x']), [1, 2, 3]);
  });

  test('an edited row that follows a moved one keeps its number', () => {
    assert.deepEqual(last(['a', 'b', 'c', 'd'], ['c', 'd', 'a', 'edited']), [3, 4, 1, 2]);
  });

  test('a number is never used twice: a deleted row takes its number with it', () => {
    assert.deepEqual(last(['a', 'b', 'c'], ['a', 'c'], ['a', 'c', 'new']), [1, 3, 4]);
  });

  test('a row that comes back gets its number back', () => {
    assert.deepEqual(last(['a', 'b', 'c'], ['a', 'c'], ['b', 'c', 'a']), [2, 3, 1]);
  });

  test('equal rows are told apart by order', () => {
    assert.deepEqual(last(['a', 'a', 'b'], ['b', 'a', 'a']), [3, 1, 2]);
    assert.deepEqual(last(['a', 'a'], ['a', 'a', 'a']), [1, 2, 3]);
  });

  test('an empty table forgets nothing', () => {
    assert.deepEqual(last(['a', 'b'], [], ['b', 'a']), [2, 1]);
  });

  const table = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { maxLength: 9 });

  test('whatever the edits: numbers are unique, equal rows keep theirs, and next only grows', () => {
    fc.assert(
      fc.property(fc.array(table, { minLength: 2, maxLength: 6 }), tables => {
        let numbering = START;
        let before: readonly string[] = [];
        const everUsed = new Set<number>();
        for (const rows of tables) {
          const old = numbering;
          numbering = renumber(old, keysOf(rows));
          const numbers = [...numbering.active.numbers];
          const all = [...numbers, ...numbering.gone.numbers];
          assert.equal(new Set(all).size, all.length, 'a number twice');
          assert.ok(numbering.next >= old.next);
          for (const number of numbers) assert.ok(number >= 1 && number < numbering.next);
          for (const number of everUsed) assert.ok(number < numbering.next);
          for (const number of numbers) everUsed.add(number);
          for (const value of new Set(rows)) {
            const had = before.flatMap((row, i) => (row === value ? [old.active.numbers[i]] : []));
            const has = rows.flatMap((row, i) => (row === value ? [numbers[i]] : []));
            const kept = has.filter(number => had.includes(number)).length;
            assert.ok(kept >= Math.min(had.length, has.length), `"${value}" lost its number`);
          }
          before = rows;
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('the same table again gives the same numbers', () => {
    fc.assert(
      fc.property(table, table, (first, second) => {
        const [, , again, twice] = [...history(first, second, second), ...history(first, second).slice(-1)];
        assert.deepEqual(again, twice);
      }),
    );
  });

  test('keys of a million alike rows do not collide', () => {
    const keys = makeKeys(1);
    const seen = new Set<bigint>();
    for (let i = 0; i < 300_000; i++) {
      putKey(keys, 0, `${i % 100}\0${Math.floor(i / 100) / 10}\0seed`);
      seen.add((BigInt(keys.hi[0] ?? 0) << 32n) | BigInt(keys.lo[0] ?? 0));
    }
    assert.equal(seen.size, 300_000);
  });
});
