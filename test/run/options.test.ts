import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Project, project } from './rig.ts';
import { A, ALL, B, FILES, failing, ran, wouldRun } from './study.ts';

/** Everything below a folder: kind, mode, time and contents. */
function tree(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(path => {
      const full = join(root, path);
      const stats = lstatSync(full);
      const content = stats.isFile()
        ? readFileSync(full, 'latin1')
        : stats.isSymbolicLink()
          ? readlinkSync(full)
          : '';
      return `${path} ${stats.mode} ${stats.mtimeMs} ${content}`;
    });
}

describe('make called with', () => {
  let image: Project;
  beforeEach(async () => {
    image = await project({ files: FILES });
  });
  afterEach(() => image.remove());

  test('-C runs from elsewhere, with the image’s root as each job’s folder, no input and an empty {out}', async () => {
    const { code, out } = await image.make(['-C', image.root], { cwd: '/', input: 'not for jobs\n' });
    assert.equal(code, 0, out);
    assert.equal(image.read('data/processed/two/c/Job1/cwd'), `${image.root}\n`);
    assert.equal(readFileSync(join(image.home, 'listing'), 'utf8'), 'cwd\n');
    assert.equal(image.read('data/processed/one/a/Job1/stdin'), '');
  });

  test('GRID=local runs on this machine; a grid that is not there, or no number of slots, is refused before anything runs', async () => {
    for (const [args, env, said] of [
      [['GRID=lab.yml'], {}, /^there is no grid file lab\.yml/m],
      [[], { LOGOBATCH_LOCAL_SLOTS: '2x' }, /^LOGOBATCH_LOCAL_SLOTS=2x must be a whole number/m],
    ] as const) {
      const { code, out } = await image.make(args, { env });
      assert.equal(code, 2);
      assert.match(out, said);
      assert.deepEqual(image.ran(), []);
    }
    assert.equal((await image.make(['GRID=local'])).code, 0);
    assert.deepEqual(image.ran(), ALL);
  });

  test('GRID=FILE with a mistake shows its place as logobatch does', async () => {
    image.write({ 'grid.yml': 'compute:\n  - name: lab\n    type:  shs\n    hostname: lab\n' });
    const { code, out } = await image.make(['GRID=grid.yml']);
    assert.equal(code, 2);
    assert.match(out, /^ 3 \| {5}type: {2}shs\n {3}\| {12}\^\^\^$/m);
    assert.deepEqual(image.ran(), []);
  });

  test('-n says what would run and why, and changes nothing at all', async () => {
    const before = tree(image.root);
    const { code, out } = await image.make(['-n']);
    assert.equal(code, 0);
    assert.deepEqual(wouldRun(out), [
      ...A.map(job => `would run one/${job}: no result yet`),
      ...B.map(job => `would run one/${job}: no result yet`),
      'would run two/c/Job1: no result yet',
    ]);
    assert.deepEqual(tree(image.root), before);
    assert.deepEqual(image.ran(), []);
  });

  test('-n of a complete image that was touched and changed changes nothing either', async () => {
    failing(image, true);
    await ran(image, [], 2);
    failing(image, false);
    image.write({ 'src/x': 'changed', 'src/new': '' });
    const before = tree(image.root);
    const { out } = await image.make(['-n', 'one/a']);
    assert.deepEqual(wouldRun(out), [
      'would run one/a/Job1: src changed',
      'would run one/a/Job2: failed last time',
      'would run one/a/Job3: src changed',
    ]);
    for (const args of [
      ['-n', 'retry'],
      ['-n', 'clean'],
      ['-n', 'distclean', 'RESULTS=1'],
      ['-n', 'cancel'],
      ['-q'],
      ['-n', 'status'],
      ['status'],
      ['verify'],
      ['help'],
      ['-n', 'help'],
    ]) {
      await image.make(args);
      assert.deepEqual(tree(image.root), before, args.join(' '));
    }
  });

  test('-q tells by its exit code whether there is something to do', async () => {
    const before = tree(image.root);
    assert.notEqual((await image.make(['-q'])).code, 0);
    assert.deepEqual(tree(image.root), before);
    assert.deepEqual(await ran(image, []), ALL);
    assert.equal((await image.make(['-q'])).code, 0);
  });

  test('-s says nothing while all is well', async () => {
    assert.equal((await image.make(['-s'])).out, '');
    assert.equal((await image.make(['-s'])).out, '');
    image.write({ 'src/x': '2' });
    failing(image, true);
    const { code, out } = await image.make(['-s', '--no-print-directory']);
    assert.equal(code, 2);
    assert.match(out, /^failed {2}one\/a\/Job2: exit 1\n(.*\n)*5 done, 1 failed, /m);
    assert.doesNotMatch(out, /running/);
  });

  test('-B runs the target again although nothing changed, and not what it needs', async () => {
    await ran(image, []);
    assert.deepEqual(await ran(image, ['-B', 'one/a/Job2']), ['a/Job2']);
    assert.deepEqual(await ran(image, ['-B', 'one/b/Job2']), ['b/Job2']);
    assert.deepEqual(await ran(image, ['-B', 'one/b']), B);
    assert.deepEqual(await ran(image, []), []);
    assert.deepEqual(await ran(image, ['-B']), ALL);
  });

  test('after a -B that failed runs that job again', async () => {
    await ran(image, []);
    failing(image, true);
    assert.deepEqual(await ran(image, ['-B', 'one/a/Job2'], 2), ['a/Job2']);
    failing(image, false);
    assert.deepEqual(await ran(image, ['retry']), ['a/Job2']);
    assert.deepEqual(await ran(image, [], 0, /nothing to do/), []);
  });

  for (const [args, most] of [
    [['-j1'], 1],
    [['-j', '2'], 2],
    [[], 3],
    [['-j64'], 3],
  ] as const) {
    test(`${args.join(' ')} has at most ${most} of 3 slots busy`, async () => {
      const busy = `batches:\n  - {name: a, command: 'echo 1 >> "$HOME/busy"; sleep 0.2; echo -1 >> "$HOME/busy"', inputs: [p, q, r, s, t, u]}\n`;
      const three = await project({ files: { 'batch_info/b.yml': busy }, slots: 3 });
      try {
        assert.equal((await three.make(args)).code, 0);
        let [now, high] = [0, 0];
        for (const line of readFileSync(join(three.home, 'busy'), 'utf8').trim().split('\n')) {
          now += Number(line);
          high = Math.max(high, now);
        }
        assert.deepEqual([now, high], [0, most]);
      } finally {
        three.remove();
      }
    });
  }

  for (const flag of ['-t', '-i', '-e']) {
    test(`${flag} is refused`, async () => {
      const { code, out } = await image.make([flag]);
      // Under -i make itself ignores that it failed, and says so.
      assert.equal(code, flag === '-i' ? 0 : 2);
      assert.match(out, /not supported here/);
      assert.deepEqual(image.ran(), []);
      assert.deepEqual(image.done(), []);
    });
  }
});
