import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { type Project, project } from './rig.ts';
import { A, ALL, FILES, failing, OTHER, wouldRun } from './study.ts';

describe('the whole run', () => {
  /** A PATH with links of everything but these. */
  function without(image: Project, ...missing: readonly string[]): string {
    const bin = join(image.home, 'programs');
    mkdirSync(bin);
    for (const folder of (process.env.PATH ?? '').split(delimiter).filter(path => existsSync(path))) {
      for (const name of readdirSync(folder)) {
        if (missing.includes(name) || !statSync(join(folder, name), { throwIfNoEntry: false })?.isFile())
          continue;
        if (!lstatSync(join(bin, name), { throwIfNoEntry: false }))
          symlinkSync(join(folder, name), join(bin, name));
      }
    }
    return bin;
  }

  test('needs no node', async () => {
    const image = await project({ files: FILES });
    try {
      const PATH = without(image, 'node', 'nodejs');
      assert.equal(readdirSync(PATH).includes('node'), false);
      const { code, out } = await image.make([], { env: { PATH } });
      assert.equal(code, 0, out);
      assert.deepEqual(image.ran(), ALL);
      for (const goal of ['status', 'verify', 'clean', 'retry', 'help'])
        assert.equal((await image.make([goal], { env: { PATH } })).code, 0);
    } finally {
      image.remove();
    }
  });

  for (const sh of ['bash', 'busybox', 'dash']) {
    test(`works the same where sh is ${sh}`, async () => {
      const image = await project({ files: { ...FILES, 'src/setup.sh': 'echo setup >> "$HOME/ran"\n' }, sh });
      try {
        image.write({
          'batch_info/two.yml': `${OTHER}    setup: src/setup.sh\n    secrets: HOME\n    outputs: c*\n    bundle: 3\n    time: 60\n    env: {X: "a b"}\n`,
        });
        await image.compile();
        failing(image, true);
        const first = await image.make();
        assert.equal(first.code, 2, first.out);
        assert.match(first.out, /^failed {2}one\/a\/Job2: exit 1$/m);
        assert.doesNotMatch(first.out, /not found|syntax|Usage|illegal|bad/i);
        assert.deepEqual(image.ran(), [...A, 'b/Job1', 'b/Job3', 'c/Job1', 'setup']);
        failing(image, false);
        assert.deepEqual(wouldRun((await image.make(['-n'])).out), [
          'would run one/a/Job2: failed last time',
          'would run one/b/Job2: no result yet',
        ]);
        assert.equal((await image.make(['retry'])).code, 0);
        assert.deepEqual(image.ran(), ['a/Job2']);
        image.write({ 'src/new file': '' });
        assert.equal((await image.make()).code, 0);
        assert.deepEqual(image.ran(), [...ALL, 'setup']);
        assert.match((await image.make(['status'])).out, /one\/b +3 +3 +0 +0/);
        assert.match((await image.make(['verify'])).out, /^7 results, 10 files: all as recorded\n$/);
        assert.equal((await image.make()).out, 'nothing to do\n');
        assert.equal((await image.make(['clean'])).code, 0);
        assert.equal((await image.make()).out, 'nothing to do: 7 jobs are unchanged\n');
        assert.equal((await image.make(['distclean', 'RESULTS=1'])).code, 0);
        assert.deepEqual(image.done(), []);
      } finally {
        image.remove();
      }
    });
  }
});
