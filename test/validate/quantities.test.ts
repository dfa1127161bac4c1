import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatUnits, parseDecimal, parseSize, parseTime, unitsAt } from '../../src/validate/quantities.ts';

test('times are read in every form people and Slurm write', () => {
  const forms: Record<string, number> = {
    '90': 90,
    '10m': 600,
    '2h': 7200,
    '1h30m': 5400,
    '45s': 45,
    '2d': 172_800,
    '05:30': 330,
    '90:00': 5400,
    '12:00:00': 43_200,
    '1-12': 129_600,
    '1-12:30': 131_400,
    '1-12:00:00': 129_600,
  };
  for (const [text, seconds] of Object.entries(forms)) assert.equal(parseTime(text), seconds, text);
});

test('what is no time is refused', () => {
  for (const text of [
    '',
    '0',
    '-5',
    '1.5h',
    'soon',
    '1e3',
    '10 m',
    '1:2',
    '1:60',
    '1:60:00',
    '1-24:00',
    '9999999999',
    '1m2h',
  ]) {
    assert.equal(parseTime(text), undefined, text);
  }
});

test('sizes are powers of 1024 and need a unit', () => {
  assert.deepEqual(['1K', '512M', '4G', '4GB', '4GiB', '2T'].map(parseSize), [
    1024,
    512 * 1024 ** 2,
    4 * 1024 ** 3,
    4 * 1024 ** 3,
    4 * 1024 ** 3,
    2 * 1024 ** 4,
  ]);
  for (const text of ['4096', '1.5G', '0G', 'G', '-1G', '4 G', '999999999T'])
    assert.equal(parseSize(text), undefined, text);
});

test('decimals are exact and come back as a person types them', () => {
  const round = (text: string, scale = 6) => {
    const decimal = parseDecimal(text);
    return decimal && formatUnits(unitsAt(decimal, scale), scale);
  };
  assert.deepEqual(
    ['0.1', '-2.50', '1e3', '.5', '1e-3', '007', '-0'].map(t => round(t)),
    ['0.1', '-2.5', '1000', '0.5', '0.001', '7', '0'],
  );
  for (const text of ['', '.', 'x', '1e', '1e999', '0x10']) assert.equal(parseDecimal(text), undefined, text);
});

test('any decimal survives', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.integer({ min: 0, max: 5 }),
      (n, scale) => {
        const decimal = parseDecimal(formatUnits(BigInt(n), scale));
        assert.equal(decimal && unitsAt(decimal, scale), BigInt(n));
      },
    ),
  );
});
