/** Jobs on a real Slurm, through its login node and from here, whatever happens to them, to it and to us. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentOf } from '../lab/cluster.ts';
import { canSlurm, type Slurm, startSlurm } from '../lab/slurm.ts';
import { called, kill, killAll, quiet, until } from '../run/witness.ts';
import { type Image, imageOn, leftOn, outputs, PATIENCE } from './slurm-rig.ts';

const rows = (count: number) => Array.from({ length: count }, (_, i) => `row ${i + 1}\n`).join('');
/** A line a start of a job, in the home of the login node's user. */
const NOTE = 'echo $LB_JOB >> ~/ran';
/** Seconds without a controller; `LOGOBATCH_SOAK=1 node test/suite.mjs cluster/slurm.test` has a full minute of it. */
const WITHOUT = process.env.LOGOBATCH_SOAK ? 60 : 15;

describe('Slurm', { skip: canSlurm() }, () => {
  let slurm: Slurm;
  const images: Image[] = [];
  before(async () => {
    slurm = await startSlurm({
      conf: ['MinJobAge=5', 'PartitionName=short Nodes=ALL MaxTime=1 State=UP'],
    });
  });
  after(() => {
    for (const image of images) {
      killAll(image);
      image.remove();
    }
    slurm?.stop();
  });
  const imageFor = async (
    batches: string,
    ...options: Parameters<typeof imageOn> extends [Slurm, infer F, (infer O)?] ? [{ files?: F }?, O?] : never
  ) => {
    const [{ files = {} } = {}, more] = options;
    const image = await imageOn(slurm, { 'batch_info/b.yml': batches, ...files }, more ?? {});
    images.push(image);
    rmSync(join(slurm.home, 'ran'), { force: true });
    return image;
  };
  const ran = () =>
    existsSync(join(slurm.home, 'ran'))
      ? readFileSync(join(slurm.home, 'ran'), 'utf8').split('\n').filter(Boolean).sort()
      : [];
  const states = () => slurm.queue().map(({ state }) => state);
  const running = (count: number) =>
    until(`${count} run`, () => states().filter(state => state === 'RUNNING').length >= count, PATIENCE);

  test('gives byte for byte what this machine gives, in a pool with it, and is left as it was', async () => {
    const batches = `batches:
  - {name: sum, inputs: rows.csv, bundle: 3, command: 'echo {i0} | cat src/head - > {out}/x; mkdir {out}/f; printf "%s" {n} > {out}/f/y; echo to {i0} >&2'}
  - {name: all, needs: sum, command: 'cat data/processed/b/sum/Job*/x > {out}/all'}
  - {name: each, inputs: rows.csv, needs: {each: sum}, command: 'cat data/processed/b/sum/{id}/f/y > {out}/y'}
`;
    const files = { 'src/head': 'head\n', 'batch_info/rows.csv': rows(60) };
    const local = await imageFor(batches, { files });
    assert.equal((await local.make(['GRID=local'])).code, 0);
    const desk = { name: 'desk', type: 'local', slots: 2 };
    const image = await imageFor(batches, { files }, { resource: { max_jobs: 12 }, others: [desk] });
    const { code, out } = await image.make();
    assert.equal(code, 0, out);
    assert.deepEqual(outputs(image.root), outputs(local.root));
    const { desk: here = 0, campus = 0 } = image.shares();
    assert.ok(here > 0 && campus > 0, out);
    assert.match(out, /campus: \d+ submissions?, \d+ quer(y|ies) of its queue/);
    assert.deepEqual(leftOn(slurm, image), []);
    assert.equal((await image.make(['verify'])).code, 0);
    assert.match((await image.make()).out, /nothing to do/);
  });

  test('takes jobs from the head itself, and hands them their processors and folders', async () => {
    const batches = `batches:
  - {name: scale, type: threadtest, range: "1-2", command: 'echo {cpus} $SLURM_CPUS_PER_TASK > {out}/x'}
  - {name: fast, command: 'echo \${PWD%/lb.*} \${LB_SCRATCH%%/lb-*} > {out}/x; cat src/data/f >> {out}/x'}
`;
    const fast = join(slurm.folder, 'fast');
    const image = await imageFor(
      batches,
      { files: { 'src/data/f': 'staged\n' } },
      {
        resource: { hostname: undefined, fast_storage: [fast], remote_storage: undefined },
      },
    );
    await slurm.run(['true']);
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
    assert.deepEqual(leftOn(slurm, image), []);
    assert.deepEqual(
      readdirSync(image.home).filter(name => name.startsWith('lb.')),
      [],
    );
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
    for (const { id } of slurm.queue()) await slurm.run(['scancel', id]);
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
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('gives jobs that were lost with their node to another, free of charge', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 4; echo $LB_ATTEMPT > {out}/x'}]\n`,
      { files: { 'batch_info/rows.csv': rows(6) } },
    );
    const going = image.start();
    await running(6);
    await until('all have begun', () => ran().length === 6, PATIENCE);
    const node = slurm.node('n1');
    node.kill('machine');
    node.down();
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.match(out, /lost {4}b\/b on campus: NODE_FAIL/);
    assert.equal(ran().length, 8);
    for (let i = 1; i <= 6; i++) assert.equal(image.result(`b/Job${i}/x`), '1\n');
    await node.start();
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('takes a signal to a whole task for no failure of its job, and clears up after a task that was killed at one blow', async () => {
    const fast = join(slurm.folder, 'own-disk');
    mkdirSync(fast);
    chmodSync(fast, 0o1777);
    // The second has to be begun again; the first goes on until that has ended, and needs its folder.
    const image = await imageFor(
      `batches:
  - {name: b, inputs: [1, 2], command: 'echo mine > $LB_SCRATCH/it; echo $LB_SCRATCH >> ~/ran-{i0}; if [ {i0} = 1 ]; then until [ -e ~/free ]; do sleep 0.1; done; else [ $(wc -l < ~/ran-2) = 2 ] || sleep 600; [ ! -e $(head -n 1 ~/ran-2) ]; fi; cat $LB_SCRATCH/it > {out}/x'}
  - {name: early, command: 'echo $LB_SCRATCH >> ~/ran-early; [ $(wc -l < ~/ran-early) = 2 ] || sleep 600'}
`,
      {},
      { resource: { fast_storage: [fast] } },
    );
    const ranIn = (job: number | string) => {
      const path = join(slurm.home, `ran-${job}`);
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
    for (const { pid } of slurm.processes()) if (isIn(early, pid)) kill(pid, 'SIGTERM');
    await sleep(300);
    kill(taskOf(early), 'SIGTERM');

    // Nothing of it may see another of its processes end: all are stopped before any is killed.
    const folder = folderOf(2);
    const meant = slurm
      .processes()
      .filter(({ pid, args }) => pid === taskOf(folder) || args.includes(folder) || isIn(folder, pid));
    assert.ok(meant.length >= 4, meant.map(({ args }) => args).join('\n'));
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const { pid } of meant) kill(pid, signal);
    await until(
      'both have ended',
      () => image.done().length === 2 || /^failed/m.test(going.output()),
      PATIENCE,
    );
    writeFileSync(join(slurm.home, 'free'), '');
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
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('goes on without the head: nothing is submitted twice, lost or run again', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 3; echo {n} > {out}/x'}]\n`,
      { files: { 'batch_info/rows.csv': rows(36) } },
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
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('is served on by another process of the runtime when that was killed, and keeps jobs of visits that were', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 2; echo {n} > {out}/x'}]\n`,
      { files: { 'batch_info/rows.csv': rows(18) } },
    );
    const going = image.start();
    await running(6);
    for (const pid of called(image, 'runtime.mjs')) kill(pid, 'SIGKILL');
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.equal(image.done().length, 18);
    assert.equal(new Set(ran()).size, ran().length, out);
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('may be without its controller, and its login node, for a while', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 3; echo {n} > {out}/x'}]\n`,
      { files: { 'batch_info/rows.csv': rows(18) } },
    );
    const going = image.start();
    await running(6);
    await slurm.controller.stop();
    await sleep(WITHOUT * 1000);
    await slurm.controller.start();
    await until('some have come back', () => image.done().length > 6, PATIENCE);
    slurm.login.kill();
    await sleep(3000);
    await slurm.login.start();
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.equal(image.done().length, 18);
    assert.equal(ran().length, 18);
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('is asked by its name for a submission whose answer was lost', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 2; echo {n} > {out}/x'}]\n`,
      { files: { 'batch_info/rows.csv': rows(4) } },
      { resource: { hostname: undefined } },
    );
    // It submits, and is never heard of again.
    const wrapper = join(image.bin, 'sbatch');
    writeFileSync(wrapper, '#!/bin/sh\n/usr/bin/sbatch "$@" >/dev/null && exec sleep 100\n');
    chmodSync(wrapper, 0o755);
    const earlier = new Set(slurm.history().map(({ job }) => job));
    const submitted = () =>
      [...new Set(slurm.history().map(({ job }) => job))].filter(job => !earlier.has(job));
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

  test('gets no more at once than it was said to take, and is told why a partition is wrong', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: 'sleep 1; echo {n} > {out}/x'}]\n`,
      { files: { 'batch_info/rows.csv': rows(20) } },
      { resource: { max_jobs: 5 } },
    );
    const going = image.start();
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, slurm.queue().length);
    }, 200);
    const { code, out } = await going.ended;
    clearInterval(look);
    assert.equal(code, 0, out);
    assert.ok(most > 1 && most <= 5, `${most} at once`);
    image.setGrid({ slurm: { partition: 'nowhere' } });
    const refused = await image.make(['-B']);
    assert.equal(refused.code, 2);
    assert.match(refused.out, /failed {2}b\/b\/Job1: Slurm does not take it: .*Invalid partition/);
    assert.equal((refused.out.match(/^refused/gm) ?? []).length, 1, refused.out);
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('leaves to others what it does not take, and takes the rest', async () => {
    const job = (name: string, keys: string) =>
      `  - {name: ${name}, inputs: rows.csv, ${keys} command: 'echo {n} > {out}/x'}\n`;
    const image = await imageFor(
      `batches:\n${job('odd', 'slurm: {partition: nowhere},')}${job('bound', 'slurm: {partition: nowhere}, resources: [campus],')}${job('plain', 'resources: [campus],')}`,
      { files: { 'batch_info/rows.csv': rows(6) } },
      { others: [{ name: 'desk', type: 'local', slots: 2 }] },
    );
    const { code, out } = await image.make();
    assert.equal(code, 2, out);
    assert.deepEqual(out.match(/^refused.*?:/gm)?.sort(), [
      'refused b/bound on campus:',
      'refused b/odd on campus:',
    ]);
    assert.equal(out.match(/^failed {2}b\/bound\/Job\d+: Slurm does not take it: /gm)?.length, 6, out);
    assert.equal(image.done().length, 12);
    for (const name of ['odd/Job1', 'odd/Job6']) {
      assert.match(image.result(`${name}/.done`), /^attempt=1 node=desk /m);
    }
    assert.match(image.result('plain/Job1/.done'), /^attempt=1 node=campus /m);
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('leaves bundles and parallel jobs to others, too, and what nobody takes fails in its words', async () => {
    const image = await imageFor(
      `batches:
  - {name: b, inputs: rows.csv, bundle: 2, time: 1m, retries: 1, command: 'echo $LB_ATTEMPT > {out}/x'}
  - {name: wide, resources: [campus, desk], cpus: 3, inputs: [1, 2, 3, 4], command: 'sleep 0.5; echo fine > {out}/x'}
  - {name: scale, type: threadtest, range: "2-3", resources: [spare], command: 'echo fine > {out}/x'}
  - {name: large, cpus: 3, resources: [campus, spare], command: 'echo no'}
`,
      { files: { 'batch_info/rows.csv': rows(21) } },
      {
        resource: { slurm: { partition: 'nowhere' } },
        others: [
          { name: 'desk', type: 'local', slots: 3 },
          { name: 'spare', type: 'slurm', hostname: 'slurmlogin', max_jobs: 20 },
        ],
      },
    );
    const { code, out } = await image.make();
    assert.equal(code, 2, out);
    const said = (word: string) =>
      [...out.matchAll(new RegExp(`^${word} +b/(.*)$`, 'gm'))].map(([, line = '']) => line).sort();
    const wrong = /^sbatch: error: .*: Invalid partition name specified/;
    const refused = said('refused').map(
      line => /^(\w+) on (\w+): (.*?)(; it runs elsewhere)?$/.exec(line) ?? [],
    );
    for (const [, batch, node, words = '', onward = ''] of refused) {
      if (node === 'campus') assert.match(words, wrong);
      else assert.match(words, /Requested node configuration is not available/);
      if (batch !== 'large') assert.equal(onward === '', batch === 'scale', `${batch}`);
    }
    const pairs = refused.map(([, batch, node]) => `${batch} ${node}`);
    assert.deepEqual(pairs, [...new Set(pairs)], out);
    for (const pair of ['b campus', 'scale spare', 'large campus', 'large spare'])
      assert.ok(pairs.includes(pair), `${pair}\n${out}`);
    const failed = said('failed');
    assert.equal(failed.length, 2, out);
    assert.match(failed.join('\n'), /^large\/Job1: Slurm does not take it: /m);
    assert.match(failed.join('\n'), /^scale\/Job\d: Slurm does not take it: .*Requested node configuration/m);
    assert.deepEqual(said('lost'), []);
    assert.match(out, /^26 done, 2 failed in /m);
    const { campus = 0, ...shares } = image.shares();
    assert.equal(campus, 0);
    assert.deepEqual(Object.keys(shares).sort(), ['desk', 'spare']);
    for (let i = 1; i <= 21; i++) assert.equal(image.result(`b/Job${i}/x`), '1\n');
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('says at once why tasks can never start, and after a while why others wait', async () => {
    const image = await imageFor(`batches:
  - {name: never, inputs: [1, 2, 3], time: 1h, slurm: {partition: short}, command: 'echo no'}
  - {name: later, slurm: {begin: now+1hour}, command: 'echo no'}
`);
    const going = image.start([], { env: { LOGOBATCH_WAIT_LONG: '2' } });
    await until('both are said', () => /^note.*BeginTime/m.test(going.output()), PATIENCE);
    kill(-going.pid, 'SIGINT');
    const { out } = await going.ended;
    assert.deepEqual(out.match(/^note.*/gm), [
      'note    campus: 3 tasks wait in the queue: PartitionTimeLimit',
      'note    campus: 1 task waits in the queue: BeginTime',
    ]);
    assert.deepEqual(leftOn(slurm, image), []);
  });

  test('is cleared by Ctrl-C, by make cancel, and by make cancel after a head that died', async () => {
    const image = await imageFor(`batches: [{name: b, inputs: rows.csv, command: '${NOTE}; sleep 300'}]\n`, {
      files: { 'batch_info/rows.csv': rows(12) },
    });
    const going = image.start();
    await running(6);
    kill(-going.pid, 'SIGINT');
    assert.notEqual((await going.ended).code, 0);
    assert.deepEqual(leftOn(slurm, image), []);
    const second = image.start();
    await running(6);
    assert.match((await image.make(['cancel'])).out, /cancelled/);
    assert.notEqual((await second.ended).code, 0);
    assert.deepEqual(leftOn(slurm, image), []);
    image.start();
    await running(6);
    killAll(image);
    assert.equal(slurm.queue().length, 12);
    const { code, out } = await image.make(['cancel']);
    assert.equal(code, 0, out);
    assert.deepEqual(leftOn(slurm, image), []);
    await quiet(image);
  });

  test('keeps secrets and values to itself, and a job back within moments of its end', async () => {
    const secret = 'tr$ng "und\' wohl';
    const value = 'a b$(touch x)"c';
    const image = await imageFor(
      `batches:
  - {name: b, inputs: rows.csv, secrets: [LAB_SECRET], command: 'printf "%s" "$LAB_SECRET" | sha256sum > {out}/x; printf "%s" {i0} > {out}/y; touch ~/begun; sleep 4; touch ~/ended'}
`,
      { files: { 'batch_info/rows.csv': `"${value.replaceAll('"', '""')}"\n` } },
    );
    const going = image.start([], { env: { LAB_SECRET: secret } });
    await until('it runs', () => existsSync(join(slurm.home, 'begun')), PATIENCE);
    const seen = [
      (await slurm.run(['squeue', '-o', '%all'])).stdout,
      (await slurm.run(['scontrol', 'show', 'job'])).stdout,
      ...slurm.processes().map(({ args }) => args),
    ].join('\n');
    for (const word of ['tr$ng', 'touch x']) assert.ok(!seen.includes(word), seen);
    await until('it has ended', () => existsSync(join(slurm.home, 'ended')), PATIENCE);
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
    assert.deepEqual(leftOn(slurm, image), []);
  });
});
