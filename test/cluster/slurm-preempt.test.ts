/** What Slurm takes back for jobs of more weight: it runs again, at nobody's expense, whether Slurm puts it back into its queue or not. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canSlurm } from '../lab/slurm.ts';
import { until } from '../run/witness.ts';
import { leftOn, PATIENCE, useSlurm } from './slurm-rig.ts';

/** Two partitions whose jobs have to give way to a third's, in the two ways there are. */
const TIERS = [
  'PreemptType=preempt/partition_prio',
  'PreemptMode=REQUEUE',
  'PartitionName=cancel Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=CANCEL',
  'PartitionName=requeue Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE',
  'PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF',
];

describe('what Slurm preempts', { skip: canSlurm() }, () => {
  const rig = useSlurm({ nodes: 1, cpus: 6, conf: TIERS });
  const { noted, asRoot } = rig;
  const starts = (batch: string, home?: string) => noted(`ran-${batch}`, home);
  const of = (batch: string) => rig.slurm.history().filter(({ name }) => name.includes(`-${batch}-`));
  const submissions = (batch: string) => new Set(of(batch).map(({ job }) => job)).size;

  test('runs elsewhere, later, or as Slurm begins it again, always as the same attempt', async () => {
    const job = (name: string, keys: string, command: string) =>
      `  - {name: ${name}, ${keys}, outputs: x, command: '${command}; echo $LB_ATTEMPT > {out}/x'}\n`;
    // Each would go on for ever if it were not begun a second time.
    const once = (name: string) =>
      `echo $LB_ATTEMPT >> ~/ran-${name}; [ $(wc -l < ~/ran-${name}) = 2 ] || sleep 600`;
    const there = (partition: string) => `resources: campus, slurm: {partition: ${partition}}`;
    const image = await rig.imageFor(
      `batches:\n${[
        job('later', there('cancel'), once('later')),
        job('stubborn', there('requeue'), once('stubborn')),
        job('again', 'resources: campus, slurm: {partition: requeue, requeue: true}', once('again')),
        job(
          'elsewhere',
          'slurm: {partition: cancel}, inputs: [1, 2]',
          'echo $LB_ATTEMPT >> ~/ran-elsewhere; [ $LB_NODE = desk ] || sleep 600; until [ -e ~/free ]; do sleep 0.1; done',
        ),
      ].join('')}`,
      {},
      { others: [{ name: 'desk', type: 'local', slots: 1 }] },
    );
    const going = image.start();
    const batches = ['later', 'stubborn', 'again'];
    const { home } = image;
    await until(
      'all run',
      () =>
        batches.every(batch => starts(batch).length === 1) &&
        [...starts('elsewhere'), ...starts('elsewhere', home)].length === 2,
      PATIENCE,
    );
    // One or both of the last two.
    assert.ok(starts('elsewhere').length > 0);
    const high = await rig.slurm.run(
      ['sbatch', '--parsable', '--partition=high', '--exclusive', '--output=/dev/null'],
      '#!/bin/sh\nuntil [ -e ~/enough ]; do sleep 0.1; done\n',
    );
    assert.equal(high.code, 0, high.stderr);
    const said = (batch: string) => new RegExp(`^lost {4}b/${batch} on campus: PREEMPTED`, 'm');
    await until(
      'they are said to be lost',
      () => ['later', 'stubborn', 'elsewhere'].every(batch => said(batch).test(going.output())),
      PATIENCE,
    );
    // While the other job has the cluster, what may run on this machine does.
    writeFileSync(join(home, 'free'), '');
    await until('it ran elsewhere', () => image.done().length === 2, PATIENCE);
    assert.deepEqual(image.shares(), { desk: 2 });
    await until('they wait again', () => submissions('later') + submissions('stubborn') === 4, PATIENCE);
    const waiting = of('again');
    assert.deepEqual(
      waiting.map(({ state }) => state),
      ['PENDING'],
    );
    writeFileSync(join(rig.slurm.home, 'enough'), '');
    // It would hold it back for two minutes.
    const soon = ['update', `JobId=${waiting[0]?.id}`, 'StartTime=now'];
    assert.equal((await asRoot(['scontrol', ...soon])).code, 0);
    const { code, out } = await going.ended;
    assert.equal(code, 0, out);
    assert.equal(image.done().length, 5, out);
    assert.doesNotMatch(out, said('again'));
    assert.doesNotMatch(out, /^failed/m);
    assert.deepEqual(
      batches.map(batch => [batch, submissions(batch), starts(batch)]),
      [
        ['later', 2, ['1', '1']],
        ['stubborn', 2, ['1', '1']],
        ['again', 1, ['1', '1']],
      ],
    );
    for (const name of ['later/Job1', 'stubborn/Job1', 'again/Job1', 'elsewhere/Job1', 'elsewhere/Job2']) {
      assert.equal(image.result(`${name}/x`), '1\n', name);
      assert.match(image.result(`${name}/.done`), /^attempt=1 /m, name);
    }
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });
});
