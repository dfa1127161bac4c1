/** A machine that is full, or where we may not do all that we want to. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import type { Project } from './rig.ts';
import { image, mounted, removeImages } from './single.ts';
import { broken, quiet } from './witness.ts';

const ROOT = process.getuid?.() === 0;
afterEach(removeImages);

describe('somebody without any privilege', { skip: ROOT ? false : 'needs root, to be somebody else' }, () => {
  /** make as the user nobody. */
  function make(of: Project, ...args: string[]) {
    spawnSync('chown', ['-R', '65534:65534', join(of.root, '..')]);
    const { status, stdout, stderr } = spawnSync('make', args, {
      cwd: of.root,
      env: of.environment,
      encoding: 'utf8',
      uid: 65534,
      gid: 65534,
    });
    return { code: status, out: stdout + stderr };
  }

  test('gets results from folders that a job has closed, and can remove them', async () => {
    const of = await image(
      ['inputs: [1, 2, 3]', 'bundle: 3'],
      'mkdir -p {out}/d/e; echo {id} >{out}/d/e/x; echo {id} >{out}/x; chmod 0 {out}/d/e {out}/d\n[ {i0} != 2 ] || chmod 0 {out}',
    );
    for (const args of [[], ['-B'], ['-B']]) {
      const { code, out } = make(of, ...args);
      assert.equal(code, 0, out);
      assert.deepEqual(broken(of), []);
    }
    assert.equal(of.read('data/processed/b/a/Job2/d/e/x'), 'Job2\n');
    assert.equal(make(of, 'distclean', 'RESULTS=1').code, 0);
    assert.deepEqual(of.done(), []);
  });

  test('can run a job again that failed and left closed folders', async () => {
    const of = await image(
      [],
      'mkdir -p {out}/d/e; echo x >{out}/d/e/x; chmod 0 {out}/d; [ -e "$HOME/good" ] || exit 3',
    );
    for (let i = 0; i < 2; i++) assert.match(make(of).out, /^failed {2}b\/a\/Job1: exit 3$/m);
    assert.ok(of.exists('data/processed/b/a/Job1.failed/out'));
    of.write({ '../home/good': '' });
    const { code, out } = make(of);
    assert.equal(code, 0, out);
    assert.ok(!of.exists('data/processed/b/a/Job1.failed'));
  });

  test('is told which output could not be read', async () => {
    const of = await image(
      ['inputs: [1, 2]'],
      'echo x >{out}/x; echo y >{out}/y; [ {i0} = 2 ] || chmod 0 {out}/x',
    );
    const { code, out } = make(of);
    assert.equal(code, 2);
    assert.match(out, /^failed {2}b\/a\/Job1: its results could not be read and listed/m);
    assert.deepEqual(of.done(), ['b/a/Job2']);
  });

  test('who may not write to the image is told so', async () => {
    const of = await image([], ':');
    make(of, '-n');
    for (const path of ['.logobatch', '.logobatch/run']) {
      mkdirSync(join(of.root, path), { recursive: true });
      spawnSync('chown', ['-R', '0:0', join(of.root, path)]);
      chmodSync(join(of.root, path), 0o755);
    }
    const { status, stdout, stderr } = spawnSync('make', {
      cwd: of.root,
      env: of.environment,
      encoding: 'utf8',
      uid: 65534,
      gid: 65534,
    });
    assert.equal(status, 2);
    assert.match(stdout + stderr, /^cannot write to \.logobatch\/run, where make keeps its state$/m);
    assert.deepEqual(of.done(), []);
  });
});

describe('a full disk', () => {
  /** data/processed on a file system of its own; false where that is not allowed. */
  function small(of: Project, megabytes: number): boolean {
    const path = join(of.root, 'data/processed');
    const kept = join(of.root, 'kept');
    spawnSync('cp', ['-a', path, kept]);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', path]).status !== 0)
      return false;
    mounted.push(path);
    spawnSync('cp', ['-a', `${kept}/.`, path]);
    rmSync(kept, { recursive: true });
    return true;
  }

  test('makes the job that fills it fail, or stops the run; with space again make goes on', async t => {
    const of = await image(
      ['inputs: [1, 2, 3, 4, 5, 6]', 'retries: 1'],
      'head -c 400000 /dev/zero >{out}/x && echo {id} >{out}/id',
    );
    if (!small(of, 1)) return t.skip('may not mount');
    const { code, out } = await of.make();
    assert.equal(code, 2, out);
    assert.match(out, /No space left on device|disk full/);
    await quiet(of);
    assert.deepEqual(broken(of), []);
    const attempts = of.read('.logobatch/run/joblog').trim().split('\n').length - 1;
    assert.ok(attempts <= 12, `${attempts} attempts`);
    assert.equal(spawnSync('mount', ['-o', 'remount,size=20m', join(of.root, 'data/processed')]).status, 0);
    const next = await of.make();
    assert.equal(next.code, 0, next.out);
    assert.equal(of.done().length, 6);
    assert.deepEqual(broken(of), []);
  });

  test('where the record is to be written stops the run, and no other job is tried in vain', async t => {
    const of = await image(
      ['inputs: [1, 2, 3, 4, 5, 6]'],
      'cat src/short >{out}/x\n[ {i0} != 3 ] || [ -e "$HOME/space" ] || { cat /dev/zero >data/processed/fill 2>/dev/null || :; }',
    );
    of.write({ 'src/short': 'x' });
    if (!small(of, 1)) return t.skip('may not mount');
    const { code, out } = await of.make(['-j1']);
    assert.equal(code, 2, out);
    assert.match(out, /^stopped {2}this machine cannot write to .* \(disk full, or not allowed\?\)$|listed/m);
    await quiet(of);
    assert.deepEqual(broken(of), []);
    assert.ok(of.done().length < 6);
    of.write({ '../home/space': '', 'data/processed/fill': undefined });
    const next = await of.make();
    assert.equal(next.code, 0, next.out);
    assert.equal(of.done().length, 6);
    assert.deepEqual(broken(of), []);
  });
});
