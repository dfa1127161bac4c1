/** Jobs of several processors, over hosts of different sizes. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { type Pool, startPool } from './rig.ts';

const FILES = {
  'src/x': '',
  'batch_info/b.yml': `batches:
  - {name: wide, inputs: {matrix: {i: {from: 1, to: 20}}}, cpus: 2, command: 'sleep 0.7; echo {i} > {out}/x'}
`,
};

describe('jobs of several processors', { skip: canLab() }, () => {
  let pool: Pool;
  before(async () => {
    pool = await startPool({ hosts: 2, files: FILES });
  });
  after(() => pool?.stop());

  test('do not wait for a small host while a large one has room', async () => {
    pool.setGrid({ slots: 2, hosts: { n2: { slots: 8 } } });
    const { code, out } = await pool.make(['b/wide']);
    assert.equal(code, 0, out);
    const { n1 = 0, n2 = 0 } = pool.shares();
    assert.equal(n1 + n2, 20);
    assert.ok(n1 >= 2 && n1 <= 6, `n1 did ${n1}, n2 did ${n2}`);
  });
});
