import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { arrayDirectives, jobDirectives } from '../../src/emit/directives.ts';
import { type MadeBatch, madeBatch } from '../made-image.ts';

const array = (more: Partial<MadeBatch>) => arrayDirectives(madeBatch({ name: 'fire', ...more }));
/** Without the two lines that every array has. */
const asked = (more: Partial<MadeBatch>) =>
  array(more).filter(line => !/^#(SBATCH --job-name=|\$ -N )/.test(line));
const GIB = 2 ** 30;
const map = (entries: Record<string, string>) => new Map(Object.entries(entries));

describe('the directives of a job array', () => {
  test('name it, and keep a scheduler from starting a task again', () => {
    assert.deepEqual(array({}), [
      '#SBATCH --job-name=fire --no-requeue',
      '#$ -N fire -S /bin/sh -cwd -j y -r n',
    ]);
  });

  test('leave starting again to a batch that says something of it', () => {
    const [slurm] = array({ slurm: map({ requeue: '' }) });
    const [, , sge] = array({ slurm: map({ requeue: '' }), sge: map({ r: 'y' }) });
    assert.deepEqual([slurm, sge], ['#SBATCH --job-name=fire', '#$ -N fire -S /bin/sh -cwd -j y']);
  });

  test('say what a job needs to both schedulers', () => {
    assert.deepEqual(asked({ cpus: 4, mem: 4 * GIB, gpus: 1, time: 5400 }), [
      '#SBATCH --cpus-per-task=4 --mem=4096M --gpus=1 --time=01:30:00',
      '#$ -pe smp 4 -l h_rt=5400,mem_free=1024M,gpu=1',
    ]);
  });

  test('say nothing that the batch does not ask for', () => assert.deepEqual(asked({ cpus: 1 }), []));

  test('round up: never less than was asked for', () => {
    assert.deepEqual(asked({ cpus: 3, mem: 1.5 * 2 ** 20, time: 59.5 }), [
      '#SBATCH --cpus-per-task=3 --mem=2M --time=00:01:00',
      '#$ -pe smp 3 -l h_rt=60,mem_free=1M',
    ]);
    assert.deepEqual(asked({ time: 36 * 3600 + 61 })[0], '#SBATCH --time=36:01:01');
  });

  test('are those of the largest job of a threadtest', () => {
    const threads = { lower: 1, upper: 8 };
    assert.deepEqual(asked({ cpus: 8, threads }), ['#SBATCH --cpus-per-task=8', '#$ -pe smp 8']);
  });

  test('give native options a line each, in their order', () => {
    const slurm = map({ partition: 'main', comment: 'a "b" \\', exclusive: '' });
    const sge = map({ q: 'all.q', notify: '', M: 'a@b.org' });
    assert.deepEqual(asked({ slurm, sge }), [
      '#SBATCH --partition=main',
      '#SBATCH --comment="a \\"b\\" \\\\"',
      '#SBATCH --exclusive',
      '#$ -q all.q',
      '#$ -notify',
      '#$ -M a@b.org',
    ]);
  });

  const slurmSame: [Record<string, string>, string[]][] = [
    [{ 'cpus-per-task': '9' }, ['--mem=1024M --gpus=1 --time=00:01:00', '--cpus-per-task=9']],
    [{ 'mem-per-cpu': '9' }, ['--cpus-per-task=2 --gpus=1 --time=00:01:00', '--mem-per-cpu=9']],
    [{ gres: 'gpu:a100:1' }, ['--cpus-per-task=2 --mem=1024M --time=00:01:00', '--gres=gpu:a100:1']],
    [{ gres: 'lustre:1' }, ['--cpus-per-task=2 --mem=1024M --gpus=1 --time=00:01:00', '--gres=lustre:1']],
    [{ time: '5' }, ['--cpus-per-task=2 --mem=1024M --gpus=1', '--time=5']],
    [{ 'mem-bind': 'local' }, ['--cpus-per-task=2 --mem=1024M --gpus=1 --time=00:01:00', '--mem-bind=local']],
  ];
  const sgeSame: [Record<string, string>, string[]][] = [
    [{ l: 'h_vmem=9G' }, ['-pe smp 2 -l h_rt=60,gpu=1', '-l h_vmem=9G']],
    [{ l: 'h_rt=5,ngpus=1' }, ['-pe smp 2 -l mem_free=512M', '-l h_rt=5,ngpus=1']],
    [{ l: 'arch=mem' }, ['-pe smp 2 -l h_rt=60,mem_free=512M,gpu=1', '-l arch=mem']],
    [{ pe: 'mpi 16' }, ['-l h_rt=60,mem_free=64M,gpu=1', '-pe mpi 16']],
    [{ pe: 'openmp' }, ['-pe openmp 2 -l h_rt=60,mem_free=512M,gpu=1']],
  ];
  const needs = { cpus: 2, mem: GIB, gpus: 1, time: 60 };
  for (const [slurm, lines] of slurmSame) {
    test(`let sbatch's ${JSON.stringify(slurm)} stand alone`, () => {
      const found = asked({ ...needs, slurm: map(slurm) }).filter(line => line.startsWith('#SBATCH'));
      assert.deepEqual(
        found,
        lines.map(line => `#SBATCH ${line}`),
      );
    });
  }
  for (const [sge, lines] of sgeSame) {
    test(`let qsub's ${JSON.stringify(sge)} stand alone`, () => {
      const found = asked({ ...needs, sge: map(sge) }).filter(line => line.startsWith('#$'));
      assert.deepEqual(
        found,
        lines.map(line => `#$ ${line}`),
      );
    });
  }

  test('keep a name from qsub that it would refuse', () => {
    const names = ['9x', 'NONE', 'a+b.c-d', 'x9'];
    const found = names.map(name => /-N (\S+)/.exec(arrayDirectives(madeBatch({ name })).join(' '))?.[1]);
    assert.deepEqual(found, ['batch_9x', 'batch_NONE', 'a+b.c-d', 'x9']);
  });
});

describe('the directives of a jobfile', () => {
  const job = { cpus: '3', out: 'data/processed/b/fire/Job1', slotMem: '342' };

  test('are none where the batch asks for nothing', () => {
    assert.deepEqual(jobDirectives(madeBatch({ name: 'fire' }), job), []);
  });

  test('send the output into the folder of the job', () => {
    assert.deepEqual(jobDirectives(madeBatch({ name: 'fire', cpus: 3, mem: GIB, shell: 'bash' }), job), [
      '#SBATCH --output=data/processed/b/fire/Job1/slurm.out',
      '#SBATCH --cpus-per-task=3 --mem=1024M',
      '#$ -S /bin/bash -cwd -j y -o data/processed/b/fire/Job1/job.out',
      '#$ -pe smp 3 -l mem_free=342M',
    ]);
  });
});
