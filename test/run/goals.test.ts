import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { note, type Project, project } from './rig.ts';
import { A, ALL, B, FILES, failing, ran, TWO } from './study.ts';

describe('make', () => {
  let image: Project;
  beforeEach(async () => {
    image = await project({ files: FILES });
  });
  afterEach(() => image.remove());

  const goals: readonly (readonly [args: readonly string[], expected: readonly string[]])[] = [
    [[], ALL],
    [['all'], ALL],
    [['one'], [...A, ...B]],
    [['one/a'], A],
    [['one/b'], [...A, ...B]],
    [['one/a/Job2'], ['a/Job2']],
    [['data/processed/one/a/Job2'], ['a/Job2']],
    [['data/processed/one/a/Job2/'], ['a/Job2']],
    [['data/processed/one/a/'], A],
    [['data/processed/two'], ['c/Job1']],
    [['one/b/Job3'], ['a/Job3', 'b/Job3']],
    [
      ['one/a/Job1', 'two'],
      ['a/Job1', 'c/Job1'],
    ],
    [
      ['two', 'one/b/Job1', 'two/c'],
      ['a/Job1', 'b/Job1', 'c/Job1'],
    ],
    [['-j'], ALL],
    [['-j1'], ALL],
    [['-j', '3', '-k', '--no-print-directory', '-r'], ALL],
    [['--jobs=2', '-w', '--output-sync=line'], ALL],
  ];
  for (const [args, expected] of goals) {
    test(`${args.join(' ')} runs what that asks for`, async () => {
      assert.deepEqual(await ran(image, args), expected);
      assert.deepEqual(await ran(image, args, 0, /nothing to do\n/), []);
    });
  }

  for (const goal of [
    'nonsense',
    'one/nonsense',
    'one/a/Job99',
    'processed/nonsense',
    'a b',
    'it’s',
    "it's",
    '$(touch pwned)',
    'one/../two',
    ';',
    'jobfile.sh',
  ]) {
    test(`ends with 2 and names ${goal}, a target that is not there`, async () => {
      const { code, out } = await image.make([goal]);
      assert.equal(code, 2, out);
      assert.ok(out.includes(goal.replace('$(touch pwned)', '')), out);
      assert.deepEqual(image.ran(), []);
      assert.deepEqual(readdirSync(image.root).includes('pwned'), false);
    });
  }

  test('says what there is instead of a target that is not there, and runs nothing', async () => {
    for (const [goal, says] of [
      ['nonsense', /^there is no target nonsense; there are one two and what make help lists$/m],
      ['one/aa', /^there is no target one\/aa; one has one\/a one\/b$/m],
      ['data/processed/one/aa/', /^there is no target one\/aa; one has one\/a one\/b$/m],
      ['one/a/Job9', /^there is no target one\/a\/Job9; one\/a has no such job, or its jobfile is missing/m],
      ['one/../two', /^there is no target one\/\.\.\/two; there are one two and/m],
    ] as const)
      assert.deepEqual(await ran(image, ['one/a/Job1', goal, 'status'], 2, says), []);
  });

  test('ends with 2 when a job failed, and runs all that does not need it', async () => {
    failing(image, true);
    assert.deepEqual(await ran(image, [], 2, /^5 done, 1 failed, 1 not run because of that in \d+ s/m), [
      ...A,
      'b/Job1',
      'b/Job3',
      'c/Job1',
    ]);
    assert.deepEqual(await ran(image, [], 2), ['a/Job2']);
    failing(image, false);
    assert.deepEqual(await ran(image, []), ['a/Job2', 'b/Job2']);
  });

  test('sums up jobs of a batch that failed alike in one line', async () => {
    const alike = `batches:
  - {name: few, inputs: [1, 2, 3], command: 'exit {i0}'}
  - {name: same, inputs: [1, 2, 3], command: 'exit 4'}
  - {name: none, inputs: [1, 2], requires: [no-such-program], command: ':'}
  - {name: many, inputs: {matrix: {i: {from: 1, to: 26}}}, command: 'exit {i}'}
`;
    image.write({ 'batch_info/alike.yml': alike });
    await image.compile();
    const { out } = await image.make(['-j1', 'alike']);
    const summary = out.slice(out.indexOf('0 done, 34 failed in ')).split('\n').slice(1);
    const log = (job: string) => `data/processed/alike/${job}.failed/job.err`;
    assert.deepEqual(summary.slice(0, 5), [
      ...[1, 2, 3].map(i => `  alike/few/Job${i}: exit ${i}  (${log(`few/Job${i}`)})`),
      `  3 jobs of alike/same: exit 4  (${log('same/Job1')} …)`,
      '  2 jobs of alike/none: needs the program no-such-program, which local does not have  (they were not started)',
    ]);
    assert.equal(summary[20], '  … and 11 more, in .logobatch/run/failed');
  });

  test('says how often a queue was asked, in good grammar', async () => {
    // The job stands in for the runtime here.
    const counts =
      'for n in 0 1 2; do mkdir -p .logobatch/run/nodes/q$n; echo $n $n 0 > .logobatch/run/nodes/q$n/counts; done';
    image.write({ 'batch_info/three.yml': `batches:\n  - {name: d, command: '${counts}'}\n` });
    await image.compile();
    await ran(
      image,
      ['three'],
      0,
      /^ {2}q0: 0 submissions, 0 queries of its queue\n {2}q1: 1 submission, 1 query of its queue\n {2}q2: 2 submissions, 2 queries/m,
    );
  });

  test('says what has changed since the last compile, by its contents', async () => {
    const changed = (...names: readonly string[]) =>
      new RegExp(`^note {4}changed since the last compile: ${names.join(' ')} \\(logobatch compile`, 'm');
    await ran(image, []);
    const text = image.read('batch_info/one.yml');
    image.write({ 'batch_info/one.yml': `${text}# more\n`, 'batch_info/new.yml': 'batches: []\n' });
    for (const goal of ['-n', 'all', 'status'])
      assert.match((await image.make([goal])).out, changed('batch_info/one.yml', 'batch_info/new.yml'));
    image.write({ 'batch_info/one.yml': text });
    assert.match((await image.make()).out, changed('batch_info/new.yml'));
    image.write({ 'batch_info/new.yml': undefined });
    assert.match((await image.make()).out, /^nothing to do.*\n$/);
    image.write({ 'batch_info/one.yml': `${text}# more\n` });
    await image.compile();
    assert.match((await image.make()).out, /^nothing to do.*\n$/);
  });

  test('says what brings jobfiles back, and runs the rest', async () => {
    image.write({ 'data/processed/one/a/Job1': undefined, 'data/processed/one/a/Job2': undefined });
    const { code, out } = await image.make();
    assert.equal(code, 2, out);
    assert.match(
      out,
      /^the jobfile of one\/a\/Job1 is missing, and 1 more: logobatch compile writes it again$/m,
    );
    assert.doesNotMatch(out, /No rule/);
    assert.ok(image.ran().includes('a/Job3'));
  });

  test('retry runs exactly what failed', async () => {
    assert.deepEqual(await ran(image, ['retry'], 0, /nothing has failed/), []);
    failing(image, true);
    await ran(image, ['one'], 2);
    failing(image, false);
    assert.deepEqual(await ran(image, ['retry']), ['a/Job2']);
    assert.deepEqual(await ran(image, ['retry'], 0, /nothing has failed/), []);
    assert.deepEqual(await ran(image, ['retry', 'two']), ['c/Job1']);
    assert.deepEqual(await ran(image, []), ['b/Job2']);
  });

  test('retry runs a job that could not even start', async () => {
    image.write({
      'batch_info/three.yml': `batches:\n  - name: d\n    requires: [to-be-installed]\n    command: '${note('d')}'\n`,
    });
    await image.compile();
    await ran(image, ['three'], 2, /needs the program to-be-installed/);
    writeFileSync(join(image.bin, 'to-be-installed'), '#!/bin/sh\n', { mode: 0o755 });
    assert.deepEqual(await ran(image, ['retry']), ['d/Job1']);
    assert.deepEqual(await ran(image, ['retry'], 0, /nothing has failed/), []);
  });

  test('retry leaves a failed job alone whose row is gone', async () => {
    failing(image, true);
    await ran(image, ['one'], 2);
    image.write({ 'batch_info/one.yml': TWO.replaceAll('["1", "2", "3"]', '["1", "3"]') });
    await image.compile();
    assert.deepEqual(await ran(image, ['retry'], 0, /nothing has failed/), []);
    assert.deepEqual(await ran(image, ['clean', 'STALE=1'], 0, /removed data\/processed\/one\/a\/Job2/), []);
    assert.deepEqual(await ran(image, ['one'], 0, /nothing to do/), []);
  });

  test('status counts what is done, to do and failed', async () => {
    failing(image, true);
    await ran(image, ['one'], 2);
    const { code, out } = await image.make(['status']);
    assert.equal(code, 0);
    const rows = out
      .trim()
      .split('\n')
      .map(line => line.trim().split(/ {2,}/));
    assert.deepEqual(rows, [
      ['batch', 'jobs', 'done', 'to do', 'failed'],
      ['one/a', '3', '2', '1', '1'],
      ['one/b', '3', '2', '1', '0'],
      ['two/c', '1', '0', '1', '0'],
    ]);
  });

  test('status counts jobs that could not start among the failed ones, and none whose row is gone', async () => {
    image.write({ 'batch_info/one.yml': TWO.replace('command', 'requires: [no-such-program]\n    command') });
    await image.compile();
    await ran(image, ['one'], 2);
    image.write({ 'data/processed/one/a/Job9.failed/job.err': '' });
    assert.match((await image.make(['status'])).out, /^one\/a +3 +0 +3 +3$/m);
  });

  test('verify finds changed and missing results, and broken records', async () => {
    await ran(image, []);
    assert.deepEqual(await ran(image, ['verify'], 0, /^7 results, 10 files: all as recorded\n$/), []);
    image.write({ 'data/processed/one/a/Job1/x': 'changed\n' });
    await ran(image, ['verify'], 2, /data\/processed\/one\/a\/Job1\/x: FAILED/);
    image.write({ 'data/processed/one/a/Job1/x': '1\n', 'data/processed/one/b/Job3/x': undefined });
    await ran(image, ['verify'], 2, /data\/processed\/one\/b\/Job3\/x/);
    image.write({ 'data/processed/one/b/Job3/x': '3\n' });
    await ran(image, ['verify'], 0);
    image.write({ 'data/processed/two/c/Job1/.done': 'logobatch 1 x' });
    await ran(image, ['verify'], 2, /two\/c\/Job1/);
  });

  test('verify reads results behind a link, too', async () => {
    await ran(image, []);
    execFileSync('sh', ['-c', 'mv data/processed ../elsewhere && ln -s ../../elsewhere data/processed'], {
      cwd: image.root,
    });
    await ran(image, ['verify'], 0, /^7 results, 10 files: all as recorded\n$/);
    image.write({ 'data/processed/one/a/Job1/x': 'changed\n' });
    await ran(image, ['verify'], 2, /data\/processed\/one\/a\/Job1\/x: FAILED/);
  });

  test('clean forgets what failed and the run state, never a result', async () => {
    failing(image, true);
    await ran(image, [], 2);
    const done = image.done();
    assert.deepEqual(await ran(image, ['clean']), []);
    assert.deepEqual(image.done(), done);
    assert.equal(image.exists('data/processed/one/a/Job2.failed'), false);
    assert.deepEqual(readdirSync(join(image.root, '.logobatch/run')), ['lock']);
    assert.deepEqual(await ran(image, [], 2), ['a/Job2']);
  });

  test('distclean wants RESULTS=1, then removes all results and keeps what compile wrote', async () => {
    const compiled = readdirSync(image.root, { recursive: true, encoding: 'utf8' }).filter(
      path => !path.startsWith('.logobatch/run'),
    );
    await ran(image, []);
    assert.deepEqual(await ran(image, ['distclean'], 2, /make distclean RESULTS=1/), []);
    assert.equal(image.done().length, 7);
    assert.deepEqual(await ran(image, ['distclean', 'RESULTS=1']), []);
    const left = readdirSync(image.root, { recursive: true, encoding: 'utf8' }).filter(
      path => !path.startsWith('.logobatch/run'),
    );
    assert.deepEqual(left.sort(), compiled.sort());
    assert.deepEqual(await ran(image, []), ALL);
  });

  test('help names every target, and up, down and cancel have nothing to do', async () => {
    const { code, out } = await image.make(['help']);
    assert.equal(code, 0);
    for (const word of [
      '-n',
      '-j',
      '-B',
      'retry',
      'status',
      'cancel',
      'verify',
      'clean',
      'STALE=1',
      'distclean',
      'up',
      'down',
    ])
      assert.match(out, new RegExp(`^make .*${word}`, 'm'));
    assert.deepEqual(await ran(image, ['cancel'], 0, /no make is running here/), []);
    assert.deepEqual(await ran(image, ['up', 'down']), []);
  });

  test('a goal of ours and one of the tables’ may stand together', async () => {
    await ran(image, ['one/a/Job1']);
    assert.deepEqual(await ran(image, ['verify', 'one/a/Job2', 'status']), ['a/Job2']);
  });
});
