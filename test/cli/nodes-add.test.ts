import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, before, beforeEach, describe, test } from 'node:test';
import { onTerminal } from '../terminal.ts';

const PROGRAM = resolve('dist/logobatch.mjs');
let home: string;

const usual = () => join(home, '.logobatch.yml');

function logobatch(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'nodes', ...words], {
    encoding: 'utf8',
    cwd: home,
    env: { PATH: process.env.PATH ?? '', HOME: home, ...env },
    input: '',
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

describe('logobatch nodes add', () => {
  before(() => assert.ok(existsSync(PROGRAM), 'npm run build first'));
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'logobatch-nodes-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  test('makes a grid file for its owner alone, and says how to look at the new nodes', () => {
    const words = [
      'add',
      'ann@lab1.example.org',
      '10.0.0.5',
      '--slots',
      '4',
      '--fast-storage',
      '~/x y',
      '--fast-storage',
      '/tmp',
    ];
    assert.deepEqual(
      logobatch([...words, '--tag', 'r', '--nice', '5', '--max-load', '1.5', '--port', '2222']),
      {
        status: 0,
        stdout: `made ${usual()}: lab1, 10.0.0.5\nNext: logobatch nodes lab1 10.0.0.5\n`,
        stderr: '',
      },
    );
    assert.equal(statSync(usual()).mode & 0o777, 0o600);
    const one = (name: string, host: string) => `  - name: ${name}
    type: ssh
${host}    port: 2222
    slots: 4
    fast_storage: [~/x y, /tmp]
    tags: [r]
    nice: 5
    max_load: 1.5
`;
    assert.ok(
      readFileSync(usual(), 'utf8').endsWith(
        one('lab1', '    hostname: lab1.example.org\n    username: ann\n') +
          one('10.0.0.5', '    hostname: 10.0.0.5\n'),
      ),
    );
    assert.deepEqual(readdirSync(home), ['.logobatch.yml'], 'no temporary file is left');
  });

  test('adds to the file that counts, which keeps its mode and stays a link', () => {
    const real = join(home, 'dotfiles.yml');
    writeFileSync(real, '# mine\ncompute:\n  - {name: a, type: local} # here\n');
    chmodSync(real, 0o640);
    symlinkSync(real, usual());
    assert.equal(
      logobatch(['add', 'lab1']).stdout,
      `added to ${usual()}: lab1\nNext: logobatch nodes lab1\n`,
    );
    assert.ok(lstatSync(usual()).isSymbolicLink());
    assert.equal(statSync(real).mode & 0o777, 0o640);
    assert.match(
      readFileSync(real, 'utf8'),
      /^# mine\ncompute:\n {2}- \{name: a, type: local\} # here\n {2}- name: lab1\n/,
    );

    assert.equal(
      logobatch(['add', 'lab2', '--grid', 'b c.yml']).stdout,
      "made b c.yml: lab2\nNext: logobatch nodes lab2 --grid 'b c.yml'\n",
    );
    const env = { LOGOBATCH_GRID: 'c.yml' };
    assert.equal(logobatch(['add', 'lab3'], env).stdout, 'made c.yml: lab3\nNext: logobatch nodes lab3\n');
  });

  test('refuses what is wrong before anything is written', () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /say which hosts/],
      [['a;id'], /a host must be/],
      [['$(id)@lab1'], /the user must be/],
      [['ann@lab1', '--user', 'bob'], /the user is said twice/],
      [['bob@127.0.0.1:4222'], /the port is said with an option: bob@127\.0\.0\.1 --port 4222$/m],
      [['lab1', '--slots', '0'], /--slots must be a whole number/],
      [['lab1', '--port', '022'], /--port must be/],
      [['lab1', '--fast-storage', 'x'], /--fast-storage must be/],
      [['lab1', '--max-load', '-1'], /--max-load must be/],
      [['lab1', '--tag', 'a,b'], /--tag must be/],
      [['lab1', '--name', '-'], /--name must be|Not enough arguments following: name/],
      [['lab1', 'lab2', '--name', 'x'], /--name is for one host/],
      [['lab1', '--slots', '1', '--slots', '2'], /--slots is given twice/],
      [['lab1', '--format', 'json'], /Unknown argument: format/],
      [['-oProxyCommand=touch x'], /Unknown argument|say which hosts/],
    ];
    for (const [words, message] of wrong) {
      const { status, stdout, stderr } = logobatch(['add', ...words]);
      assert.match(stderr, message, words.join(' '));
      assert.deepEqual([status, stdout], [2, ''], words.join(' '));
    }
    assert.deepEqual(readdirSync(home), []);
  });

  test('leaves a file alone that has mistakes, or would have them', () => {
    const refuse = (text: string, words: readonly string[], message: RegExp) => {
      writeFileSync(usual(), text);
      const { status, stderr } = logobatch(['add', ...words]);
      assert.match(stderr, message);
      assert.equal(status, 1);
      assert.equal(readFileSync(usual(), 'utf8'), text);
    };
    refuse('compute: [{name: a, type: shh}]\n', ['lab1'], /"type" must be .*has mistakes in it/s);
    refuse(
      'compute: [{name: lab1, type: local}]\n',
      ['lab1'],
      /is there twice \[duplicate-name\].*nothing was written/s,
    );
    refuse('compute: [{name: a, type: ssh, hostname: LAB1}]\n', ['lab1'], /lab1 is there already, as a/);
    refuse('x: 1\n', ['lab1'], /unknown key/);
    refuse('compute: [{name: a, type: local}]\n', ['lab1', 'lab1'], /lab1 is said twice/);
    rmSync(usual());
    const { status, stderr } = logobatch(['add', 'lab1', '--grid', 'no/such/folder/x.yml'], {});
    assert.deepEqual([status, stderr, existsSync(join(home, 'no'))], [0, '', true], 'folders are made');
  });

  test('adds clusters, too, by their login node or as what this machine submits to', () => {
    const campus = [
      'add',
      'ann@login.campus.edu',
      '--type',
      'slurm',
      '--name',
      'campus',
      '--max-jobs',
      '200',
    ];
    assert.equal(logobatch(campus).status, 0);
    assert.equal(logobatch(['add', '--type', 'sge', '--name', 'here']).status, 0);
    assert.ok(
      readFileSync(usual(), 'utf8').endsWith(
        '  - name: campus\n    type: slurm\n    hostname: login.campus.edu\n    username: ann\n    max_jobs: 200\n  - name: here\n    type: sge\n',
      ),
    );
    for (const [words, code, says] of [
      [['--type', 'slurm'], 2, /say its login node, or what to call it/],
      [['--type', 'sge', '--name', 'again'], 1, /sge of this machine is there already, as here/],
      [['login', '--type', 'slurm', '--slots', '4'], 2, /--slots is for machines; a cluster has --max-jobs/],
      [['lab1', '--max-jobs', '4'], 2, /--max-jobs is for clusters; a machine has --slots/],
      [['login', '--type', 'slurm', '--max-jobs', '0'], 2, /--max-jobs must be/],
      [['login', '--type', 'pbs'], 2, /ssh.*slurm.*sge/],
    ] as const) {
      const { status, stderr } = logobatch(['add', ...words]);
      assert.equal(status, code, stderr);
      assert.match(stderr, says);
    }
  });

  test('asks on a terminal when no host is given', async () => {
    const env = { PATH: process.env.PATH, HOME: home, TERM: 'xterm' };
    const { status, screen } = await onTerminal(
      `${process.execPath} ${PROGRAM} nodes add`,
      { cwd: home, env },
      [
        [/Which host\?/, 'a;b\r'],
        [/it must be a name as ssh takes it/, '\x15lab9.example.org\r'],
        [/call it\?/, '\r'],
        [/which user\?/, 'ann\r'],
        [/at once\?/, '\r'],
        [/large and fast\?/, '/disk\r'],
      ],
    );
    assert.equal(status, 0, screen);
    assert.ok(
      readFileSync(usual(), 'utf8').endsWith(
        '  - name: lab9\n    type: ssh\n    hostname: lab9.example.org\n    username: ann\n    fast_storage: [/disk]\n',
      ),
    );
  });

  test('writes nothing when its user gives up', async () => {
    const env = { PATH: process.env.PATH, HOME: home, TERM: 'xterm' };
    const { status } = await onTerminal(`${process.execPath} ${PROGRAM} nodes add`, { cwd: home, env }, [
      [/Which host\?/, '\x03'],
    ]);
    assert.deepEqual([status, readdirSync(home)], [130, []]);
  });
});
