import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { note, type Project, project } from './rig.ts';

const TWO = `batches:
  - name: a
    command: '${note('a')}; cat > {out}/stdin; echo {i0} > {out}/x; [ {i0} != 2 ] || [ ! -e "$HOME/fail" ]'
    inputs: ["1", "2", "3"]
  - name: b
    command: '${note('b')}; cat data/processed/one/a/{id}/x > {out}/x'
    inputs: ["1", "2", "3"]
    needs: {each: a}
`;
const OTHER = `batches:
  - name: c
    command: '${note('c')}; pwd > {out}/cwd; ls -A {out} > "$HOME/listing"'
`;
const FILES = { 'batch_info/one.yml': TWO, 'batch_info/two.yml': OTHER, 'src/x': '' };
const A = ['a/Job1', 'a/Job2', 'a/Job3'];
const B = ['b/Job1', 'b/Job2', 'b/Job3'];
const ALL = [...A, ...B, 'c/Job1'];

/** What -n says: make shows the one recipe before it runs it. */
const wouldRun = (out: string) => {
  const [recipe, ...lines] = out.trim().split('\n');
  assert.match(recipe ?? '', /^exec sh \.logobatch\/shell\/start /);
  return lines.sort();
};

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

describe('make', () => {
  let image: Project;
  beforeEach(async () => {
    image = await project({ files: FILES });
  });
  afterEach(() => image.remove());

  /** What ran, after checking how make ended. */
  const ran = async (args: readonly string[], code = 0, says = /^/): Promise<string[]> => {
    const ended = await image.make(args);
    assert.equal(ended.code, code, ended.out);
    assert.match(ended.out, says);
    return image.ran();
  };
  const failing = (yes: boolean) => execFileSync(yes ? 'touch' : 'rm', [join(image.home, 'fail')]);

  const goals: readonly (readonly [args: readonly string[], expected: readonly string[]])[] = [
    [[], ALL],
    [['all'], ALL],
    [['one'], [...A, ...B]],
    [['one/a'], A],
    [['one/b'], [...A, ...B]],
    [['one/a/Job2'], ['a/Job2']],
    [['data/processed/one/a/Job2'], ['a/Job2']],
    [['data/processed/one/a/Job2/'], ['a/Job2']],
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
      assert.deepEqual(await ran(args), expected);
      assert.deepEqual(await ran(args, 0, /nothing to do\n/), []);
    });
  }

  test('-C runs from elsewhere, with the image’s root as each job’s folder, no input and an empty {out}', async () => {
    const { code, out } = await image.make(['-C', image.root], { cwd: '/', input: 'not for jobs\n' });
    assert.equal(code, 0, out);
    assert.equal(image.read('data/processed/two/c/Job1/cwd'), `${image.root}\n`);
    assert.equal(readFileSync(join(image.home, 'listing'), 'utf8'), 'cwd\n');
    assert.equal(image.read('data/processed/one/a/Job1/stdin'), '');
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
    failing(true);
    await ran([], 2);
    failing(false);
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
    assert.deepEqual(await ran([]), ALL);
    assert.equal((await image.make(['-q'])).code, 0);
  });

  test('-s says nothing while all is well', async () => {
    assert.equal((await image.make(['-s'])).out, '');
    assert.equal((await image.make(['-s'])).out, '');
    image.write({ 'src/x': '2' });
    failing(true);
    const { code, out } = await image.make(['-s', '--no-print-directory']);
    assert.equal(code, 2);
    assert.match(out, /^failed {2}one\/a\/Job2: exit 1\n(.*\n)*5 done, 1 failed, /m);
    assert.doesNotMatch(out, /running/);
  });

  test('-B runs the target again although nothing changed', async () => {
    await ran([]);
    assert.deepEqual(await ran(['-B', 'one/a/Job2']), ['a/Job2']);
    assert.deepEqual(await ran(['-B', 'one/b/Job2']), ['a/Job2', 'b/Job2']);
    assert.deepEqual(await ran([]), []);
  });

  test('after a -B that failed runs that job again', async () => {
    await ran([]);
    failing(true);
    assert.deepEqual(await ran(['-B', 'one/a/Job2'], 2), ['a/Job2']);
    failing(false);
    assert.deepEqual(await ran(['retry']), ['a/Job2']);
    assert.deepEqual(await ran([], 0, /nothing to do/), []);
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

  for (const goal of [
    'nonsense',
    'one/nonsense',
    'one/a/Job99',
    'data/processed/nonsense',
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

  test('with a target that is not there and one that is runs the one', async () => {
    assert.deepEqual(await ran(['one/a/Job1', 'one/a/Job9'], 2, /Job9/), ['a/Job1']);
  });

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

  test('ends with 2 when a job failed, and runs all that does not need it', async () => {
    failing(true);
    assert.deepEqual(await ran([], 2, /^5 done, 1 failed, 1 not run because of that in \d+ s/m), [
      ...A,
      'b/Job1',
      'b/Job3',
      'c/Job1',
    ]);
    assert.deepEqual(await ran([], 2), ['a/Job2']);
    failing(false);
    assert.deepEqual(await ran([]), ['a/Job2', 'b/Job2']);
  });

  test('retry runs exactly what failed', async () => {
    assert.deepEqual(await ran(['retry'], 0, /nothing has failed/), []);
    failing(true);
    await ran(['one'], 2);
    failing(false);
    assert.deepEqual(await ran(['retry']), ['a/Job2']);
    assert.deepEqual(await ran(['retry'], 0, /nothing has failed/), []);
    assert.deepEqual(await ran(['retry', 'two']), ['c/Job1']);
    assert.deepEqual(await ran([]), ['b/Job2']);
  });

  test('retry leaves a failed job alone whose row is gone', async () => {
    failing(true);
    await ran(['one'], 2);
    image.write({ 'batch_info/one.yml': TWO.replaceAll('["1", "2", "3"]', '["1", "3"]') });
    await image.compile();
    assert.deepEqual(await ran(['retry'], 0, /nothing has failed/), []);
    assert.deepEqual(await ran(['clean', 'STALE=1'], 0, /removed data\/processed\/one\/a\/Job2/), []);
    assert.deepEqual(await ran(['one'], 0, /nothing to do/), []);
  });

  test('status counts what is done, to do and failed', async () => {
    failing(true);
    await ran(['one'], 2);
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

  test('verify finds changed and missing results, and broken records', async () => {
    await ran([]);
    assert.deepEqual(await ran(['verify'], 0, /^7 results, 10 files: all as recorded\n$/), []);
    image.write({ 'data/processed/one/a/Job1/x': 'changed\n' });
    await ran(['verify'], 2, /data\/processed\/one\/a\/Job1\/x: FAILED/);
    image.write({ 'data/processed/one/a/Job1/x': '1\n', 'data/processed/one/b/Job3/x': undefined });
    await ran(['verify'], 2, /data\/processed\/one\/b\/Job3\/x/);
    image.write({ 'data/processed/one/b/Job3/x': '3\n' });
    await ran(['verify'], 0);
    image.write({ 'data/processed/two/c/Job1/.done': 'logobatch 1 x' });
    await ran(['verify'], 2, /two\/c\/Job1/);
  });

  test('clean forgets what failed and the run state, never a result', async () => {
    failing(true);
    await ran([], 2);
    const done = image.done();
    assert.deepEqual(await ran(['clean']), []);
    assert.deepEqual(image.done(), done);
    assert.equal(image.exists('data/processed/one/a/Job2.failed'), false);
    assert.deepEqual(readdirSync(join(image.root, '.logobatch/run')), ['lock']);
    assert.deepEqual(await ran([], 2), ['a/Job2']);
  });

  test('distclean wants RESULTS=1, then removes all results and keeps what compile wrote', async () => {
    const compiled = readdirSync(image.root, { recursive: true, encoding: 'utf8' }).filter(
      path => !path.startsWith('.logobatch/run'),
    );
    await ran([]);
    assert.deepEqual(await ran(['distclean'], 2, /make distclean RESULTS=1/), []);
    assert.equal(image.done().length, 7);
    assert.deepEqual(await ran(['distclean', 'RESULTS=1']), []);
    const left = readdirSync(image.root, { recursive: true, encoding: 'utf8' }).filter(
      path => !path.startsWith('.logobatch/run'),
    );
    assert.deepEqual(left.sort(), compiled.sort());
    assert.deepEqual(await ran([]), ALL);
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
    assert.deepEqual(await ran(['cancel'], 0, /no make is running here/), []);
    assert.deepEqual(await ran(['up', 'down']), []);
  });

  test('a goal of ours and one of the tables’ may stand together', async () => {
    await ran(['one/a/Job1']);
    assert.deepEqual(await ran(['verify', 'one/a/Job2', 'status']), ['a/Job2']);
  });
});

describe('names that shells and make stumble over', () => {
  const NASTY = [
    'My model.nlogo',
    '$HOME',
    '#1',
    '100%',
    'a:b',
    "it's",
    'say "hi"',
    '(x)',
    'a;b&c',
    'back\\slash',
    '-rf',
    '~',
    'é日本',
    '*',
    '`id`',
    '{out}',
    '=',
    ' lead',
  ];

  for (const name of ['My image', `it's "a" $(touch pwned) $HOME`, '#(1)', 'é 日本', 'a:b%c;d']) {
    test(`the image’s own folder may be called ${name}`, async () => {
      const image = await project({ files: FILES, name });
      try {
        const { code, out } = await image.make(['-C', image.root], { cwd: '/' });
        assert.equal(code, 0, out);
        assert.deepEqual(image.ran(), ALL);
        assert.equal(image.read('data/processed/two/c/Job1/cwd'), `${image.root}\n`);
        assert.equal((await image.make()).out, 'nothing to do\n');
      } finally {
        image.remove();
      }
    });
  }

  test('shared folders, files in them, jobs’ own files and results may have any name', async () => {
    const shared = NASTY.filter(name => !name.startsWith('~')).map(name => JSON.stringify(`in/${name}`));
    const yaml = `batches:
  - name: whole
    command: '${note('whole')}; find in -type f | LC_ALL=C sort > {out}/list; cp -R in/. {out}/'
    shared: [${shared.join(', ')}, "-odd", "src"]
  - name: each
    command: '${note('each')}; cat "data/raw/{i0}" > {out}/x; cp "data/raw/{i0}" {out}/'
    inputs: [${NASTY.map(name => JSON.stringify(name)).join(', ')}]
    files: data/raw/{i0}
`;
    const files: Record<string, string> = { 'batch_info/b.yml': yaml, '-odd/x': 'odd', 'src/x': '' };
    for (const name of NASTY)
      Object.assign(files, {
        [`in/${name}/${name}`]: name,
        [`data/raw/${name}`]: name,
        [`src/${name}`]: name,
      });
    const image = await project({ files });
    try {
      const { code, out } = await image.make();
      assert.equal(code, 0, out);
      assert.equal(image.ran().length, NASTY.length + 1);
      for (const [i, name] of NASTY.entries()) {
        assert.equal(image.read(`data/processed/b/each/Job${i + 1}/x`), name);
        assert.equal(image.read(`data/processed/b/each/Job${i + 1}/${name}`), name);
        assert.equal(image.read(`data/processed/b/whole/Job1/${name}/${name}`), name);
      }
      assert.equal((await image.make()).out, 'nothing to do\n');
      assert.match((await image.make(['verify'])).out, /all as recorded/);
      for (const [i, name] of NASTY.entries()) {
        image.write({ [`data/raw/${name}`]: `new ${i}` });
      }
      await image.make();
      assert.equal(image.ran().length, NASTY.length);
      for (const name of NASTY.slice(0, 4)) {
        image.write({ [`in/${name}/${name}`]: 'other' });
        await image.make();
        assert.deepEqual(image.ran(), ['whole/Job1'], name);
      }
      image.write({ '-odd/x': 'other' });
      await image.make();
      assert.deepEqual(image.ran(), ['whole/Job1'], '-odd');
    } finally {
      image.remove();
    }
  });
});

describe('the whole run', () => {
  /** A PATH with links of everything but these. */
  function without(image: Project, ...missing: readonly string[]): string {
    const bin = join(image.home, 'programs');
    mkdirSync(bin);
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
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
      writeFileSync(join(image.home, 'probe'), '');
      assert.throws(() => execFileSync('sh', ['-c', 'command -v node'], { env: { PATH } }));
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
        writeFileSync(join(image.home, 'fail'), '');
        const first = await image.make();
        assert.equal(first.code, 2, first.out);
        assert.match(first.out, /^failed {2}one\/a\/Job2: exit 1$/m);
        assert.doesNotMatch(first.out, /not found|syntax|Usage|illegal|bad/i);
        assert.deepEqual(image.ran(), [...A, 'b/Job1', 'b/Job3', 'c/Job1', 'setup']);
        execFileSync('rm', [join(image.home, 'fail')]);
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
