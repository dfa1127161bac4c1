import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ArrayWish, BatchWish } from '../../../src/runtime/executors/executor.ts';
import { sge } from '../../../src/runtime/executors/sge.ts';
import { slurm } from '../../../src/runtime/executors/slurm.ts';

interface Wish extends Omit<Partial<ArrayWish>, 'batch'> {
  /** The directives of the array's script. */
  readonly script: string;
  readonly batch?: Partial<BatchWish>;
}

const wishOf = ({ script, batch, ...wish }: Wish): ArrayWish => ({
  ...{ name: 'lb-x', tasks: 3, folder: '/w/arrays/lb-x', cpus: 1, time: 0, options: {}, foresees: false },
  ...wish,
  batch: { cpus: 1, mem: 0, time: 0, own: [], words: script.split(' ').filter(Boolean), ...batch },
});

/** What qsub is told beside what is the same for all. */
function asked(wish: Wish): string {
  const words = sge.submission(wishOf(wish)).join(' ');
  const same = 'qsub -terse -N lb-x -t 1-3 -o /w/arrays/lb-x/$TASK_ID/sge.out -j y';
  assert.ok(words.startsWith(same), words);
  return words.slice(same.length).replace(' -r n', '').trim();
}

describe('what Grid Engine is asked for', () => {
  test('one job of one processor: nothing', () => {
    assert.equal(asked({ script: '' }), '');
    assert.equal(asked({ script: '', options: { pe: 'openmp' } }), '', 'it is not parallel');
    assert.equal(asked({ script: '', options: { pe: 'openmp 2' } }), '-pe openmp 2', 'the resource insists');
  });

  test('a threadtest: the number of each task, and its share of the memory', () => {
    const batch = { cpus: 4, mem: 4096 };
    const script = '-pe smp 4 -l mem_free=1024M';
    assert.equal(asked({ script, batch, cpus: 1 }), '-pe smp 1 -l mem_free=4096M');
    assert.equal(asked({ script, batch, cpus: 3 }), '-pe smp 3 -l mem_free=1366M');
    assert.equal(asked({ script, batch, cpus: 4 }), '-pe smp 4');
  });

  test("the parallel environment: the batch's own, else the resource's, else smp", () => {
    const batch = { cpus: 2 };
    const options = { pe: 'openmp' };
    assert.equal(asked({ script: '-pe smp 2', batch, cpus: 2 }), '-pe smp 2');
    assert.equal(asked({ script: '-pe smp 2', batch, cpus: 2, options }), '-pe openmp 2');
    assert.equal(
      asked({ script: '-pe mpi 2', batch: { ...batch, own: ['pe'] }, cpus: 1, options }),
      '-pe mpi 1',
    );
    const fixed = { script: '-pe mpi 8', batch: { ...batch, own: ['pe'] }, cpus: 1, options };
    assert.equal(asked(fixed), '', 'a number of its own stays');
    assert.equal(asked({ ...fixed, script: '-pe mpi 2-8' }), '', 'and so does a range');
  });

  test('a bundle: the time of all its jobs and a margin, unless the batch has its own limit', () => {
    const batch = { time: 60 };
    assert.equal(asked({ script: '-l h_rt=60', batch, time: 300 }), '-l h_rt=360');
    assert.equal(asked({ script: '-l h_rt=7', batch: { time: 60, own: ['l'] }, time: 300 }), '');
    assert.equal(asked({ script: '-l s_rt=7', batch: { time: 60, own: ['l'] }, time: 300 }), '');
  });

  test("the resource's options only where the batch says nothing", () => {
    const options = { l: 'h_rt=9,h_vmem=1G,arch=x', q: 'long.q', P: 'phys', soft: '' };
    assert.equal(asked({ script: '', options }), '-l h_rt=9,h_vmem=1G,arch=x -q long.q -P phys -soft');
    assert.equal(
      asked({
        script: '-l h_rt=60,mem_free=512M -q short.q',
        batch: { time: 60, mem: 512, own: ['q'] },
        time: 60,
        options,
      }),
      '-l h_rt=120 -l arch=x -P phys -soft',
    );
  });

  test('to refuse what it could never run, where that is known at once', () => {
    const foresees = true;
    assert.equal(asked({ script: '', foresees }), '-w e');
    assert.equal(
      asked({ script: '-l h_rt=60', batch: { time: 60 }, time: 60, foresees }),
      '-l h_rt=120 -w e',
    );
    assert.equal(asked({ script: '-l mem_free=1M', batch: { mem: 1 }, foresees }), '');
    assert.equal(asked({ script: '', options: { l: 'fast=1' }, foresees }), '-l fast=1');
    assert.equal(asked({ script: '-w w', batch: { own: ['w'] }, foresees }), '');
  });
});

test('Slurm is asked for the number of each task, the time of a bundle, and for nothing of the resource that the batch says', () => {
  const words = (wish: Wish) => slurm.submission(wishOf(wish)).slice(7).join(' ');
  const script = '--cpus-per-task=4 --mem=100M --time=00:01:00 --no-requeue';
  const batch = { cpus: 4, mem: 100, time: 60 };
  const options = { 'mem-per-cpu': '1G', time: '9', 'cpus-per-task': '9', requeue: '', partition: 'main' };
  assert.equal(
    words({ script, batch, cpus: 1, time: 300, options }),
    '--cpus-per-task=1 --time=6 --requeue --partition=main',
  );
  assert.equal(words({ script: '--no-requeue', options: { mem: '1G' } }), '--mem=1G');
  const own = { ...batch, own: ['cpus-per-gpu', 'time'] };
  assert.equal(words({ script: '--cpus-per-gpu=2 --time=7', batch: own, cpus: 4, time: 60 }), '');
});

const record = (values: Readonly<Record<string, string | number>>) => [
  '='.repeat(62),
  ...Object.entries(values).map(([key, value]) => `${key.padEnd(13)}${value}      `),
];
const task = (taskid: number, failed: string, exit_status: number) =>
  record({ jobname: 'lb-x', jobnumber: 7, taskid, failed, exit_status });

test('how a task ended is told by `failed`, never by an exit status alone', () => {
  const ends = sge.endsIn?.([
    ...task(1, '0', 137),
    ...task(2, '37  : qmaster enforced h_rt, h_cpu, or h_vmem limit', 137),
    ...task(3, '100 : assumedly after job', 137),
    ...task(4, '19  : before writing exit_status', 0),
    ...task(5, '25  : rescheduling', 99),
    ...task(6, '25  : rescheduling', 99),
    ...task(6, '0', 0),
    ...task(7, '26  : opening input/output file', 0),
    'errors 7',
    'job_name:                   lb-x',
    `error reason          7:      11/23/2026 02:26:25 [1005:28953]: can't stat() "/w/7/sge.out" as stdout_path: Permission denied KRB5CCNAME=none uid=1005`,
  ]);
  assert.deepEqual(
    ends?.map(({ task, state, words }) => [task, state, words]),
    [
      [1, 'over', 'exit 137'],
      [2, 'killed', '37: qmaster enforced h_rt, h_cpu, or h_vmem limit'],
      [3, 'killed', '100: assumedly after job (qdel, or a signal)'],
      [4, 'lost', '19: before writing exit_status'],
      [6, 'over', 'exit 0'],
      [7, 'stuck', `Eqw: can't stat() "/w/7/sge.out" as stdout_path: Permission denied`],
    ],
  );
  assert.ok(ends?.every(({ id, name }) => id === '7' && name === 'lb-x'));
});

test('the queue is read as it is written', () => {
  const entry = (state: string, tasks: number) =>
    `<job_list state="pending">
      <JB_job_number>33</JB_job_number>
      <JB_name>lb-a%lt;b</JB_name>
      <state>${state}</state>
      <tasks>${tasks}</tasks>
    </job_list>`;
  const states = ['qw', 'hqw', 'hRwq', 't', 'r', 'Rr', 's', 'dr', 'Eqw'];
  const tasks = sge.tasksIn(
    states
      .map((state, i) => entry(state, i + 1))
      .join('\n')
      .split('\n'),
  );
  assert.deepEqual(
    tasks.map(({ state }) => state),
    ['waiting', 'waiting', 'waiting', 'running', 'running', 'running', 'running', 'running', 'stuck'],
  );
  assert.deepEqual(tasks[8], { name: 'lb-a<b', id: '33', task: 9, state: 'stuck', words: 'Eqw' });
});

test('limits: an array is one job of a user, however many tasks it has', () => {
  const lines = ['max_u_jobs                   5', 'max_aj_tasks                 10', 'max_jobs 0'];
  assert.deepEqual(sge.limitsIn(lines), { tasks: 10, arrays: 5, foresees: false });
  assert.deepEqual(sge.limitsIn(['max_u_jobs 0', 'max_aj_tasks 75000', 'foresees']), {
    tasks: 75000,
    foresees: true,
  });
});
