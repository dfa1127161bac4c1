import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { onTerminal } from './terminal.ts';

const work = mkdtempSync(join(tmpdir(), 'logobatch-makebimg-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** Nobody's git and nobody's slots but those of the test. */
const env = {
  PATH: process.env.PATH,
  HOME: work,
  LANG: 'C.UTF-8',
  TERM: 'xterm',
  GIT_CONFIG_NOSYSTEM: '1',
  LOGOBATCH_SLOTS: join(work, 'slots'),
  LOGOBATCH_LOCAL_SLOTS: '2',
};
const makebimg = resolve('dist/makebimg.mjs');

/** A folder of its own for a test. */
function folder(): string {
  return mkdtempSync(join(work, 'in-'));
}

function run(cwd: string, command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', input: '' });
  return { status, stdout, stderr };
}

const make = (cwd: string, ...args: string[]) => run(cwd, process.execPath, makebimg, ...args);

const asking = (cwd: string, args: string, dialogue: readonly (readonly [RegExp, string])[]) =>
  onTerminal(`${process.execPath} ${makebimg} ${args}`, { cwd, env }, dialogue);

describe('makebimg', () => {
  test('makes an image that compiles and runs at once, and then has nothing to do', () => {
    const here = folder();
    const made = make(here, 'study', '--title', 'On "Waves" & <Foam>', '--author', "Ann O'Hara", '--yes');
    assert.deepEqual(
      { ...made },
      {
        status: 0,
        stdout:
          'made study: a Batch Image with a small model, to be changed into yours\n' +
          'Next:\n  cd study\n  logobatch compile\n  make\n',
        stderr: '',
      },
    );
    assert.deepEqual(readdirSync(here), ['study']);
    const root = join(here, 'study');
    const read = (path: string) => readFileSync(join(root, path), 'utf8');
    assert.deepEqual(readdirSync(root).sort(), [
      '.gitignore',
      'LICENSE',
      'README.md',
      'batch_info',
      'data',
      'docs',
      'src',
    ]);
    assert.deepEqual(readdirSync(join(root, 'data')).sort(), ['external', 'interim', 'processed', 'raw']);
    assert.match(read('LICENSE'), new RegExp(`Copyright \\(c\\) ${new Date().getFullYear()} Ann O'Hara\n`));
    assert.match(read('README.md'), /^# On "Waves" & <Foam>\n/);
    assert.match(read('batch_info/bbatch_1.yml'), /^# yaml-language-server: \$schema=\S+bbatch\.json\n/);

    const compiled = run(root, process.execPath, resolve('dist/logobatch.mjs'), 'compile');
    assert.equal(compiled.stderr, '');
    assert.match(compiled.stdout, /^13 jobs in 2 batches: /);
    assert.ok(existsSync(join(root, '.logobatch/schema/bbatch.json')));
    const first = run(root, 'make');
    assert.equal(first.status, 0, first.stdout + first.stderr);
    assert.match(first.stdout, /^13 done in /m);
    assert.equal(
      read('data/processed/bbatch_1/summary/Job1/summary.csv'),
      'rate,runs,peak,ill\n0.1,3,10.6667,14.6667\n0.2,3,12.6667,50.6667\n0.3,3,98.6667,609\n0.6,3,318.667,956.333\n',
    );
    assert.equal(run(root, 'make').stdout, 'nothing to do\n');
  });

  test('its .gitignore keeps run state out and what belongs to the image in', () => {
    const here = folder();
    make(here, 'x');
    const root = join(here, 'x');
    run(root, process.execPath, resolve('dist/logobatch.mjs'), 'compile');
    run(root, 'make');
    if (run(root, 'git', 'init', '-q').status !== 0) return;
    mkdirSync(join(root, 'src/__pycache__'));
    writeFileSync(join(root, 'src/__pycache__/model.pyc'), '');
    const tracked = () => run(root, 'git', 'ls-files', '--others', '--exclude-standard').stdout.split('\n');
    const ours = ['batch_info/jobs.lock', 'Makefile', 'data/raw/.gitkeep', '.logobatch/shell/start'];
    const job = 'data/processed/bbatch_1/summary/Job1';
    const first = tracked();
    assert.deepEqual(
      first.filter(path => /^\.logobatch\/run\/|\.stage|__pycache__/.test(path)),
      [],
    );
    for (const path of [...ours, `${job}/summary.csv`, `${job}/.done`]) assert.ok(first.includes(path), path);

    // The last lines of it are for those who do not want results in.
    const gitignore = join(root, '.gitignore');
    writeFileSync(gitignore, readFileSync(gitignore, 'utf8').replace(/^#(?=\S)/gm, ''));
    const second = tracked();
    assert.deepEqual(
      second.filter(path => path.startsWith('data/processed/') && !path.endsWith('/jobfile.sh')),
      ['data/processed/.gitkeep'],
    );
    for (const path of [...ours, `${job}/jobfile.sh`]) assert.ok(second.includes(path), path);
  });

  test('names nobody for mail unless somebody is given', () => {
    const here = folder();
    make(here, 'quiet');
    make(here, 'loud', '--email', 'ann@example.org');
    const mail = (name: string) =>
      readFileSync(join(here, name, 'batch_info/bbatch_1.yml'), 'utf8')
        .split('\n')
        .find(line => line.includes('addresses'));
    assert.equal(mail('quiet'), '# email: {addresses: [me@example.org]}');
    assert.equal(mail('loud'), 'email: {addresses: ["ann@example.org"]}');
    assert.equal(
      run(join(here, 'loud'), process.execPath, resolve('dist/logobatch.mjs'), 'compile').status,
      0,
    );
  });

  test('takes the author from git, if it knows one', () => {
    const here = folder();
    writeFileSync(join(here, 'gitconfig'), '[user]\n  name = Grace Hopper\n');
    const { status } = spawnSync(process.execPath, [makebimg, 'x'], {
      cwd: here,
      env: { ...env, GIT_CONFIG_GLOBAL: join(here, 'gitconfig') },
    });
    assert.equal(status, 0);
    const known = run(here, 'git', '--version').status === 0 ? 'Grace Hopper' : '';
    assert.match(readFileSync(join(here, 'x/LICENSE'), 'utf8'), new RegExp(`^Copyright .* ${known}`, 'm'));
  });

  test('fills an empty folder, in a folder that is named', () => {
    const here = folder();
    mkdirSync(join(here, 'a b/x'), { recursive: true });
    const made = make(here, 'x', '--dir', 'a b');
    assert.equal(made.status, 0, made.stderr);
    assert.match(made.stdout, /^ {2}cd 'a b\/x'$/m);
    assert.ok(existsSync(join(here, 'a b/x/README.md')));
  });

  test('never overwrites: what is there is refused and stays as it is', () => {
    const here = folder();
    mkdirSync(join(here, 'full'));
    writeFileSync(join(here, 'full/mine'), 'mine');
    writeFileSync(join(here, 'file'), 'mine');
    const refused = make(here, 'full');
    assert.equal(refused.status, 1);
    assert.equal(
      refused.stderr,
      'makebimg: full is there already, and not empty\n' +
        '  hint: take another name, or move it away; nothing is ever overwritten\n',
    );
    assert.equal(make(here, 'file').status, 1);
    assert.equal(make(here, 'x', '--dir', 'nowhere').status, 1);
    assert.deepEqual(readdirSync(here).sort(), ['file', 'full']);
    assert.deepEqual(readdirSync(join(here, 'full')), ['mine']);
  });

  test('says what is wrong with a command line, once, and ends with 2', () => {
    const here = folder();
    const cases: [string[], RegExp][] = [
      [[], /^makebimg: say what it is to be called: makebimg NAME\n/],
      [['a b'], /^makebimg: name: the name "a b" has a " " in it/],
      [['../x'], /for another folder: --dir/],
      [['x', 'y'], /^makebimg: Unknown argument: y\n/],
      [['x', '--titel', 'T'], /^makebimg: Unknown arguments?: /],
      [['x', '--title'], /^makebimg: Not enough arguments following: title\n/],
      [['x', '--title', 'a', '--title', 'b'], /^makebimg: --title is given twice\n/],
      [['x', '--title', 'a\nb'], /^makebimg: title: it must be one line/],
      [['x', '--email', 'nonsense'], /^makebimg: email: "nonsense" is no e-mail address/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = make(here, ...args);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, args.join(' '));
      assert.match(stderr, message);
      assert.match(stderr, /^[^\n]+\nmakebimg --help says more\n$/);
    }
    assert.deepEqual(readdirSync(here), []);
  });

  test('knows its version and its help', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual(make(work, '--version'), { status: 0, stdout: `${version}\n`, stderr: '' });
    const help = make(work, '--help');
    assert.equal(help.status, 0);
    for (const word of ['--title', '--author', '--email', '--dir', '--yes'])
      assert.ok(help.stdout.includes(word));
  });

  test('asks on a terminal for what is not given', async () => {
    const here = folder();
    const { status, screen } = await asking(here, '', [
      [/called\?/, 'bad name\r'],
      [/has a " " in it/, '\x15waves\r'],
      [/title\?/, '\r'],
      [/makes it\?/, 'Ann\r'],
      [/gets a mail/, 'ann@example.org\r'],
    ]);
    assert.equal(status, 0, screen);
    assert.match(readFileSync(join(here, 'waves/README.md'), 'utf8'), /^# waves\n\nAnn, /);
    assert.match(readFileSync(join(here, 'waves/batch_info/bbatch_1.yml'), 'utf8'), /^email: .*ann@example/m);
  });

  test('asks nothing on a terminal with --yes', async () => {
    const here = folder();
    const { status, screen } = await asking(here, 'waves --yes', []);
    assert.equal(status, 0, screen);
    assert.doesNotMatch(screen, /\?/);
    assert.ok(existsSync(join(here, 'waves/LICENSE')));
  });

  test('makes nothing after Ctrl-C or Ctrl-D at a question, and says so', async () => {
    for (const [key, code] of [
      ['\x03', 130],
      ['\x04', 1],
    ] as const) {
      const here = folder();
      const { status, screen } = await asking(here, 'waves', [[/title\?/, key]]);
      assert.equal(status, code, screen);
      assert.match(screen, /nothing was made/);
      assert.deepEqual(readdirSync(here), []);
    }
  });
});
