/** Jobs on a real Slurm, through its login node and from here. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canSlurm } from '../lab/slurm.ts';
import { kill, killAll, quiet, until } from '../run/witness.ts';
import { leftOn, NOTE, outputs, PATIENCE, rows, SHORT, useSlurm } from './slurm-rig.ts';

describe('Slurm', { skip: canSlurm() }, () => {
  const rig = useSlurm({ conf: ['MinJobAge=5', SHORT] });
  const { imageFor, ran, states, running } = rig;

  test('gives byte for byte what this machine gives, in a pool with it, and is left as it was', async () => {
    const batches = `batches:
  - {name: sum, inputs: rows.csv, bundle: 3, command: 'echo {i0} | cat src/head - > {out}/x; mkdir {out}/f; printf "%s" {n} > {out}/f/y; echo to {i0} >&2'}
  - {name: all, needs: sum, command: 'cat data/processed/b/sum/Job*/x > {out}/all'}
  - {name: each, inputs: rows.csv, needs: {each: sum}, command: 'cat data/processed/b/sum/{id}/f/y > {out}/y'}
`;
    const files = { 'src/head': 'head\n', 'batch_info/rows.csv': rows(60) };
    const local = await imageFor(batches, files);
    assert.equal((await local.make(['GRID=local'])).code, 0);
    const desk = { name: 'desk', type: 'local', slots: 2 };
    const image = await imageFor(batches, files, { resource: { max_jobs: 12 }, others: [desk] });
    const { code, out } = await image.make();
    assert.equal(code, 0, out);
    assert.deepEqual(outputs(image.root), outputs(local.root));
    const { desk: here = 0, campus = 0 } = image.shares();
    assert.ok(here > 0 && campus > 0, out);
    assert.match(out, /campus: \d+ submissions?, \d+ quer(y|ies) of its queue/);
    assert.deepEqual(leftOn(rig.slurm, image), []);
    assert.equal((await image.make(['verify'])).code, 0);
    assert.match((await image.make()).out, /nothing to do/);
  });

  test('takes jobs from the head itself, and hands them their processors and folders', async () => {
    const batches = `batches:
  - {name: scale, type: threadtest, range: "1-2", command: 'echo {cpus} $SLURM_CPUS_PER_TASK > {out}/x'}
  - {name: fast, command: 'echo \${PWD%/lb.*} \${LB_SCRATCH%%/lb-*} > {out}/x; cat src/data/f >> {out}/x'}
`;
    const fast = join(rig.slurm.folder, 'fast');
    const image = await imageFor(
      batches,
      { 'src/data/f': 'staged\n' },
      {
        resource: { hostname: undefined, fast_storage: [fast], remote_storage: undefined },
      },
    );
    await rig.slurm.run(['true']);
    rmSync(fast, { recursive: true, force: true });
    mkdirSync(fast);
    const { code, out } = await image.make();
    assert.equal(code, 0, out);
    const scale = readdirSync(join(image.root, 'data/processed/b/scale')).filter(name =>
      name.startsWith('Job'),
    );
    for (const job of scale) {
      const [asked, given] = image.result(`scale/${job}/x`).trim().split(' ');
      assert.equal(given, asked);
    }
    const [places = '', staged] = image.result('fast/Job1/x').split('\n');
    assert.deepEqual([places.split(' ')[1], staged], [fast, 'staged']);
    assert.match(image.result('fast/Job1/slurm.out'), /\d{4}-\d\d-\d\d/);
    assert.deepEqual(readdirSync(fast), []);
    assert.deepEqual(leftOn(rig.slurm, image), []);
    assert.deepEqual(
      readdirSync(image.home).filter(name => name.startsWith('lb.')),
      [],
    );
  });

  test('keeps secrets and values to itself, and a job back within moments of its end', async () => {
    const secret = 'tr$ng "und\' wohl';
    const value = 'a b$(touch x)"c';
    const image = await imageFor(
      `batches:
  - {name: b, inputs: rows.csv, secrets: [LAB_SECRET], command: 'printf "%s" "$LAB_SECRET" | sha256sum > {out}/x; printf "%s" {i0} > {out}/y; touch ~/begun; sleep 4; touch ~/ended'}
`,
      { 'batch_info/rows.csv': `"${value.replaceAll('"', '""')}"\n` },
    );
    const going = image.start([], { env: { LAB_SECRET: secret } });
    await until('it runs', () => existsSync(join(rig.slurm.home, 'begun')), PATIENCE);
    const seen = [
      (await rig.slurm.run(['squeue', '-o', '%all'])).stdout,
      (await rig.slurm.run(['scontrol', 'show', 'job'])).stdout,
      ...rig.slurm.processes().map(({ args }) => args),
    ].join('\n');
    for (const word of ['tr$ng', 'touch x']) assert.ok(!seen.includes(word), seen);
    await until('it has ended', () => existsSync(join(rig.slurm.home, 'ended')), PATIENCE);
    const began = performance.now();
    await until('it is back', () => image.done().length === 1, PATIENCE);
    const late = (performance.now() - began) / 1000;
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.ok(late < 5, `${late} s`);
    console.log(`back ${late.toFixed(2)} s after its end`);
    const { createHash } = await import('node:crypto');
    assert.equal(image.result('b/Job1/x').split(' ')[0], createHash('sha256').update(secret).digest('hex'));
    assert.equal(image.result('b/Job1/y'), value);
    for (const name of ['slurm.out', 'job.out', 'job.err'])
      assert.ok(!image.result(`b/Job1/${name}`).includes('tr$ng'));
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('tells outcomes apart', async () => {
    const image = await imageFor(`batches:
  - {name: codes, command: 'exit {i0}', inputs: [1, 99, 100, 255]}
  - {name: shot, command: 'echo before >&2; kill -9 $$'}
  - {name: late, time: 2s, command: 'echo early; sleep 300'}
  - {name: missing, outputs: [x], command: 'echo no'}
  - {name: again, retries: 1, command: 'echo $LB_ATTEMPT > {out}/x; [ $LB_ATTEMPT = 2 ]'}
  - {name: ended, command: '${NOTE}; echo so far >&2; sleep 300'}
  - {name: waiting, command: '${NOTE}', slurm: {begin: now+1hour}}
  - {name: fine, command: 'echo fine > {out}/x'}
`);
    const going = image.start();
    await until('one runs', () => ran().length === 1, PATIENCE);
    await until('one waits', () => states().includes('PENDING') && states().length === 2, PATIENCE);
    for (const { id } of rig.slurm.queue()) await rig.slurm.run(['scancel', id]);
    const { code, out } = await going.ended;
    assert.equal(code, 2, out);
    for (const [job, why] of [
      ['codes/Job1', 'exit 1'],
      ['codes/Job2', 'exit 99'],
      ['codes/Job3', 'exit 100'],
      ['codes/Job4', 'exit 255'],
      ['shot/Job1', 'exit 137, SIGKILL'],
      ['late/Job1', 'time limit of 2 s reached'],
      ['missing/Job1', 'declared output x is missing'],
      ['ended/Job1', 'ended by the scheduler: CANCELLED'],
      ['waiting/Job1', 'ended by the scheduler: CANCELLED'],
    ])
      assert.ok(out.includes(`failed  b/${job} on campus: ${why}`), `${job}: ${why}\n${out}`);
    assert.equal(image.result('fine/Job1/x'), 'fine\n');
    assert.equal(image.result('again/Job1/x'), '2\n');
    assert.equal(image.result('late/Job1.failed/job.out'), 'early\n');
    assert.match(image.result('ended/Job1.failed/job.err'), /so far/);
    assert.deepEqual(ran(), ['Job1'], 'what was cancelled is not run again');
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('is cleared by Ctrl-C, by make cancel, and by make cancel after a head that died', async () => {
    const image = await imageFor(`batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 300'}]\n`, {
      'batch_info/rows.csv': rows(12),
    });
    const going = image.start();
    await running(6);
    kill(-going.pid, 'SIGINT');
    assert.notEqual((await going.ended).code, 0);
    assert.deepEqual(leftOn(rig.slurm, image), []);
    const second = image.start();
    await running(6);
    assert.match((await image.make(['cancel'])).out, /cancelled/);
    assert.notEqual((await second.ended).code, 0);
    assert.deepEqual(leftOn(rig.slurm, image), []);
    image.start();
    await running(6);
    killAll(image);
    assert.equal(rig.slurm.queue().length, 12);
    const { code, out } = await image.make(['cancel']);
    assert.equal(code, 0, out);
    assert.deepEqual(leftOn(rig.slurm, image), []);
    await quiet(image);
  });
});
