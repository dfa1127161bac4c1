/** Jobs on a real Grid Engine, through its login node and from it. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canSge } from '../lab/sge.ts';
import { kill, killAll, living, quiet, until } from '../run/witness.ts';
import { configure, PATIENCE, useSge } from './sge-rig.ts';

describe('Grid Engine', { skip: canSge() }, () => {
  const rig = useSge();
  const { imageFor, states, ran, starts, nothingLeft } = rig;

  test('tells outcomes apart', async () => {
    const image = await imageFor(`batches:
  - {name: codes, command: 'exit {i0}', inputs: [1, 99, 100, 255]}
  - {name: shot, command: 'echo before >&2; kill -9 $$'}
  - {name: late, time: 2s, command: 'sleep 300'}
  - {name: limit, command: 'echo early; sleep 300', sge: {l: h_rt=4}}
  - {name: missing, outputs: [x], command: 'echo no'}
  - {name: running, command: 'echo running >> ~/ran; sleep 300'}
  - {name: waiting, command: 'echo never >> ~/ran', sge: {a: '203001010000'}}
  - {name: large, cpus: 13, command: 'echo never >> ~/ran'}
  - {name: fine, command: 'echo fine > {out}/x'}
`);
    const going = image.start();
    await starts(1);
    await until('one waits', () => states().includes('qw'), PATIENCE);
    for (const name of ['running', 'waiting'])
      assert.equal((await rig.sge.run(['qdel', `lb-*-${name}-*`])).code, 0);
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
    const image = await imageFor(
      `batches:
  - {name: threads, type: threadtest, lower: 1, upper: 3, mem: 6M, command: "${look}", inputs: [verbose-value]}
  - {name: other, cpus: 2, sge: {pe: smp}, command: "${look}"}
  - {name: bundled, bundle: 3, time: 10, command: "${look}", inputs: [1, 2, 3, 4]}
  - {name: secret, secrets: [TOKEN], inputs: [verbose-value], command: "${look}; [ $TOKEN = most-secret ] && echo {i0}"}
`,
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
    const image = await imageFor(`batches:
  - {name: long, cpus: 4, inputs: {matrix: {i: {from: 1, to: 5}}}, command: 'echo {i} >> ~/ran; sleep 300'}
`);
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

  test('submits from this machine where that is the cluster itself', async () => {
    const image = await imageFor(
      `batches:
  - {name: part, inputs: {matrix: {i: {from: 1, to: 5}}}, command: 'hostname > {out}/x'}
`,
      { hostname: undefined },
    );
    const { prefix, env } = rig.sge.inside;
    writeFileSync(
      join(image.bin, 'make'),
      `#!/bin/sh\nexec ${prefix.join(' ')} env PATH="\${PATH#*:}" make "$@"\n`,
      { mode: 0o755 },
    );
    const { PATH: _, ...variables } = env;
    // Here that is root.
    const reset = configure(rig.sge, { min_uid: '0', min_gid: '0' });
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
