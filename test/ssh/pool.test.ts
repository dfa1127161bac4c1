/** One pool: this machine and hosts by SSH together give what this machine gives alone. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

/** 400 jobs of all kinds: bundled and single, with files, paired, needing all of a batch, with a value that sh would mangle. */
const FILES = {
  'src/half.sh': '#!/bin/sh\necho $(($1 / 2))\n',
  'src/words': 'one\ntwo\n',
  'data/raw/sub/x y': 'raw\n',
  'batch_info/t.yml': `
batches:
  - name: many
    inputs: many.csv
    bundle: 10
    command: "src/half.sh {i0} > {out}/half; printf '%s' {i1} > {out}/word; mkdir {out}/sub; ln -s ../half {out}/sub/l; ls {in}/sub >&2"
  - name: pair
    inputs: many.csv
    needs: [{each: many}]
    bundle: 7
    command: "cat data/processed/t/many/$LB_JOB/half src/words > {out}/both"
  - name: file
    inputs: [[one, data/interim/1], [two, data/interim/2]]
    files: ["{i1}"]
    command: "cat {i1} > {out}/f"
  - name: all
    needs: [many]
    command: "cat data/processed/t/many/*/half | sort -n | tail -n 1 > {out}/most; cat data/processed/t/many/*/word | cksum > {out}/words"
`,
  'data/interim/1': 'first\n',
  'data/interim/2': 'second\n',
  'batch_info/many.csv': Array.from({ length: 200 }, (_, i) => `${i},"a ${i} ""b"" $(id) 'c' \\ *"\n`).join(
    '',
  ),
};

describe('this machine and four hosts', { skip: canLab() }, () => {
  let pool: Pool;
  before(async () => {
    pool = await startPool({ hosts: 4, files: FILES, grid: { slots: 2, local: 2 } });
  });
  after(() => pool.stop());

  test('give byte for byte what this machine gives alone, and each takes part', async () => {
    const alone = await pool.make(['GRID=local']);
    assert.equal(alone.code, 0, alone.out);
    const expected = pool.results();
    await pool.make(['distclean', 'RESULTS=1']);
    const clean = watchTraces(pool.lab);
    const { code, out } = await pool.make();
    assert.equal(code, 0, out);
    assert.deepEqual(pool.results(), expected);
    assert.deepEqual(Object.keys(pool.shares()).sort(), ['here', 'n1', 'n2', 'n3', 'n4']);
    clean();
    assert.match((await pool.make()).out, /^nothing to do\n$/);
  });

  test('share by late binding: the faster host does more', async () => {
    pool.image.write({
      'batch_info/u.yml': `
batches:
  - name: slow
    inputs: {matrix: {i: {from: 1, to: 40}}}
    resources: [n1, n2]
    command: "[ $LB_NODE = n1 ] || sleep 0.5"
`,
    });
    await pool.image.compile();
    await pool.make(['clean']);
    const { code, out } = await pool.make(['u']);
    assert.equal(code, 0, out);
    const { n1 = 0, n2 = 0, ...others } = pool.shares();
    assert.deepEqual(others, {});
    assert.ok(n1 > 2 * n2 && n2 > 0, `n1 ${n1}, n2 ${n2}`);
  });
});
