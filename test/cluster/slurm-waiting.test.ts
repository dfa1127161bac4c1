/** What waits in Slurm's queue for long: it is said why, and what could run elsewhere does. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../lab/command.ts';
import { canSlurm, type Slurm, startSlurm } from '../lab/slurm.ts';
import { kill, killAll, until } from '../run/witness.ts';
import { type Image, imageOn, leftOn, PATIENCE } from './slurm-rig.ts';

describe('what waits in a queue of Slurm', { skip: canSlurm() }, () => {
  let slurm: Slurm;
  const images: Image[] = [];
  before(async () => {
    const short = 'PartitionName=short Nodes=ALL MaxTime=1 State=UP';
    slurm = await startSlurm({ nodes: 1, cpus: 2, conf: [short] });
  });
  after(() => {
    for (const image of images) {
      killAll(image);
      image.remove();
    }
    slurm?.stop();
  });
  const imageFor = async (batch: string, options: Parameters<typeof imageOn>[2]) => {
    const image = await imageOn(slurm, { 'batch_info/b.yml': `batches:\n  - ${batch}\n` }, options);
    images.push(image);
    return image;
  };
  const asRoot = async (...[program = '', ...words]: readonly string[]) => {
    const { code, stdout, stderr } = await run(program, words, '', { ...process.env, ...slurm.env });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };

  test('goes to a host that has slots to spare, and nothing is lost by that', async () => {
    const script = join(slurm.home, 'others');
    writeFileSync(script, '#!/bin/sh\nsleep 600\n');
    const others = await asRoot('sbatch', '--parsable', '--exclusive', '--output=/dev/null', script);
    await until('others have it all', () => slurm.queue().some(({ state }) => state === 'RUNNING'), PATIENCE);
    const image = await imageFor(
      "{name: b, inputs: [1, 2, 3, 4, 5], bundle: 2, command: 'sleep 0.2; echo {i0} > {out}/x'}",
      { others: [{ name: 'desk', type: 'local', slots: 1 }] },
    );
    const { code, out } = await image.make();
    await asRoot('scancel', others);
    assert.equal(code, 0, out);
    assert.deepEqual(image.shares(), { desk: 5 });
    assert.match(out, /^note {4}campus: what waits there goes to slots that are free elsewhere$/m);
    assert.doesNotMatch(out, /^lost/m);
    const ours = slurm.history().filter(({ name }) => name.startsWith('lb-'));
    assert.deepEqual([...new Set(ours.map(({ state }) => state))], ['CANCELLED'], 'none has begun');
    await until('the others are gone', () => slurm.queue().length === 0, PATIENCE);
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('is said in the words of the scheduler, at once if it would wait for ever', async () => {
    const image = await imageFor(
      "{name: b, inputs: [1, 2], slurm: {partition: short, time: '2:00:00'}, command: 'echo {i0} > {out}/x'}",
      {},
    );
    const going = image.start();
    const why = /^note {4}campus: 2 tasks wait in the queue: PartitionTimeLimit$/m;
    await until('it is said', () => why.test(going.output()), PATIENCE);
    kill(-going.pid, 'SIGINT');
    const { out } = await going.ended;
    assert.equal(out.match(new RegExp(why, 'gm'))?.length, 1, out);
    assert.deepEqual(leftOn(slurm, image), []);
  });
});
