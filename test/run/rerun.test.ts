import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { note, type Project, project } from './rig.ts';

/** Three levels: `each`, whole, and one that stands alone. The column `aside` is in no result. */
const STUDY = `batches:
  - name: prep
    command: '${note('prep')}; echo "$LB_value" > {out}/v; : {value} {aside}'
    inputs: rows.csv
    shared: [src/common]
  - name: sim
    command: '${note('sim')}; cat data/processed/study/prep/{id}/v "data/external/map {value}.txt" > {out}/s'
    inputs: rows.csv
    needs: {each: prep}
    files: data/external/map {value}.txt
    shared: [src/sim]
  - name: sum
    command: '${note('sum')}; cat data/processed/study/sim/*/s | wc -l > {out}/lines'
    needs: [sim]
    shared: [src/common]
  - name: last
    command: '${note('last')}; cat data/processed/study/sum/Job1/lines > {out}/l'
    needs: [sum]
    shared: [src/common]
  - name: alone
    command: '${note('alone')}; echo $LEVEL > {out}/level'
    env: {LEVEL: low}
`;
const ROWS = ['value,aside', 'a,1', 'b,2', 'c,3'];
const FILES = {
  'batch_info/study.yml': STUDY,
  'batch_info/rows.csv': `${ROWS.join('\n')}\n`,
  'src/common/lib.sh': '# common\n',
  'src/sim/model.py': 'pass\n',
  'data/raw/base.txt': 'base\n',
  'data/external/map a.txt': 'A\n',
  'data/external/map b.txt': 'B\n',
  'data/external/map c.txt': 'C\n',
};
const PREP = ['prep/Job1', 'prep/Job2', 'prep/Job3'];
const SIM = ['sim/Job1', 'sim/Job2', 'sim/Job3'];
const COMMON = ['last/Job1', ...PREP, 'sum/Job1'];

describe('an image that is complete', () => {
  let image: Project;
  before(async () => {
    image = await project({ files: FILES });
    const { code, out } = await image.make();
    assert.equal(code, 0, out);
    assert.deepEqual(image.ran(), ['alone/Job1', 'last/Job1', ...PREP, ...SIM, 'sum/Job1']);
  });
  after(() => image.remove());

  /** Makes again and says what ran. */
  const runs = async (root = image.root): Promise<string[]> => {
    const { code, out } = await image.make([], { cwd: root });
    assert.equal(code, 0, out);
    const ran = image.ran();
    if (ran.length === 0) assert.match(out, /^nothing to do/);
    return ran;
  };
  /** Compiles with these changes, makes, and says what ran. */
  const afterChange = async (changes: Parameters<Project['write']>[0]) => {
    image.write(changes);
    await image.compile();
    return runs();
  };
  /** All files below these, and the folders. */
  const touch = (...paths: string[]) =>
    execFileSync('find', [...paths, '-exec', 'touch', '--', '{}', '+'], { cwd: image.root });
  const jobfiles = () => image.done().map(job => `data/processed/${job}/jobfile.sh`);
  const withRow = (row: number, text: string) => ({
    'batch_info/rows.csv': `${ROWS.with(row, text).join('\n')}\n`,
  });

  test('runs nothing when made again', async () => {
    assert.deepEqual(await runs(), []);
    assert.deepEqual(await runs(), []);
  });

  test('looks at records that a clock has dated into the future', async () => {
    const future = () => {
      for (const job of image.done())
        execFileSync('touch', ['-d', '+2 days', `data/processed/${job}/.done`], { cwd: image.root });
    };
    future();
    assert.equal((await image.make()).out, 'nothing to do: 9 jobs are unchanged\n');
    future();
    image.write({ 'src/sim/model.py': 'pass # more\n' });
    assert.match((await image.make(['-n'])).out, /would run study\/sim\/Job1: src\/sim changed$/m);
    assert.deepEqual(await runs(), ['alone/Job1', ...SIM]);
    image.write({ 'src/sim/model.py': FILES['src/sim/model.py'] });
    assert.deepEqual(await runs(), ['alone/Job1', ...SIM]);
  });

  test('runs nothing after all its files were touched', async () => {
    touch(
      'Makefile',
      'src',
      'data/raw',
      'data/external',
      'batch_info',
      '.logobatch/batches',
      '.logobatch/shell',
    );
    assert.deepEqual(await runs(), []);
    touch(...jobfiles());
    assert.equal((await image.make()).out, 'nothing to do: 9 jobs are unchanged\n');
    assert.equal((await image.make()).out, 'nothing to do\n');
    touch('data/processed');
    assert.deepEqual(await runs(), []);
  });

  test('runs nothing after a compile that changes nothing, or words every jobfile differently', async () => {
    assert.deepEqual(await afterChange({}), []);
    for (const path of jobfiles()) appendFileSync(join(image.root, path), '# worded differently\n');
    assert.deepEqual(await runs(), []);
    assert.deepEqual(await afterChange({}), []);
  });

  test('runs nothing as a fresh git clone, and there also only what a change asks for', async () => {
    const clone = join(image.home, 'clone');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-C', image.root, ...args], {
        env: image.environment,
        stdio: 'ignore',
      });
    git('init');
    git('add', '-A');
    git('commit', '-m', 'all');
    git('clone', '.', clone);
    assert.deepEqual(readdirSync(join(clone, '.logobatch')).includes('run'), false);
    assert.deepEqual(await runs(clone), []);
    const verified = await image.make(['verify'], { cwd: clone });
    assert.deepEqual([verified.code, verified.out], [0, '9 results, 9 files: all as recorded\n']);
    rmSync(join(clone, '.logobatch/run'), { recursive: true });
    appendFileSync(join(clone, 'src/sim/model.py'), '# more\n');
    assert.deepEqual(await runs(clone), ['alone/Job1', ...SIM]);
    rmSync(clone, { recursive: true });
    rmSync(join(image.root, '.git'), { recursive: true });
  });

  test('runs nothing after make clean forgot the run state', async () => {
    assert.equal((await image.make(['clean'])).code, 0);
    assert.deepEqual(await runs(), []);
  });

  test('runs the job of an edited row, and what builds on it only if its result is different', async () => {
    // Another value: its own partner, too; the number of lines stays, so what needs `sum` does not run.
    assert.deepEqual(await afterChange(withRow(2, 'a,9')), ['prep/Job2', 'sim/Job2', 'sum/Job1']);
    assert.deepEqual(await afterChange(withRow(2, 'b,2')), ['prep/Job2', 'sim/Job2', 'sum/Job1']);
  });

  test('runs the job of an edited row and its pair, and no more where the results stay the same', async () => {
    // `aside` is a value of both rows, so both jobs run; both write the same bytes, so `sum` does not.
    assert.deepEqual(await afterChange(withRow(3, 'c,4')), ['prep/Job3', 'sim/Job3']);
  });

  test('runs the job whose own file has other contents', async () => {
    image.write({ 'data/external/map b.txt': 'other\n' });
    assert.deepEqual(await runs(), ['sim/Job2', 'sum/Job1']);
    image.write({ 'data/external/map b.txt': 'two\nlines\n' });
    assert.deepEqual(await runs(), ['last/Job1', 'sim/Job2', 'sum/Job1']);
    utimesSync(join(image.root, 'data/external/map b.txt'), new Date(), new Date());
    assert.deepEqual(await runs(), []);
  });

  describe('runs what shares a folder in which', () => {
    const changes: readonly (readonly [string, () => void, readonly string[]])[] = [
      ['a file changed', () => image.write({ 'src/common/lib.sh': '# more\n' }), COMMON],
      ['a file was added', () => image.write({ 'src/common/new file.sh': 'x' }), COMMON],
      ['a file was renamed', () => rename('src/common/new file.sh', 'src/common/$other#:%.sh'), COMMON],
      ['a file was deleted', () => image.write({ 'src/common/$other#:%.sh': undefined }), COMMON],
      ['a file became executable', () => chmodSync(join(image.root, 'src/common/lib.sh'), 0o755), COMMON],
      ['a link was added', () => symlinkSync('lib.sh', join(image.root, 'src/common/link')), COMMON],
      [
        'a link points elsewhere',
        () => {
          rmSync(join(image.root, 'src/common/link'));
          symlinkSync('./lib.sh', join(image.root, 'src/common/link'));
        },
        COMMON,
      ],
      ['another batch’s model changed', () => image.write({ 'src/sim/model.py': 'two\n' }), SIM],
      ['the contents are the same length and time', () => swapped('src/sim/model.py', 'owt\n'), SIM],
    ];
    const rename = (from: string, to: string) => renameSync(join(image.root, from), join(image.root, to));
    const swapped = (path: string, text: string) => {
      const full = join(image.root, path);
      const time = new Date(1_700_000_000_000);
      utimesSync(full, time, time);
      writeFileSync(full, text);
      utimesSync(full, time, time);
    };
    for (const [what, change, expected] of changes) {
      test(what, async () => {
        change();
        // `prep`, `sum` and `last` share src/common, `alone` shares all of src and data/raw.
        assert.deepEqual(await runs(), ['alone/Job1', ...expected]);
      });
    }
  });

  test('runs what has data/raw by default when a file there changes', async () => {
    image.write({ 'data/raw/base.txt': 'changed\n' });
    assert.deepEqual(await runs(), ['alone/Job1']);
  });

  test('runs nothing for what Python, editors and git leave in src', async () => {
    mkdirSync(join(image.root, 'src/sim/__pycache__'));
    image.write({
      'src/sim/__pycache__/model.cpython-311.pyc': 'x',
      'src/common/lib.sh~': 'x',
      'src/common/.lib.sh.swp': 'x',
      'src/.git/HEAD': 'x',
    });
    assert.deepEqual(await runs(), []);
  });

  test('runs the batch whose environment or command changed', async () => {
    const high = STUDY.replace('LEVEL: low', 'LEVEL: high');
    assert.deepEqual(await afterChange({ 'batch_info/study.yml': high }), ['alone/Job1']);
    assert.equal(image.read('data/processed/study/alone/Job1/level'), 'high\n');
    const sum = high.replace('wc -l', 'wc  -l');
    assert.deepEqual(await afterChange({ 'batch_info/study.yml': sum }), ['sum/Job1']);
  });

  test('runs nothing when only how it runs has changed', async () => {
    const yaml = image
      .read('batch_info/study.yml')
      .replace('needs: {each: prep}', 'needs: {each: prep}\n    time: 5m\n    retries: 2\n    bundle: 3');
    assert.deepEqual(await afterChange({ 'batch_info/study.yml': yaml }), []);
  });

  test('runs a job whose record is gone, and what builds on it only if it comes out differently', async () => {
    image.write({ 'data/processed/study/sim/Job1/.done': undefined });
    assert.deepEqual(await runs(), ['sim/Job1']);
    image.write({ 'data/processed/study/prep/Job3/.done': undefined });
    assert.deepEqual(await runs(), ['prep/Job3']);
  });
});
