import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lockText, readLock } from '../../src/plan/lock.ts';
import { planned } from '../made-image.ts';

const two = [{ name: 'fire' }, { name: 'ash', rows: [['x']] }];

describe('jobs.lock', () => {
  test('is one line a row, batches by name', () => {
    assert.match(
      planned(two).lock,
      /^# .*\nlogobatch-jobs 1\n\n\[bbatch_1\/ash\] next 2\n1 [0-9a-f]{16}\n\n\[bbatch_1\/fire\] next 4\n(\d [0-9a-f]{16}\n){3}$/,
    );
  });

  test('is read back as it was written', () => {
    const text = planned(two).lock;
    const read = readLock(text);
    assert.ok(read.ok);
    assert.equal([...lockText(read.lock)].join(''), text);
  });

  test('may have got the line ends of another system', () => {
    const { lock } = planned(two);
    assert.equal(planned(two, lock.replaceAll('\n', '\r\n')).lock, lock);
  });

  test('keeps the batches that are not compiled now', () => {
    const { lock } = planned(two);
    const [fire] = two;
    assert.ok(fire);
    assert.equal(planned([fire], lock).lock, lock);
  });

  test('notes rows that are gone, so that they can come back', () => {
    const { lock } = planned([{ name: 'b' }]);
    const shorter = planned([{ name: 'b', rows: [['1'], ['3']] }], lock).lock;
    assert.match(shorter, /next 4\n1 .*\n3 .*\ngone 2 /);
    assert.equal(planned([{ name: 'b' }], shorter).lock, lock);
  });

  const wrong: [string, string, number, RegExp][] = [
    [
      'a merge',
      'logobatch-jobs 1\n[b/b] next 3\n<<<<<<< HEAD\n1 0123456789abcdef\n',
      3,
      /a merge left its markers/,
    ],
    [
      'a number twice',
      `logobatch-jobs 1\n[b/b] next 3\n1 ${'a'.repeat(16)}\ngone 1 ${'b'.repeat(16)}\n`,
      4,
      /there twice/,
    ],
    ['a number too high', `logobatch-jobs 1\n[b/b] next 3\n3 ${'a'.repeat(16)}\n`, 3, /not below/],
    ['a batch twice', 'logobatch-jobs 1\n[b/b] next 3\n[b/b] next 4\n', 3, /batch b\/b is there twice/],
    ['some other file', 'a,b\n1,2\n', 1, /does not start with/],
    ['a cut line', 'logobatch-jobs 1\n[b/b] next 3\n1 0123\n', 3, /"1 0123" is no line/],
    ['a newer format', 'logobatch-jobs 2\n', 1, /format 2, this LogoBatch knows 1/],
  ];
  for (const [what, text, line, message] of wrong) {
    test(`${what} is a mistake with a place`, () => {
      const read = readLock(text);
      assert.ok(!read.ok);
      assert.match(read.diagnostic.message, message);
      assert.equal(read.diagnostic.place?.line, line);
      assert.equal(read.diagnostic.place?.file, 'batch_info/jobs.lock');
      assert.ok(read.diagnostic.hint);
    });
  }
});
