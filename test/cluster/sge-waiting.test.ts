/** What waits in the queue of a real Grid Engine: for a head that died, a qmaster that is away, room, or for ever. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canSge } from '../lab/sge.ts';
import { kill, killAll, until } from '../run/witness.ts';
import { configure, PATIENCE, useSge } from './sge-rig.ts';

describe('what waits for Grid Engine', { skip: canSge() }, () => {
  const rig = useSge();
  const { imageFor, states, ran, starts, workFolders, nothingLeft } = rig;

  test('collects what a head that was killed has left, and starts each job once', async () => {
    const image = await imageFor(`batches:
  - {name: part, cpus: 3, inputs: {matrix: {i: {from: 1, to: 8}}}, command: 'echo {i} >> ~/ran; sleep 4; echo {i} > {out}/x'}
`);
    const first = image.start();
    await starts(4);
    killAll(image);
    await first.ended;
    assert.ok(states().includes('qw'));
    const { code, out } = await image.make();
    assert.equal(code, 0, out);
    assert.equal(image.done().length, 8);
    assert.deepEqual(ran(), ['1', '2', '3', '4', '5', '6', '7', '8']);
    nothingLeft(image);
  });

  test('waits for a qmaster that is away', async () => {
    const image = await imageFor(`batches:
  - {name: part, bundle: 2, inputs: {matrix: {i: {from: 1, to: 12}}}, cpus: 4, command: 'echo {i} >> ~/ran; sleep 2; echo {i} > {out}/x'}
`);
    const going = image.start();
    await starts(2);
    await rig.sge.qmaster.stop();
    await sleep(20_000);
    await rig.sge.qmaster.start();
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /^lost/m);
    assert.equal(ran().length, 12);
    nothingLeft(image);
  });

  test('heeds how many jobs and how large arrays a site allows, and says so once', async () => {
    const reset = configure(rig.sge, { max_u_jobs: '3', max_aj_tasks: '6' });
    try {
      const image = await imageFor(`batches:
  - {name: many, inputs: {matrix: {i: {from: 1, to: 40}}}, command: 'echo {i} >> ~/ran; sleep 1'}
`);
      const going = image.start();
      const seen = { arrays: 0, tasks: 0 };
      const watch = setInterval(() => {
        const ids = rig.sge.queue().map(({ job }) => job);
        seen.arrays = Math.max(seen.arrays, new Set(ids).size);
        for (const id of ids) seen.tasks = Math.max(seen.tasks, ids.filter(each => each === id).length);
      }, 500);
      const { code, out } = await going.ended.finally(() => clearInterval(watch));
      assert.equal(code, 0, out);
      assert.equal(ran().length, 40);
      assert.ok(seen.arrays <= 3 && seen.tasks <= 6, JSON.stringify(seen));
      assert.deepEqual(
        out.split('\n').filter(line => /campus: (?!\d)/.test(line)),
        ['note    campus: the site allows 3 arrays of 6 tasks at once: the others wait'],
        out,
      );
      nothingLeft(image);
    } finally {
      reset();
    }
  });

  test('says after a while why tasks wait', async () => {
    const image = await imageFor(`batches:
  - {name: greedy, mem: 900G, inputs: [1, 2, 3], command: 'echo no'}
`);
    const going = image.start([], { env: { LOGOBATCH_WAIT_LONG: '3' } });
    await until('it is said', () => /^note/m.test(going.output()), PATIENCE);
    kill(-going.pid, 'SIGINT');
    const { out } = await going.ended;
    assert.match(
      out,
      /^note {4}campus: 3 tasks wait in the queue: \(-l mem_free=921600M\) cannot run at host sgemaster because it offers only hl:mem_free=/m,
    );
    assert.equal(out.match(/^note/gm)?.length, 1, out);
    nothingLeft(image);
  });

  test('takes out of the queue what can never start, and runs it again', async () => {
    const at = new Date(Date.now() + 6000 - new Date().getTimezoneOffset() * 60_000).toISOString();
    const [, date = '', time = '', second = ''] = /^(\S+)T(\S+):(\d\d)\./.exec(at) ?? [];
    const when = `${date}${time}`.replace(/[-:]/g, '');
    const image = await imageFor(`batches:
  - {name: stuck, command: 'echo ran >> ~/ran', sge: {a: '${when}.${second}'}}
`);
    const going = image.start();
    await until('it waits', () => states().includes('qw'), PATIENCE);
    const arrays = join(rig.sge.home, workFolders()[0] ?? '', 'arrays');
    const task = join(arrays, readdirSync(arrays)[0] ?? '', '1');
    chmodSync(task, 0);
    await until('it is stuck', () => states().includes('Eqw'), PATIENCE);
    chmodSync(task, 0o700);
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.match(out, /^lost +b\/stuck on campus: Eqw: can't stat\(\) \S+sge.out" as stdout_path/m);
    assert.deepEqual(ran(), ['ran']);
    nothingLeft(image);
  });
});
