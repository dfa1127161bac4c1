/** Sessions and slots: many over one host, fewer than the host's limit allows, and what a cut costs a bundle. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canLab } from '../lab/hosts.ts';
import { until } from '../lab/waiting.ts';
import { type Pool, startPool } from './rig.ts';

const table = (name: string, jobs: number, command: string, more = '') => `batches:
  - name: ${name}
    inputs: {matrix: {i: {from: 1, to: ${jobs}}}}
    command: ${JSON.stringify(command)}
${more}`;

/** Lines of the job log that say 0, a job each. */
const successes = (pool: Pool) =>
  pool.image
    .read('.logobatch/run/joblog')
    .split('\n')
    .map(line => line.split('\t'))
    .filter(fields => fields[6] === '0')
    .map(fields => `${fields[1]} ${fields[8]}`);

describe('slots and sessions', { skip: canLab() }, () => {
  let pool: Pool;
  before(async () => {
    pool = await startPool({
      hosts: [{}, { sshd: ['MaxSessions 2'] }],
      files: {
        'batch_info/wide.yml': table('a', 20, 'sleep 2.5; echo {i} > {out}/f', '    resources: [n1]\n'),
        'batch_info/narrow.yml': table('a', 12, 'sleep 0.3; echo {i} > {out}/f', '    resources: [n2]\n'),
        'batch_info/cut.yml': table('a', 20, 'sleep 0.2; echo {i} > {out}/f', '    bundle: 10\n'),
      },
      grid: { slots: 2, hosts: { n1: { slots: 20 }, n2: { slots: 5 } } },
    });
  });
  after(() => pool.stop());

  test('twenty slots of one host run side by side, over as many connections as its sshd asks for', async () => {
    const running = pool.start(['wide']);
    const sleeping = () =>
      pool.lab.processes(pool.host('n1')).filter(({ args }) => args === 'sleep 2.5').length;
    let most = 0;
    while (running.child.exitCode === null && most < 12) {
      most = Math.max(most, sleeping());
      await sleep(20);
    }
    const { code, out } = await running.ended;
    assert.equal(code, 0, out);
    assert.ok(most >= 12, `${most} at once`);
    assert.doesNotMatch(out, /lost/);
  });

  test('a host that takes two sessions a connection still gives all its slots, and no job is lost for it', async () => {
    const { code, out } = await pool.make(['narrow']);
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /failed|lost/);
  });

  test('a bundle cut short loses only what had not come back', async () => {
    await pool.make(['clean']);
    const running = pool.start(['cut']);
    const n2 = pool.host('n2');
    await until('three results of n2 are back', () => {
      try {
        return successes(pool).filter(line => line.startsWith('n2 ')).length >= 3;
      } catch {
        return false;
      }
    });
    n2.kill();
    await n2.start();
    const { code, out } = await running.ended;
    assert.equal(code, 0, out);
    assert.match(out, /lost {4}cut\/a on n2: .*; \d jobs? goe?s? ?elsewhere/);
    const jobs = successes(pool).map(line => line.split('/').at(-2));
    assert.equal(jobs.length, 20);
    assert.equal(new Set(jobs).size, 20);
  });

  test('the next make takes hosts as the grid file then has them', async () => {
    await pool.make(['clean']);
    pool.setGrid({ slots: 2, hosts: { n1: undefined } });
    const { code, out } = await pool.make(['-B', 'cut']);
    assert.equal(code, 0, out);
    assert.deepEqual(Object.keys(pool.shares()), ['n2']);
    pool.setGrid({ slots: 2 });
    await pool.make(['clean']);
    await pool.make(['-B', 'cut']);
    assert.deepEqual(Object.keys(pool.shares()).sort(), ['n1', 'n2']);
  });
});
