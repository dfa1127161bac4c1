/** A host that wants a person to answer: asked once, at the terminal of make, and all sessions share that connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { SECRET } from '../lab/login.ts';
import { onTerminal } from '../terminal.ts';
import { startPool, watchTraces } from './rig.ts';

const FILES = {
  'batch_info/t.yml':
    'batches:\n  - name: a\n    inputs: {matrix: {i: {from: 1, to: 12}}}\n    command: "sleep 0.2; echo {i} > {out}/f"\n',
};

test('a host that asks for a password asks once for the whole run, and only where there is a terminal', {
  skip: canLab(),
}, async () => {
  const pool = await startPool({ hosts: [{}, { login: 'password' }], files: FILES, grid: { slots: 3 } });
  try {
    const left = watchTraces(pool.lab);
    const silent = await pool.make();
    assert.equal(silent.code, 0, silent.out);
    assert.match(silent.out, /^left out {2}n2: /m);
    assert.deepEqual(Object.keys(pool.shares()), ['n1']);
    await pool.make(['distclean', 'RESULTS=1']);
    const env = { ...pool.image.environment, PATH: `${pool.lab.bin}:${process.env.PATH}`, TERM: 'dumb' };
    const { status, screen } = await onTerminal('make', { cwd: pool.image.root, env }, [
      [/n2 asks who you are:[\s\S]*assword:/, `${SECRET}\n`],
    ]);
    assert.equal(status, 0, screen);
    assert.match(screen, /12 done/);
    assert.deepEqual(Object.keys(pool.shares()).sort(), ['n1', 'n2']);
    left();
  } finally {
    pool.stop();
  }
});

test('make up asks once for all runs until make down', { skip: canLab() }, async () => {
  const pool = await startPool({ hosts: [{ login: 'password' }], files: FILES, grid: { slots: 3 } });
  try {
    const left = watchTraces(pool.lab);
    const env = { ...pool.image.environment, PATH: `${pool.lab.bin}:${process.env.PATH}`, TERM: 'dumb' };
    const { status, screen } = await onTerminal('make up', { cwd: pool.image.root, env }, [
      [/assword:/, `${SECRET}\n`],
    ]);
    assert.equal(status, 0, screen);
    assert.match(screen, /^up {6}n1: 3 slots/m);
    for (const goal of [[], ['-B']]) {
      const { code, out } = await pool.make(goal);
      assert.equal(code, 0, out);
      assert.match(out, /^12 done/m);
    }
    assert.equal((await pool.make(['down'])).out, 'down    1 work folder\n');
    left();
  } finally {
    pool.stop();
  }
});
