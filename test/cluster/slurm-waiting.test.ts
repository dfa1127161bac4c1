/** What waits in Slurm's queue for long: it is said why, and what could run elsewhere does. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canSlurm } from '../lab/slurm.ts';
import { kill, killAll, until } from '../run/witness.ts';
import { leftOn, PATIENCE, SHORT, useSlurm } from './slurm-rig.ts';

describe('what waits in a queue of Slurm', { skip: canSlurm() }, () => {
  const rig = useSlurm({ nodes: 1, cpus: 2, conf: [SHORT] });
  const asRoot = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await rig.asRoot(words);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };

  const occupied = async () => {
    const script = join(rig.slurm.home, 'others');
    writeFileSync(script, '#!/bin/sh\nsleep 600\n');
    const others = await asRoot('sbatch', '--parsable', '--exclusive', '--output=/dev/null', script);
    const runs = () => rig.slurm.queue().some(({ state }) => state === 'RUNNING');
    await until('others have it all', runs, PATIENCE);
    return others;
  };

  test('goes to a host that has slots to spare, and nothing is lost by that', async () => {
    const others = await occupied();
    const image = await rig.imageFor(
      "batches: [{name: b, inputs: [1, 2, 3, 4, 5], bundle: 2, command: 'sleep 0.2; echo {i0} > {out}/x'}]",
      {},
      { others: [{ name: 'desk', type: 'local', slots: 1 }] },
    );
    const { code, out } = await image.make();
    await asRoot('scancel', others);
    assert.equal(code, 0, out);
    assert.deepEqual(image.shares(), { desk: 5 });
    assert.match(out, /^note {4}campus: what waits there goes to slots that are free elsewhere$/m);
    assert.doesNotMatch(out, /^lost/m);
    const ours = rig.slurm.history().filter(({ name }) => name.startsWith('lb-'));
    assert.deepEqual([...new Set(ours.map(({ state }) => state))], ['CANCELLED'], 'none has begun');
    await until('the others are gone', () => rig.slurm.queue().length === 0, PATIENCE);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('keeps what it needs beside the shared folders, also where the next make asks for other jobs', async () => {
    const others = await occupied();
    const image = await rig.imageFor(
      `batches:
  - {name: b, resources: [campus], inputs: [1, 2], files: ['data/raw/{i0}'], command: 'cat data/raw/{i0} src/x > {out}/x'}
  - {name: other, shared: [lib], resources: [desk], command: 'echo {n} > {out}/x'}
`,
      { 'data/raw/1': 'one\n', 'data/raw/2': 'two\n', 'src/x': 'shared\n', 'lib/y': '' },
      { others: [{ name: 'desk', type: 'local', slots: 1 }] },
    );
    image.start(['b/b']);
    await until('it waits', () => rig.slurm.queue().length === 3, PATIENCE);
    killAll(image);
    const { code, out } = await image.make(['b/other']);
    assert.equal(code, 0, out);
    await asRoot('scancel', others);
    const second = await image.make();
    assert.equal(second.code, 0, second.out);
    assert.match(second.out, /campus: 0 submissions/);
    assert.deepEqual(
      [1, 2].map(job => image.result(`b/Job${job}/x`)),
      ['one\nshared\n', 'two\nshared\n'],
    );
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('is said in the words of the scheduler, at once if it would wait for ever', async () => {
    const image = await rig.imageFor(
      "batches: [{name: b, inputs: [1, 2], slurm: {partition: short, time: '2:00:00'}, command: 'echo {i0} > {out}/x'}]",
    );
    const going = image.start();
    const why = /^note {4}campus: 2 tasks wait in the queue: PartitionTimeLimit$/m;
    await until('it is said', () => why.test(going.output()), PATIENCE);
    kill(-going.pid, 'SIGINT');
    const { out } = await going.ended;
    assert.equal(out.match(new RegExp(why, 'gm'))?.length, 1, out);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });
});
