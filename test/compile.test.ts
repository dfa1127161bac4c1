import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';

const PROGRAM = resolve('dist/logobatch.mjs');
const folders: string[] = [];

before(() => assert.ok(existsSync(PROGRAM), 'npm run build first'));
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const BBATCH = `batches:
  - name: fire
    command: "cat src/word > {out}/x; echo {density} >> {out}/x"
    inputs: sweep.csv
`;
const TABLE = 'density,seed\n0.5,1\n0.6,2\n0.7,3\n';

/** A small image; `files` adds to it or replaces. */
function image(files: Record<string, string> = {}, name = 'image'): string {
  const work = mkdtempSync(join(tmpdir(), 'logobatch-compile-'));
  folders.push(work);
  const root = join(work, name);
  const all = { 'batch_info/b.yml': BBATCH, 'batch_info/sweep.csv': TABLE, 'src/word': 'word\n', ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function logobatch(args: readonly string[], options: { cwd?: string; uid?: number } = {}) {
  const env = { PATH: process.env.PATH, HOME: tmpdir() };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    env,
    ...options,
  });
  return { status, stdout, stderr };
}

const compile = (root: string, ...more: string[]) => logobatch(['compile', root, ...more]);

/** Every file and folder, files with text and time. */
function tree(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map(entry => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path} ${statSync(path).mtimeMs} ${readFileSync(path, 'latin1')}` : path;
    })
    .sort();
}

describe('logobatch compile', () => {
  test('says what it wrote and what to do next', () => {
    const root = image();
    assert.deepEqual(logobatch(['compile'], { cwd: root }), {
      status: 0,
      stdout: logobatchSays(root, 3),
      stderr: '',
    });
    assert.match(compile(root).stdout, /^3 jobs in 1 batch: nothing has changed\.\nNext: make -C /);
  });

  function logobatchSays(root: string, jobfiles: number): string {
    const others = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
      entry =>
        entry.isFile() &&
        entry.name !== 'jobfile.sh' &&
        !['b.yml', 'sweep.csv', 'word', 'written'].includes(entry.name),
    ).length;
    return `3 jobs in 1 batch: wrote ${jobfiles} jobfiles and ${others} other files.\nNext: make\n`;
  }

  for (const name of ['My image', `it's "a" $(touch pwned) $HOME`, 'a#b:c;d&e*?[x]%', 'ünï 日本']) {
    test(`works, and so does make, in a folder called ${name}`, () => {
      const root = image({}, name);
      const { status, stderr, stdout } = compile(root);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      const next = /Next: (.*)\n/.exec(stdout)?.[1] ?? '';
      const made = spawnSync('sh', ['-c', next], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, HOME: dirname(root) },
      });
      assert.equal(made.status, 0, made.stdout + made.stderr);
      assert.equal(readFileSync(join(root, 'data/processed/b/fire/Job2/x'), 'utf8'), 'word\n0.6\n');
      assert.equal(compile(root, '--check').status, 0);
    });
  }

  test('refuses a folder with a line break in its name', () => {
    const { status, stderr } = compile(image({}, 'a\nb'));
    assert.equal(status, 1);
    assert.match(stderr, /^error: .*line break|control character/);
  });

  const broken: [string, Record<string, string>, RegExp][] = [
    [
      'an unknown marker',
      { 'batch_info/b.yml': BBATCH.replace('{density}', '{densty}') },
      /b\.yml:3:\d+: error: .*densty/,
    ],
    [
      'a lock with merge markers',
      { 'batch_info/jobs.lock': 'logobatch-jobs 1\n<<<<<<< HEAD\n' },
      /jobs\.lock:2:1: error: .*merge/,
    ],
    ['an image of a newer LogoBatch', { '.logobatch/format': '2\n' }, /format:1:1: error: .*newer LogoBatch/],
    [
      "something else in a job's place",
      { 'data/processed/b/fire/Job2/mine': 'x' },
      /error: .*Job2 holds "mine"/,
    ],
    [
      'make running in it',
      { '.logobatch/run/owner': `${process.pid} 0 x 12:00\n` },
      /error: make is running/,
    ],
    [
      'another compile',
      { '.logobatch/run/compiling': `${process.pid} 0 elsewhere\n` },
      /error: another compile/,
    ],
  ];
  for (const [what, files, message] of broken) {
    test(`refuses ${what}, and writes not one byte`, () => {
      const root = image(files);
      const before = tree(root);
      const { status, stdout, stderr } = compile(root);
      assert.match(stderr, message);
      assert.match(stderr, /\n\d errors?; nothing was written\.\n$/);
      assert.equal(stdout, '');
      assert.equal(status, 1);
      assert.deepEqual(tree(root), before);
    });
  }

  test('--force goes ahead where a newer LogoBatch compiled', () => {
    const root = image({ '.logobatch/format': '2\n' });
    assert.equal(compile(root, '--force').status, 0);
    assert.equal(readFileSync(join(root, '.logobatch/format'), 'utf8'), '1\n');
  });

  test('a lock that a dead compile or make left is no hindrance', () => {
    const dead = '999999999 1 x 12:00\n';
    const root = image({
      '.logobatch/run/owner': dead,
      '.logobatch/run/compiling': dead.replace('x 12:00', hostName()),
    });
    assert.equal(compile(root).status, 0);
    assert.ok(!existsSync(join(root, '.logobatch/run/compiling')));
  });

  function hostName(): string {
    return spawnSync('uname', ['-n'], { encoding: 'utf8' }).stdout.trim();
  }

  test('--check and --dry-run write nothing; --check tells by its exit code', () => {
    const root = image();
    const before = tree(root);
    const dry = compile(root, '--dry-run');
    assert.match(
      dry.stdout,
      /^3 jobs in 1 batch: \d+ files would change, 3 jobfiles among them\.\n {2}write {3}batch_info\/jobs\.lock\n/,
    );
    assert.equal(dry.status, 0);
    assert.equal(compile(root, '--check').status, 1);
    assert.deepEqual(tree(root), before);
    compile(root);
    assert.equal(compile(root, '--check').status, 0);
  });

  test('--format json says the same to programs', () => {
    const root = image();
    const good: unknown = JSON.parse(compile(root, '--format', 'json').stdout);
    assert.deepEqual(Object.keys(Object(good)).sort(), [
      'batches',
      'changed',
      'diagnostics',
      'dryRun',
      'first',
      'jobs',
      'result',
      'stale',
    ]);
    const bad = compile(image({ 'batch_info/b.yml': 'batches: 1\n' }), '--format', 'json');
    assert.equal(bad.status, 1);
    assert.equal(bad.stderr, '');
    assert.equal(Object(JSON.parse(bad.stdout)).result, 'refused');
  });

  test('two at once leave an image that is whole', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `${i},x\n`).join('');
    const root = image({ 'batch_info/sweep.csv': `density,seed\n${rows}` });
    const codes = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise<number | null>(done => {
            spawn(process.execPath, [PROGRAM, 'compile', root], { stdio: 'ignore' }).once('exit', done);
          }),
      ),
    );
    assert.ok(codes.includes(0));
    assert.match(compile(root, '--check').stdout, /nothing would change/);
  });

  test('a folder that may not be written is said so, and the Makefile stays', t => {
    if (process.getuid?.() !== 0) return t.skip('needs root, to be somebody else');
    if (logobatch(['--version'], { uid: 65534 }).status !== 0)
      return t.skip('nobody else may read this clone');
    const root = image();
    compile(root);
    for (const path of [dirname(root), root]) chmodSync(path, 0o755);
    writeFileSync(join(root, 'batch_info/sweep.csv'), `${TABLE}0.8,4\n`);
    chownSync(join(root, 'Makefile'), 65534, 65534);
    const before = readFileSync(join(root, 'Makefile'), 'utf8');
    const { status, stderr } = logobatch(['compile', root], { uid: 65534 });
    assert.match(stderr, /^logobatch: cannot write .*: you may not write there\n {2}hint: /);
    assert.equal(status, 1);
    assert.equal(readFileSync(join(root, 'Makefile'), 'utf8'), before);
  });

  test('a copy under another name and without its run state is recognised, not written again', () => {
    const root = image();
    compile(root);
    const copy = join(dirname(root), 'copy');
    cpSync(root, copy, { recursive: true, filter: path => !path.endsWith('.logobatch/run') });
    const before = statSync(join(copy, 'data/processed/b/fire/Job1/jobfile.sh')).mtimeMs;
    assert.equal(compile(copy, '--check').status, 0);
    assert.match(compile(copy).stdout, /^3 jobs in 1 batch: nothing has changed\./);
    assert.equal(statSync(join(copy, 'data/processed/b/fire/Job1/jobfile.sh')).mtimeMs, before);
  });

  test('after an edit of the table make runs what changed, and no more', () => {
    const root = image();
    compile(root);
    const make = () =>
      spawnSync('make', ['-C', root], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, HOME: dirname(root) },
      });
    assert.equal(make().status, 0);
    writeFileSync(join(root, 'batch_info/sweep.csv'), 'density,seed\n0.9,9\n0.7,3\n0.5,1\n0.61,2\n');
    assert.match(compile(root).stdout, /wrote 2 jobfiles/);
    const second = make();
    assert.match(second.stdout, /\b2 done/);
    assert.equal(second.status, 0);
  });
});

describe('the command line', () => {
  test('--version is the version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual(logobatch(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('--help is the manual', () => {
    const { status, stdout } = logobatch(['compile', '--help']);
    assert.equal(status, 0);
    for (const word of [
      'jobs.lock',
      '--dry-run',
      '--check',
      '--force',
      '--format',
      'Exit codes',
      'make -n',
      'makebimg',
    ]) {
      assert.ok(stdout.includes(word), word);
    }
  });

  const wrong: [string, string[], RegExp][] = [
    ['no command', [], /Say what to do: logobatch compile/],
    ['an unknown command', ['complie'], /Did you mean compile\?/],
    ['an unknown option', ['compile', '--nope'], /Unknown argument: nope/],
    ['an unknown format', ['compile', '--format', 'xml'], /Invalid values/],
    ['an option twice', ['compile', '--format', 'text', '--format', 'json'], /--format is given twice/],
    ['a second image', ['compile', 'a', 'b'], /Unknown argument: b/],
  ];
  for (const [what, args, message] of wrong) {
    test(`${what} is a mistake of usage: exit 2, one line and where to read on`, () => {
      const { status, stdout, stderr } = logobatch(args);
      assert.match(stderr, message);
      assert.match(stderr, /^logobatch: [^\n]*(\n[^\n]*){0,4}\nlogobatch --help says more\n$/);
      assert.equal(stdout, '');
      assert.equal(status, 2);
    });
  }

  test('a folder that is no image gets a kind word', () => {
    const root = image();
    assert.match(compile(join(root, 'src')).stderr, /is no Batch Image, but the folder above it is/);
    assert.match(compile(join(root, 'src/..', 'nowhere')).stderr, /there is no folder/);
    assert.equal(compile(join(root, 'nowhere')).status, 1);
  });
});
