/** Jobs on a real Grid Engine, through its login node, whatever happens to them, to it and to us. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canSge, type Sge, startSge } from '../lab/sge.ts';
import { kill, killAll, living, quiet, until } from '../run/witness.ts';
import { configure, type Image, imageFor, PATIENCE, ranOn } from './sge-rig.ts';
import { leftOn } from './slurm-rig.ts';

describe('Grid Engine', { skip: canSge() }, () => {
  let sge: Sge;
  let images: Image[] = [];
  before(async () => {
    sge = await startSge({ slots: 12 });
    const pe = join(sge.folder, 'openmp');
    writeFileSync(pe, sge.admin('qconf', '-sp', 'smp').replace(/^(pe_name +)smp/m, '$1openmp'));
    sge.admin('qconf', '-Ap', pe);
    sge.admin('qconf', '-aattr', 'queue', 'pe_list', 'openmp', 'all.q');
  });
  // What a test that failed has left is not to stand in the way of the next.
  afterEach(async () => {
    for (const image of images) {
      killAll(image);
      image.remove();
    }
    images = [];
    if (states().length > 0) sge.admin('qdel', '-f', '-u', sge.user.name);
    await until('the queue is empty', () => states().length === 0, PATIENCE);
    for (const name of workFolders()) rmSync(join(sge.home, name), { recursive: true });
  });
  after(() => sge?.stop());

  const imageOf = async (
    files: Parameters<typeof imageFor>[1],
    resource?: Parameters<typeof imageFor>[2],
  ) => {
    const image = await imageFor(sge, { 'src/x': '', ...files }, resource);
    images = [...images, image];
    rmSync(join(sge.home, 'ran'), { force: true });
    return image;
  };
  const nothingLeft = (image: Image) => {
    rmSync(join(sge.home, 'ran'), { force: true });
    assert.deepEqual(leftOn(sge, image), [], `left: ${leftOn(sge, image).join(', ')}\n${image.said()}`);
  };
  const ran = () => (existsSync(join(sge.home, 'ran')) ? ranOn(sge) : []);
  const states = () => sge.queue().map(({ state }) => state);
  const starts = (count: number) =>
    until(`${count} jobs have started`, () => ran().length >= count, PATIENCE);
  const workFolders = () => readdirSync(sge.home).filter(name => name.startsWith('lb.'));

  test('tells outcomes apart', async () => {
    const image = await imageOf({
      'batch_info/b.yml': `batches:
  - {name: codes, command: 'exit {i0}', inputs: [1, 99, 100, 255]}
  - {name: shot, command: 'echo before >&2; kill -9 $$'}
  - {name: late, time: 2s, command: 'sleep 300'}
  - {name: limit, command: 'echo early; sleep 300', sge: {l: h_rt=4}}
  - {name: missing, outputs: [x], command: 'echo no'}
  - {name: running, command: 'echo running >> ~/ran; sleep 300'}
  - {name: waiting, command: 'echo never >> ~/ran', sge: {a: '203001010000'}}
  - {name: large, cpus: 13, command: 'echo never >> ~/ran'}
  - {name: fine, command: 'echo fine > {out}/x'}
`,
    });
    const going = image.start();
    await starts(1);
    await until('one waits', () => states().includes('qw'), PATIENCE);
    for (const name of ['running', 'waiting'])
      assert.equal((await sge.run(['qdel', `lb-*-${name}-*`])).code, 0);
    const { code, out } = await going.ended;
    assert.equal(code, 2, out);
    const said = [...out.matchAll(/^failed +b\/(\S+?)(?: on campus)?: (.*)$/gm)].map(
      ([, job, words]) => `${job}: ${words}`,
    );
    assert.deepEqual(
      said.sort(),
      [
        'codes/Job1: exit 1',
        'codes/Job2: exit 99',
        'codes/Job3: exit 100',
        'codes/Job4: exit 255',
        'large/Job1: Grid Engine does not take it: Unable to run job: error: no suitable queues',
        'late/Job1: time limit of 2 s reached',
        'limit/Job1: ended by the scheduler: 37: qmaster enforced h_rt, h_cpu, or h_vmem limit',
        'missing/Job1: declared output x is missing',
        'running/Job1: ended by the scheduler: 100: assumedly after job (qdel, or a signal)',
        'shot/Job1: exit 137, SIGKILL',
        'waiting/Job1: ended by the scheduler: CANCELLED: it was taken out of the queue before it began',
      ],
      out,
    );
    assert.doesNotMatch(out, /^lost/m);
    assert.deepEqual([image.done(), ran()], [['b/fine/Job1'], ['running']]);
    assert.match(image.result('fine/Job1/sge.out'), /^sgemaster, /);
    nothingLeft(image);
  });

  test('asks for what each task needs, and tells the queue nothing of its values and secrets', async () => {
    const look =
      "echo $NSLOTS {cpus} > {out}/slots; qstat -j $JOB_ID > {out}/said; sed -n 's/^hard resource_list: *//p' {out}/said | tr , '\\n' | sort > {out}/asked";
    const image = await imageOf(
      {
        'batch_info/b.yml': `batches:
  - {name: threads, type: threadtest, lower: 1, upper: 3, mem: 6M, command: "${look}", inputs: [verbose-value]}
  - {name: other, cpus: 2, sge: {pe: smp}, command: "${look}"}
  - {name: bundled, bundle: 3, time: 10, command: "${look}", inputs: [1, 2, 3, 4]}
  - {name: secret, secrets: [TOKEN], inputs: [verbose-value], command: "${look}; [ $TOKEN = most-secret ] && echo {i0}"}
`,
      },
      { sge: { pe: 'openmp', l: 'h_rt=500,arch=*' } },
    );
    const { code, out } = await image.make([], { env: { TOKEN: 'most-secret' } });
    assert.equal(code, 0, out);
    const asked = (job: string) => image.result(`${job}/asked`).trim().split('\n');
    const slots = (job: string) => image.result(`${job}/slots`).trim();
    for (const [job, mem] of [
      ['1', '6M'],
      ['2', '3M'],
      ['3', '2M'],
    ] as const) {
      assert.deepEqual(asked(`threads/Job${job}`), ['arch=*', 'h_rt=500', `mem_free=${mem}`]);
      // Without -pe it has one slot, and NSLOTS says so.
      assert.equal(slots(`threads/Job${job}`), `${job} ${job}`);
      assert.match(image.result(`threads/Job${job}/said`), /^parallel environment: +openmp range: \d$/m);
    }
    assert.match(image.result('other/Job1/said'), /^parallel environment: +smp range: 2$/m);
    assert.doesNotMatch(image.result('bundled/Job1/said'), /^parallel/m);
    assert.deepEqual(asked('bundled/Job1'), ['arch=*', 'h_rt=90']);
    assert.deepEqual(asked('bundled/Job4'), ['arch=*', 'h_rt=70']);
    for (const job of image.done()) {
      assert.ok(image.exists(`data/processed/${job}/sge.out`), job);
      assert.doesNotMatch(image.read(`data/processed/${job}/said`), /verbose-value|most-secret/);
    }
    nothingLeft(image);
  });

  test('ends what waits and runs, by Ctrl-C and by make cancel', async () => {
    const image = await imageOf({
      'batch_info/b.yml': `batches:
  - {name: long, cpus: 4, inputs: {matrix: {i: {from: 1, to: 5}}}, command: 'echo {i} >> ~/ran; sleep 300'}
`,
    });
    const first = image.start();
    await starts(3);
    kill(-first.pid, 'SIGINT');
    assert.notEqual((await first.ended).code, 0);
    assert.deepEqual(image.done(), []);
    nothingLeft(image);

    const second = image.start();
    await starts(3);
    killAll(image);
    await second.ended;
    assert.deepEqual(
      states()
        .map(state => state === 'qw')
        .sort(),
      [false, false, false, true, true],
    );
    const { code, out } = await image.make(['cancel']);
    assert.equal(code, 0, out);
    nothingLeft(image);
  });

  test('collects what a head that was killed has left, and starts each job once', async () => {
    const image = await imageOf({
      'batch_info/b.yml': `batches:
  - {name: part, cpus: 3, inputs: {matrix: {i: {from: 1, to: 8}}}, command: 'echo {i} >> ~/ran; sleep 4; echo {i} > {out}/x'}
`,
    });
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
    const image = await imageOf({
      'batch_info/b.yml': `batches:
  - {name: part, bundle: 2, inputs: {matrix: {i: {from: 1, to: 12}}}, cpus: 4, command: 'echo {i} >> ~/ran; sleep 2; echo {i} > {out}/x'}
`,
    });
    const going = image.start();
    await starts(2);
    await sge.qmaster.stop();
    await sleep(20_000);
    await sge.qmaster.start();
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /^lost/m);
    assert.equal(ran().length, 12);
    nothingLeft(image);
  });

  test('heeds how many jobs and how large arrays a site allows, and says so once', async () => {
    const reset = configure(sge, { max_u_jobs: '3', max_aj_tasks: '6' });
    try {
      const image = await imageOf({
        'batch_info/b.yml': `batches:
  - {name: many, inputs: {matrix: {i: {from: 1, to: 40}}}, command: 'echo {i} >> ~/ran; sleep 1'}
`,
      });
      const going = image.start();
      const seen = { arrays: 0, tasks: 0 };
      const watch = setInterval(() => {
        const ids = sge.queue().map(({ job }) => job);
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
    const image = await imageOf({
      'batch_info/b.yml': `batches:
  - {name: greedy, mem: 900G, inputs: [1, 2, 3], command: 'echo no'}
`,
    });
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
    const image = await imageOf({
      'batch_info/b.yml': `batches:
  - {name: stuck, command: 'echo ran >> ~/ran', sge: {a: '${when}.${second}'}}
`,
    });
    const going = image.start();
    await until('it waits', () => states().includes('qw'), PATIENCE);
    const arrays = join(sge.home, workFolders()[0] ?? '', 'arrays');
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

  test('submits from this machine where that is the cluster itself', async () => {
    const image = await imageOf(
      {
        'batch_info/b.yml': `batches:
  - {name: part, inputs: {matrix: {i: {from: 1, to: 5}}}, command: 'hostname > {out}/x'}
`,
      },
      { hostname: undefined },
    );
    const { prefix, env } = sge.inside;
    writeFileSync(
      join(image.bin, 'make'),
      `#!/bin/sh\nexec ${prefix.join(' ')} env PATH="\${PATH#*:}" make "$@"\n`,
      { mode: 0o755 },
    );
    const { PATH: _, ...variables } = env;
    // Here that is root.
    const reset = configure(sge, { min_uid: '0', min_gid: '0' });
    const { code, out } = await image.make([], { env: variables }).finally(reset);
    assert.equal(code, 0, out);
    assert.equal(image.done().length, 5);
    assert.equal(image.result('part/Job5/x'), 'sgemaster\n');
    assert.deepEqual(readdirSync(image.home).sort(), ['.logobatch.yml']);
    await quiet(image);
    assert.deepEqual(living(image), []);
    nothingLeft(image);
  });
});
