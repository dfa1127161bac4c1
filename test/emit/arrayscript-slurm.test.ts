/** A job array submitted by hand to a real Slurm, as the comment at its head says. */
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compile } from '../../src/compile.ts';
import { canSlurm, type Slurm, startSlurm } from '../lab/slurm.ts';
import { until } from '../lab/waiting.ts';

/** Seconds, for a machine with much else to do. */
const PATIENCE = 60;

const BBATCH = `batches:
  - name: 1fire
    command: "echo {x} $LB_CPUS $SLURM_CPUS_PER_TASK $SLURM_JOB_NAME > {out}/x; echo said {n}"
    inputs: {matrix: {x: [a, "b c", d]}}
    cpus: 2
    mem: 100M
    time: 2m
    slurm: {comment: 'of "mine"', partition: main}
`;

describe('a job array in a real Slurm', { skip: canSlurm() }, () => {
  let slurm: Slurm;
  let root: string;
  before(async () => {
    slurm = await startSlurm({ login: false });
    root = join(slurm.home, 'my image');
    mkdirSync(join(root, 'batch_info'), { recursive: true });
    mkdirSync(join(root, 'src'));
    writeFileSync(join(root, 'src/x'), '');
    writeFileSync(join(root, 'batch_info/b.yml'), BBATCH);
    const made = await compile(root, { dryRun: false, force: false });
    assert.equal(made.kind, 'done', JSON.stringify(made));
    const { uid, gid } = slurm.user;
    const paths = readdirSync(root, { recursive: true, encoding: 'utf8' });
    for (const path of ['', ...paths]) chownSync(join(root, path), uid, gid);
  });
  after(() => slurm?.stop());

  const SCRIPT = '.logobatch/arrays/b/1fire.sh';
  /** Submits from the image's root; the id of the job, once all of it is over. */
  const submit = async (...words: readonly string[]) => {
    const { stdout, stderr } = await slurm.run([
      ...['sh', '-c', 'cd "my image" && exec sbatch --parsable "$@"', 'sh'],
      ...words,
    ]);
    assert.match(stdout, /^\d+\n$/, stderr);
    await until('it is over', () => slurm.queue().length === 0, PATIENCE);
    return stdout.trim();
  };
  const output = (name: string) => readFileSync(join(root, name), 'utf8');

  test('runs the jobs of the batch, each with what it asks for', async () => {
    const id = await submit('--array=1-3', SCRIPT);
    const jobs = [1, 2, 3];
    const results = jobs.map(i => output(`data/processed/b/1fire/Job${i}/x`));
    assert.deepEqual(results, ['a 2 2 1fire\n', 'b c 2 2 1fire\n', 'd 2 2 1fire\n']);
    assert.deepEqual(
      jobs.map(i => output(`slurm-${id}_${i}.out`)),
      ['said 1\n', 'said 2\n', 'said 3\n'],
    );
    const { TimeLimit, Partition, Requeue, MinMemoryNode } = slurm.job(`${id}_1`) ?? {};
    assert.deepEqual([TimeLimit, Partition, Requeue, MinMemoryNode], ['00:02:00', 'main', '0', '100M']);
  });

  test('says what is wrong with a number past the last job, or none', async () => {
    const beyond = await submit('--array=4', SCRIPT);
    assert.equal(output(`slurm-${beyond}_4.out`), 'b/1fire: there is no job 4: the batch has 3 jobs\n');
    const none = await submit(SCRIPT);
    assert.match(
      output(`slurm-${none}.out`),
      /^b\/1fire: no task of a job array: submit with sbatch --array=1-3 /,
    );
    assert.equal(slurm.job(none)?.ExitCode, '2:0');
  });

  test('a jobfile alone leaves its output in the folder of its job', async () => {
    rmSync(join(root, 'data/processed/b/1fire/Job2/x'));
    await submit('data/processed/b/1fire/Job2/jobfile.sh');
    assert.ok(existsSync(join(root, 'data/processed/b/1fire/Job2/x')));
    assert.equal(output('data/processed/b/1fire/Job2/slurm.out'), 'said 2\n');
  });
});
