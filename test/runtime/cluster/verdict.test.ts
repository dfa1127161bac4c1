/** What is made of a task that is over and has left no result. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictOf } from '../../../src/runtime/cluster/verdict.ts';

const forgotten = { queued: undefined, started: false, recalled: false, log: [] };

test('nobody has cancelled a task that had begun, whatever kept it from going on', () => {
  assert.equal(verdictOf(forgotten, true).kind, 'killed');
  const log = ['n1, 2026-11-23 09:00:00', 'tar: orders: Cannot write: No space left on device'];
  assert.equal(verdictOf({ ...forgotten, log }, true).kind, 'lost');
});
