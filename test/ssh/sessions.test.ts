/** Sessions and slots: many over one host, fewer than the host's limit allows, and what a cut costs a bundle. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

describe('a session', { skip: canLab() }, () => {
  let pool: Pool;
  const slots = () => pool.image.environment.LOGOBATCH_SLOTS ?? '';
  /** Who waits for the next visit to a slot, and to what it answers. */
  const idle = (slot: string) =>
    readFileSync(join(slots(), `${slot}.session`), 'utf8')
      .trim()
      .split(' ');
  before(async () => {
    pool = await startPool({
      // Each session of an agent leaves a line.
      hosts: [{ forceCommand: `case $SSH_ORIGINAL_COMMAND in *"/agent'"*) echo >>agents ;; esac` }],
      files: {
        'batch_info/many.yml': table('a', 30, 'echo {i} > {out}/f'),
        'batch_info/gap.yml': `batches:
  - name: a
    inputs: {matrix: {s: [0.1, 4]}}
    command: sleep {s}; echo {s} > {out}/f
  - name: b
    needs: a
    inputs: {matrix: {i: {from: 1, to: 4}}}
    command: sleep 0.3; echo {i} > {out}/f
`,
      },
      grid: { slots: 2 },
    });
  });
  after(() => pool.stop());

  test('serves the visits to its slot one after another', async () => {
    const { code, out } = await pool.make(['many']);
    assert.equal(code, 0, out);
    const lines = readFileSync(join(pool.host('n1').user.home, 'agents'), 'utf8');
    assert.equal(lines, '\n\n');
  });

  test('that was killed while nobody used it is replaced, and no job is lost', async () => {
    const running = pool.start(['gap']);
    const waiting = () =>
      ['n1.1', 'n1.2'].flatMap(slot => {
        try {
          const [run = '', pid = ''] = idle(slot);
          return run !== '' && existsSync(`/proc/${pid}`) ? [Number(pid)] : [];
        } catch {
          return [];
        }
      });
    await until('one slot waits', () => waiting().length === 1);
    for (const pid of waiting()) process.kill(pid, 'SIGKILL');
    const { code, out } = await running.ended;
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /lost/);
  });

  test("of another image's run makes way; who only has its number does not", async () => {
    const word = 'other.1.1.0';
    const sleeper = (env: NodeJS.ProcessEnv) => spawn('sleep', ['60'], { env: { ...process.env, ...env } });
    const [theirs, stranger] = [sleeper({ LOGOBATCH_JOB: word }), sleeper({})];
    try {
      for (const [i, { pid }] of [theirs, stranger].entries())
        writeFileSync(join(slots(), `n1.${i + 1}.session`), `other ${pid} ${word} /tmp/lb.x\n`);
      const { code, out } = await pool.make(['-B', 'many']);
      assert.equal(code, 0, out);
      await until('it has ended', () => theirs.signalCode === 'SIGTERM');
      assert.equal(stranger.exitCode ?? stranger.signalCode, null);
    } finally {
      for (const child of [theirs, stranger]) child.kill('SIGKILL');
    }
  });
});
