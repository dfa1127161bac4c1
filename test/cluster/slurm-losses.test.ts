/** Jobs on a real Slurm that loses machines, tasks, answers and its controller, or us: nothing is lost by that, and nothing begun twice. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentOf } from '../lab/cluster.ts';
import { canSlurm } from '../lab/slurm.ts';
import { called, kill, killAll, until } from '../run/witness.ts';
import { leftOn, NOTE, PATIENCE, rows, SHORT, useSlurm } from './slurm-rig.ts';

/** Seconds without a controller; `LOGOBATCH_SOAK=1 node test/suite.mjs cluster/slurm-losses` has a full minute of it. */
const WITHOUT = process.env.LOGOBATCH_SOAK ? 60 : 15;

describe('Slurm, where something is lost,', { skip: canSlurm() }, () => {
  const rig = useSlurm({ conf: ['MinJobAge=5', SHORT] });
  const { imageFor, ran, running } = rig;

  test('gives jobs that were lost with their node to another, free of charge', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 4; echo $LB_ATTEMPT > {out}/x'}]\n`,
      { 'batch_info/rows.csv': rows(6) },
    );
    const going = image.start();
    await running(6);
    await until('all have begun', () => ran().length === 6, PATIENCE);
    const node = rig.slurm.node('n1');
    node.kill('machine');
    node.down();
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.match(out, /lost {4}b\/b on campus: NODE_FAIL/);
    assert.equal(ran().length, 8);
    for (let i = 1; i <= 6; i++) assert.equal(image.result(`b/Job${i}/x`), '1\n');
    await node.start();
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('takes a signal to a whole task for no failure of its job, and clears up after a task that was killed at one blow', async () => {
    const fast = join(rig.slurm.folder, 'own-disk');
    mkdirSync(fast);
    chmodSync(fast, 0o1777);
    // The second has to be begun again; the first goes on until that has ended, and needs its folder.
    const image = await imageFor(
      `batches:
  - {name: b, inputs: [1, 2], command: 'echo mine > $LB_SCRATCH/it; mkdir -p $LB_SCRATCH/closed/x; chmod 500 $LB_SCRATCH/closed; echo $LB_SCRATCH >> ~/ran-{i0}; if [ {i0} = 1 ]; then until [ -e ~/free ]; do sleep 0.1; done; else [ $(wc -l < ~/ran-2) = 2 ] || sleep 600; [ ! -e $(head -n 1 ~/ran-2) ]; fi; cat $LB_SCRATCH/it > {out}/x'}
  - {name: early, command: 'echo $LB_SCRATCH >> ~/ran-early; [ $(wc -l < ~/ran-early) = 2 ] || sleep 600'}
`,
      {},
      { resource: { fast_storage: [fast] } },
    );
    const ranIn = (job: number | string) => {
      const path = join(rig.slurm.home, `ran-${job}`);
      return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    };
    const going = image.start();
    await until('all run', () => [1, 2, 'early'].every(job => ranIn(job).length === 1), PATIENCE);
    const folderOf = (job: number | string) =>
      readdirSync(fast).find(name => ranIn(job)[0]?.startsWith(join(fast, name, '/'))) ?? assert.fail();
    const taskOf = (folder: string) => Number(folder.split('.').at(-1));
    const isIn = (folder: string, pid: number) =>
      environmentOf(pid).some(entry => entry.startsWith(`LOGOBATCH_JOB=${folder}.`));

    // Where a scheduler ends one process after another the job may be the first.
    const early = folderOf('early');
    for (const { pid } of rig.slurm.processes()) if (isIn(early, pid)) kill(pid, 'SIGTERM');
    await sleep(300);
    kill(taskOf(early), 'SIGTERM');

    // Nothing of it may see another of its processes end: all are stopped before any is killed.
    const folder = folderOf(2);
    const meant = rig.slurm
      .processes()
      .filter(({ pid, args }) => pid === taskOf(folder) || args.includes(folder) || isIn(folder, pid));
    assert.ok(meant.length >= 4, meant.map(({ args }) => args).join('\n'));
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const { pid } of meant) kill(pid, signal);
    await until(
      'both have ended',
      () => image.done().length === 2 || /^failed/m.test(going.output()),
      PATIENCE,
    );
    writeFileSync(join(rig.slurm.home, 'free'), '');
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.match(out, /^lost {4}b\/early on campus: COMPLETED/m);
    assert.match(out, /^lost {4}b\/b on campus: FAILED/m);
    assert.deepEqual(
      ['early', 1, 2].map(job => ranIn(job).length),
      [2, 1, 2],
    );
    for (const job of ['Job1', 'Job2']) assert.equal(image.result(`b/${job}/x`), 'mine\n');
    assert.deepEqual(readdirSync(fast), []);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('goes on without the head: nothing is submitted twice, lost or run again', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 3; echo {n} > {out}/x'}]\n`,
      { 'batch_info/rows.csv': rows(36) },
    );
    image.start();
    await running(6);
    await until('some have come back', () => image.done().length > 0, PATIENCE);
    killAll(image);
    const before = image.done().length;
    assert.ok(before < 36);
    await sleep(3000);
    assert.match((await image.make(['status'])).out, /in the queue of campus/);
    const { code, out } = await image.make();
    assert.equal(code, 0, out);
    assert.match(out, /campus: 0 submissions/);
    assert.equal(image.done().length, 36);
    assert.deepEqual(ran().length, new Set(ran()).size, 'none has begun twice');
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('is served on by another process of the runtime when that was killed, and keeps jobs of visits that were', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, bundle: 3, command: '${NOTE}; sleep 2; echo {n} > {out}/x'}]\n`,
      { 'batch_info/rows.csv': rows(18) },
    );
    const going = image.start();
    await until('each visit has one', () => image.done().length >= 6, PATIENCE);
    for (const pid of called(image, 'runtime.mjs')) kill(pid, 'SIGKILL');
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /^lost/m);
    assert.equal(image.done().length, 18);
    assert.equal(new Set(ran()).size, ran().length, out);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('may be without its controller, and its login node, for a while', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 3; echo {n} > {out}/x'}]\n`,
      { 'batch_info/rows.csv': rows(18) },
    );
    const going = image.start();
    await running(6);
    await rig.slurm.controller.stop();
    await sleep(WITHOUT * 1000);
    await rig.slurm.controller.start();
    await until('some have come back', () => image.done().length > 6, PATIENCE);
    rig.slurm.login.kill();
    await sleep(3000);
    await rig.slurm.login.start();
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.equal(image.done().length, 18);
    assert.equal(ran().length, 18);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('is asked by its name for a submission whose answer was lost', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 2; echo {n} > {out}/x'}]\n`,
      { 'batch_info/rows.csv': rows(4) },
      { resource: { hostname: undefined } },
    );
    // It submits, and is never heard of again.
    const wrapper = join(image.bin, 'sbatch');
    writeFileSync(wrapper, '#!/bin/sh\n/usr/bin/sbatch "$@" >/dev/null && exec sleep 100\n');
    chmodSync(wrapper, 0o755);
    const earlier = new Set(rig.slurm.history().map(({ job }) => job));
    const submitted = () =>
      [...new Set(rig.slurm.history().map(({ job }) => job))].filter(job => !earlier.has(job));
    const going = image.start();
    await until('it was submitted', () => submitted().length > 0, PATIENCE);
    killAll(image);
    rmSync(wrapper);
    await going.ended;
    const { code, out } = await image.make();
    assert.equal(code, 0, out);
    assert.match(out, /campus: 0 submissions/);
    assert.equal(submitted().length, 1);
    assert.equal(image.done().length, 4);
  });
});
