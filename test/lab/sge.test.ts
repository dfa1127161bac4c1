import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { processesOf } from './processes.ts';
import { canSge, type Sge, startSge } from './sge.ts';
import { until } from './waiting.ts';

/** Seconds, for a machine with much else to do; and for a qmaster that is back, which execd notices late. */
const PATIENCE = 60;

describe('a lab with Grid Engine', { skip: canSge() }, () => {
  let sge: Sge;
  before(async () => {
    sge = await startSge({ conf: ['max_u_jobs 5', 'max_aj_tasks 10'] });
  });
  after(() => sge?.stop());

  /** Submits these lines of sh; their job's id, or their array's. */
  const submit = async (script: string, ...options: readonly string[]) => {
    const { stdout, stderr } = await sge.run(['qsub', '-terse', '-N', 'lb-test', ...options], `${script}\n`);
    assert.match(stdout, /^\d+(\.\d+-\d+:\d+)?\n$/, stderr);
    return stdout.trim().replace(/\..*/, '');
  };
  const stateOf = (id: string) => sge.queue().find(each => each.id === id)?.state;
  const becomes = (id: string, state: string | undefined) =>
    until(`job ${id} is ${state ?? 'gone'}`, () => stateOf(id) === state, PATIENCE);
  /** How each run of the job has ended: what Grid Engine says of it, and its exit code. */
  const ends = async (id: string) => {
    await until(`job ${id} has ended`, () => sge.accountsOf(id).length > 0, PATIENCE);
    return sge
      .accountsOf(id)
      .map(({ failed = '', exit_status = '' }) => [failed, Number.parseInt(exit_status, 10)]);
  };

  test('runs each task of an array, as the user who submitted it', async () => {
    const id = await submit('echo $SGE_TASK_ID $(id -un) $(hostname)', '-t', '2-10:4', '-o', 'out.$TASK_ID');
    await until('the array is over', () => sge.queue().length === 0, PATIENCE);
    for (const task of ['2', '6', '10']) {
      const words = readFileSync(join(sge.home, `out.${task}`), 'utf8').trim();
      assert.equal(words, `${task} ${sge.user.name} sgemaster`);
      assert.deepEqual(await ends(`${id}.${task}`), [['0', 0]]);
    }
  });

  test('submits from its login node, and shows what waits', async () => {
    const name = `lb-${'n'.repeat(60)}&a`;
    const { code, stdout, stderr } = await sge.ssh([
      'sgelogin',
      `qsub -terse -h -N '${name}' -t 2-3 -b y true`,
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^\d+\.2-3:1\n$/);
    const job = stdout.split('.')[0] ?? '';
    const common = { job, name, user: sge.user.name, state: 'hqw', node: '' };
    assert.deepEqual(
      sge.queue(),
      ['2', '3'].map(task => ({ ...common, id: `${job}.${task}`, task })),
    );
    await sge.run(['qdel', job, '-t', '2']);
    await until('one is left', () => sge.queue().length === 1, PATIENCE);
    assert.equal((await sge.run(['qdel', 'lb-n*'])).code, 0);
    await until('none is left', () => sge.queue().length === 0, PATIENCE);
    assert.deepEqual(sge.accountsOf(`${job}.3`), [], 'what never ran leaves no account');
  });

  test('keeps the exit codes of jobs, and lets the user read them', async () => {
    const codes = [0, 1, 137, 255];
    const ids: string[] = [];
    for (const code of codes) ids.push(await submit(`exit ${code}`));
    for (const [i, id] of ids.entries()) assert.deepEqual(await ends(id), [['0', codes[i]]]);
    const { code, stdout } = await sge.run(['qacct', '-j', ids[1] ?? '']);
    assert.equal(code, 0);
    assert.match(stdout, /^exit_status +1 /m);
  });

  test('runs a job again that ends with 99, and holds one that ends with 100', async () => {
    const again = await submit('[ "$RESTARTED" = 1 ] || exit 99', '-r', 'n');
    const held = await submit('exit 100');
    await becomes(held, 'Eqw');
    assert.deepEqual(await ends(held), [['30  : application error returned', 100]]);
    await sge.run(['qdel', held]);
    await becomes(again, undefined);
    assert.deepEqual(await ends(again), [
      ['25  : rescheduling', 99],
      ['0', 0],
    ]);
  });

  test('refuses more jobs of a user and longer arrays than allowed', async () => {
    const long = await sge.run(['qsub', '-t', '1-11', '-b', 'y', 'true']);
    assert.deepEqual([long.code, long.stderr.includes('more than 10 tasks')], [1, true], long.stderr);
    for (let i = 0; i < 5; i++) await submit('true', '-h', '-t', '1-10');
    const many = await sge.run(['qsub', '-b', 'y', 'true']);
    assert.deepEqual(
      [many.code, many.stderr.includes('only 5 jobs are allowed per user')],
      [25, true],
      many.stderr,
    );
    await sge.run(['qdel', '*']);
    await until('none is left', () => sge.queue().length === 0, PATIENCE);
  });

  test('ends a job that is deleted while it runs, and one that takes too long', async () => {
    const deleted = await submit('sleep 300');
    const late = await submit('sleep 300', '-l', 'h_rt=2');
    await becomes(deleted, 'r');
    await sge.run(['qdel', deleted]);
    assert.deepEqual(await ends(deleted), [['100 : assumedly after job', 137]]);
    assert.deepEqual(await ends(late), [['37  : qmaster enforced h_rt, h_cpu, or h_vmem limit', 137]]);
    assert.deepEqual(sge.processes(), []);
  });

  test('gives a job the slots that it asks for', async () => {
    const id = await submit('echo $NSLOTS', '-pe', 'smp', '2', '-j', 'y', '-o', 'slots');
    assert.deepEqual(await ends(id), [['0', 0]]);
    assert.equal(readFileSync(join(sge.home, 'slots'), 'utf8'), '2\n');
  });

  test('loses its execd, with what runs there or without, and gets it back', async () => {
    const [short, lost] = [await submit('sleep 8'), await submit('sleep 300')];
    const sleeping = () => sge.processes().filter(({ args }) => /^sleep \d+$/.test(args)).length;
    for (const id of [short, lost]) await becomes(id, 'r');
    await until('both run', () => sleeping() === 2, PATIENCE);
    sge.execd.kill('daemon');
    assert.equal(sleeping(), 2);
    await until('the short one is over', () => sleeping() === 1, PATIENCE);
    assert.deepEqual([short, lost].map(stateOf), ['r', 'r'], 'nobody knows of it yet');
    sge.execd.kill('machine');
    assert.equal(sleeping(), 0);
    await sge.execd.start();
    // Execd looks once a minute for what it has lost, so this is not waited for.
    assert.equal(stateOf(lost), 'r');
    sge.admin('qdel', '-f', '-u', sge.user.name);
    await until('they are forgotten', () => sge.queue().length === 0, PATIENCE);
    assert.deepEqual(await ends(await submit('true')), [['0', 0]]);
  });

  test('goes on while its qmaster is away', async () => {
    const id = await submit('sleep 3; echo done > done');
    await becomes(id, 'r');
    await sge.qmaster.stop();
    const { code, stderr } = await sge.run(['qstat']);
    assert.equal(code, 1);
    assert.match(stderr, /unable to send message to qmaster/);
    await until('the job is over', () => existsSync(join(sge.home, 'done')), PATIENCE);
    await sge.qmaster.start();
    assert.equal(stateOf(id), 'r');
    assert.deepEqual(await ends(id), [['0', 0]]);
  });

  test('leaves nothing behind', () => {
    const pids = [sge.qmaster, sge.execd].map(({ pid }) => pid());
    assert.ok(pids.every(pid => pid !== undefined));
    sge.stop();
    assert.deepEqual(
      processesOf().filter(({ pid, args }) => pids.includes(pid) || args.includes(sge.folder)),
      [],
    );
    const network = sge.login.network?.name ?? '';
    const gone = [sge.folder, sge.home, `/run/netns/${network}`, `/sys/class/net/${network}`];
    assert.deepEqual(
      gone.filter(path => existsSync(path)),
      [],
    );
    assert.doesNotMatch(readFileSync('/etc/passwd', 'utf8'), new RegExp(`^${sge.user.name}:`, 'm'));
  });
});
