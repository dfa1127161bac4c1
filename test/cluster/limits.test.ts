/** A site that takes little at once: what it allows is respected and said, and the rest is done elsewhere, or later. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canSlurm, startSlurm } from '../lab/slurm.ts';
import { kill } from '../run/witness.ts';
import { imageOn, leftOn } from './slurm-rig.ts';

const rows = (count: number) => Array.from({ length: count }, (_, i) => `row ${i + 1}\n`).join('');

describe('a site', { skip: canSlurm() }, () => {
  test('that takes five jobs and arrays of ten gets no more, and says so once', async () => {
    const slurm = await startSlurm({ conf: ['MaxArraySize=11', 'MaxJobCount=5', 'MinJobAge=5'] });
    try {
      const desk = { name: 'desk', type: 'local', slots: 1 };
      const files = {
        'batch_info/b.yml': `batches: [{name: b, inputs: rows.csv, command: 'sleep 0.5; echo {i0} > {out}/x'}]\n`,
        'batch_info/rows.csv': rows(40),
      };
      const image = await imageOn(slurm, files, { others: [desk] });
      try {
        const going = image.start();
        let most = 0;
        const look = setInterval(() => {
          most = Math.max(most, slurm.queue().length);
        }, 300);
        const { code, out } = await going.ended;
        clearInterval(look);
        assert.equal(code, 0, out);
        assert.equal(image.done().length, 40);
        assert.ok(most > 0 && most <= 5, `${most} at once`);
        const { desk: here = 0, campus = 0 } = image.shares();
        assert.ok(here > 0 && campus > 0, out);
        assert.equal((out.match(/^note {4}campus: takes no more than/gm) ?? []).length, 1, out);
        assert.ok(out.split('\n').length < 20, out);
        const [, submissions] = /campus: (\d+) submissions?/.exec(out) ?? [];
        assert.ok(Number(submissions) < 20, out);
        assert.deepEqual(leftOn(slurm, image), []);
      } finally {
        image.remove();
      }
    } finally {
      slurm.stop();
    }
  });

  test('that takes no array at all says so, and is asked no more', async () => {
    const slurm = await startSlurm({ conf: ['MaxArraySize=1'] });
    try {
      const image = await imageOn(slurm, {
        'batch_info/b.yml': `batches: [{name: b, inputs: [1, 2], command: 'echo no'}]\n`,
      });
      try {
        const going = image.start();
        const late = setTimeout(() => kill(-going.pid, 'SIGINT'), 20_000);
        const { code, out } = await going.ended;
        clearTimeout(late);
        assert.equal(code, 2, out);
        assert.match(out, /^failed {2}b\/b\/Job1: Slurm does not take it: .*Invalid job array/m);
        assert.deepEqual(leftOn(slurm, image), []);
      } finally {
        image.remove();
      }
    } finally {
      slurm.stop();
    }
  });

  test('that turned a job away before it was sent gets what it had with it from the next', async () => {
    // Arrays of one task.
    const slurm = await startSlurm({ conf: ['MaxArraySize=2'] });
    try {
      const keys = `inputs: [1, 2], files: ['data/raw/{i0}'], command: 'cat data/raw/{i0} > {out}/x'`;
      const image = await imageOn(slurm, {
        'batch_info/b.yml': `batches:\n  - {name: odd, slurm: {partition: nowhere}, ${keys}}\n  - {name: b, ${keys}}\n`,
        'data/raw/1': 'one\n',
        'data/raw/2': 'two\n',
      });
      try {
        const { out } = await image.make(['-j2']);
        assert.deepEqual(
          [1, 2].map(job => image.result(`b/Job${job}/x`)),
          ['one\n', 'two\n'],
          out,
        );
      } finally {
        image.remove();
      }
    } finally {
      slurm.stop();
    }
  });

  test('with short arrays gets several of them', async () => {
    const slurm = await startSlurm({ conf: ['MaxArraySize=11'] });
    try {
      const files = {
        'batch_info/b.yml': `batches: [{name: b, inputs: rows.csv, command: 'echo {i0} > {out}/x'}]\n`,
        'batch_info/rows.csv': rows(25),
      };
      const image = await imageOn(slurm, files);
      try {
        const { code, out } = await image.make();
        assert.equal(code, 0, out);
        const sizes = new Map<string, number>();
        for (const { job } of slurm.history()) sizes.set(job, (sizes.get(job) ?? 0) + 1);
        assert.ok(Math.max(...sizes.values()) <= 10, out);
        assert.ok(sizes.size >= 3 && sizes.size < 15, out);
        assert.deepEqual(leftOn(slurm, image), []);
      } finally {
        image.remove();
      }
    } finally {
      slurm.stop();
    }
  });
});
