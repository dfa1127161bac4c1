/** What Slurm itself ends, by its limits or because somebody told it to: said in its words, and what the job has left is there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canSlurm } from '../lab/slurm.ts';
import { until } from '../run/witness.ts';
import { leftOn, PATIENCE, useSlurm } from './slurm-rig.ts';

describe('what Slurm ends', { skip: canSlurm() }, () => {
  const memory = ['SelectTypeParameters=CR_CPU_Memory', 'DefMemPerCPU=50'];
  const watching = ['JobAcctGatherType=jobacct_gather/linux', 'JobAcctGatherFrequency=1'];
  const conf = [...memory, ...watching, 'JobAcctGatherParams=OverMemoryKill'];
  const rig = useSlurm({ cpus: 8, conf });
  const { noted, asRoot } = rig;
  const taskOf = (batch: string) => rig.slurm.queue().find(({ name }) => name.includes(`-${batch}-`));
  const running = (batch: string, starts = 1) =>
    until(`${batch} runs`, () => noted(`ran-${batch}`).length >= starts && taskOf(batch), PATIENCE);

  test('is said in its words, with what the job has written; what it runs again is the same attempt', async () => {
    const job = (name: string, keys: string, command: string) =>
      `  - {name: ${name}, ${keys} command: 'echo begun >&2; echo $LB_ATTEMPT >> ~/ran-${name}; ${command}'}\n`;
    const image = await rig.imageFor(
      `batches:\n${[
        job('late', 'slurm: {time: 1},', 'sleep 600'),
        job('patient', 'slurm: {time: 1}, retries: 1,', '[ $LB_ATTEMPT = 2 ] || sleep 600'),
        job('bundled', 'bundle: 3, inputs: [1, 2, 3],', '[ {i0} != 2 ] || sleep 600; echo {i0} > {out}/x'),
        job('greedy', 'mem: 40M,', 'head -c 200M /dev/zero | tail -c 190M | (sleep 20; cat) > /dev/null'),
        job(
          'again',
          'slurm: {requeue: true},',
          '[ $(wc -l < ~/ran-again) = 2 ] || sleep 600; echo x > {out}/x',
        ),
        job('never', '', 'sleep 600'),
      ].join('')}`,
    );
    const going = image.start();
    const ids: Record<string, string> = {};
    for (const batch of ['late', 'patient', 'again', 'never']) ids[batch] = (await running(batch)).id;
    ids.bundled = (await running('bundled', 2)).id;
    const told = async (...words: string[]) => {
      const { code, stderr } = await asRoot(words);
      assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
    };
    // Its limits count minutes, and are looked at twice a minute.
    for (const batch of ['late', 'patient', 'bundled'])
      await told('scontrol', 'update', `JobId=${ids[batch]}`, 'EndTime=now+1');
    assert.notEqual((await asRoot(['scontrol', 'requeue', `${ids.never}`])).code, 0, '--no-requeue');
    await told('scancel', `${ids.never}`);
    await told('scontrol', 'requeue', `${ids.again}`);
    await until('it waits', () => taskOf('again')?.state === 'PENDING', PATIENCE);
    await told('scontrol', 'update', `JobId=${ids.again}`, 'StartTime=now');
    const { code, out } = await going.ended;
    assert.equal(code, 2, out);
    for (const [name, why] of [
      ['late/Job1', 'TIMEOUT'],
      ['bundled/Job2', 'TIMEOUT'],
      ['never/Job1', 'CANCELLED'],
    ]) {
      assert.ok(
        out.includes(`failed  b/${name} on campus: ended by the scheduler: ${why}\n    | begun\n`),
        `${name} ${why}\n${out}`,
      );
      assert.match(image.result(`${name}.failed/job.err`), /^begun/);
    }
    assert.match(
      out,
      /^failed {2}b\/greedy\/Job1 on campus: ended by the scheduler: Exceeded job memory limit/m,
    );
    assert.equal(out.match(/^failed/gm)?.length, 4, out);
    assert.deepEqual(noted('ran-patient'), ['1', '2']);
    assert.deepEqual(noted('ran-again'), ['1', '1']);
    assert.equal(noted('ran-bundled').length, 3, 'the third of the bundle is not to blame');
    assert.equal(noted('ran-never').length, 1);
    for (const name of [
      'patient/Job1',
      'again/Job1',
      'bundled/Job1',
      'bundled/Job3',
      'late/Job1.failed',
      'never/Job1.failed',
    ])
      assert.match(image.result(`${name}/slurm.out`), /^\S+, \d{4}-/, name);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });
});
