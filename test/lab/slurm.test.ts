import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { processesOf } from './processes.ts';
import { canSlurm, type Slurm, startSlurm } from './slurm.ts';
import { until } from './waiting.ts';

/** Seconds, for a machine with much else to do. */
const PATIENCE = 60;

describe('a lab with Slurm', { skip: canSlurm() }, () => {
  let slurm: Slurm;
  before(async () => {
    slurm = await startSlurm({ conf: ['MaxArraySize=10', 'MaxJobCount=20'] });
  });
  after(() => slurm?.stop());

  const submit = async (...words: readonly string[]) => {
    const { stdout, stderr } = await slurm.run(['sbatch', '--parsable', ...words]);
    assert.match(stdout, /^\d+\n$/, stderr);
    return stdout.trim();
  };
  const stateOf = (id: string) => slurm.job(id)?.JobState;
  const becomes = (id: string, state: string) =>
    until(`job ${id} is ${state}`, () => stateOf(id) === state, PATIENCE);

  test('runs each element of an array on its nodes, as the user who submitted it', async () => {
    const id = await submit(
      '--array=1-6',
      '--wrap',
      'echo $SLURM_ARRAY_TASK_ID $(id -un) $SLURMD_NODENAME; sleep 1',
    );
    await until('the array is over', () => slurm.queue().length === 0, PATIENCE);
    const outputs = [1, 2, 3, 4, 5, 6].map(i =>
      readFileSync(join(slurm.home, `slurm-${id}_${i}.out`), 'utf8'),
    );
    const words = outputs.map(text => text.trim().split(' '));
    assert.deepEqual(
      words.map(([i, user]) => `${i} ${user}`),
      [1, 2, 3, 4, 5, 6].map(i => `${i} ${slurm.user.name}`),
    );
    assert.ok(words.every(([, , node = '']) => /^n[123]$/.test(node)));
  });

  test('submits from its login node, and shows what waits', async () => {
    const { code, stdout, stderr } = await slurm.ssh([
      'slurmlogin',
      'sbatch --parsable --hold --array=2-3 --job-name="a|b" --wrap true',
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    const job = stdout.trim();
    const common = { job, name: 'a|b', user: slurm.user.name, state: 'PENDING', node: '' };
    const expected = ['2', '3'].map(task => ({ ...common, id: `${job}_${task}`, task }));
    assert.deepEqual(slurm.jobsOf(slurm.user.name), expected);
    assert.deepEqual(slurm.jobsOf('root'), []);
    await slurm.run(['scancel', `${job}_2`]);
    await until('one is left', () => slurm.queue().length === 1, PATIENCE);
    await slurm.run(['scancel', '--name=a|b']);
    await until('none is left', () => slurm.queue().length === 0, PATIENCE);
    assert.ok(slurm.history().some(each => each.job === job && each.state === 'CANCELLED'));
  });

  test('keeps the exit codes of jobs', async () => {
    const codes = [0, 1, 99, 100];
    const ids = await Promise.all(codes.map(code => submit('--wrap', `exit ${code}`)));
    for (const [i, id] of ids.entries()) await becomes(id, codes[i] === 0 ? 'COMPLETED' : 'FAILED');
    assert.deepEqual(
      ids.map(id => slurm.job(id)?.ExitCode),
      ['0:0', '1:0', '99:0', '100:0'],
    );
  });

  test('refuses an array with a larger number than allowed', async () => {
    const { code, stderr } = await slurm.run(['sbatch', '--array=10', '--wrap', 'true']);
    assert.equal(code, 1);
    assert.match(stderr, /Invalid job array specification/);
  });

  test('ends a job that is cancelled while it runs', async () => {
    const id = await submit('--wrap', 'echo up > up; exec sleep 300');
    const isUp = join(slurm.home, 'up');
    await until('it runs', () => existsSync(isUp), PATIENCE);
    await slurm.run(['scancel', id]);
    await becomes(id, 'CANCELLED');
  });

  test('goes on while its controller is away', async () => {
    const id = await submit('--wrap', 'sleep 2; echo done > done');
    await becomes(id, 'RUNNING');
    await slurm.controller.stop();
    const { code, stderr } = await slurm.run(['squeue']);
    assert.equal(code, 1);
    assert.match(stderr, /Unable to contact slurm controller/);
    await until('the job is over', () => existsSync(join(slurm.home, 'done')), PATIENCE);
    await slurm.controller.start();
    await becomes(id, 'COMPLETED');
  });

  test('loses a node with what runs there, and gets it back', async () => {
    const sleep = ['--nodelist=n2', '--wrap', 'exec sleep 300'];
    const [lost, again] = [await submit('--no-requeue', ...sleep), await submit('--requeue', ...sleep)];
    await becomes(lost, 'RUNNING');
    await becomes(again, 'RUNNING');
    const node = slurm.node('n2');
    const sleeping = () => slurm.processes().filter(({ args }) => args === 'sleep 300').length;
    await until('both run', () => sleeping() === 2, PATIENCE);
    node.kill('daemon');
    assert.deepEqual([sleeping(), stateOf(lost)], [2, 'RUNNING'], 'nobody knows of it yet');
    node.kill('machine');
    assert.equal(sleeping(), 0);
    node.down();
    await becomes(lost, 'NODE_FAIL');
    await becomes(again, 'PENDING');
    assert.equal(slurm.job(again)?.Restarts, '1');
    await slurm.run(['scancel', again]);
    await node.start();
    await becomes(await submit('--nodelist=n2', '--wrap', 'true'), 'COMPLETED');
  });

  test('leaves nothing behind', () => {
    const pids = [slurm.controller, ...slurm.nodes.map(({ slurmd }) => slurmd)].map(({ pid }) => pid());
    assert.ok(pids.every(pid => pid !== undefined));
    slurm.stop();
    assert.deepEqual(
      processesOf().filter(({ pid, args }) => pids.includes(pid) || args.includes(slurm.folder)),
      [],
    );
    assert.ok(![slurm.folder, slurm.home].some(path => existsSync(path)));
    assert.doesNotMatch(readFileSync('/etc/passwd', 'utf8'), new RegExp(`^${slurm.user.name}:`, 'm'));
  });
});
