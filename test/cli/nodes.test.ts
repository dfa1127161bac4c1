import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab, type Lab, startLab } from '../lab/hosts.ts';
import { until } from '../lab/waiting.ts';

const PROGRAM = resolve('dist/logobatch.mjs');
let folder: string;

before(() => {
  assert.ok(existsSync(PROGRAM), 'npm run build first');
  folder = mkdtempSync(join(tmpdir(), 'logobatch-nodes-'));
});
after(() => rmSync(folder, { recursive: true }));

const environment = (more: Readonly<Record<string, string>>) => ({
  PATH: process.env.PATH ?? '',
  HOME: folder,
  TMPDIR: folder,
  ...more,
});

function logobatch(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> {
  const options = {
    encoding: 'utf8',
    cwd: folder,
    env: environment(env),
    input: '',
    timeout: 60_000,
  } as const;
  return spawnSync(process.execPath, [PROGRAM, 'nodes', ...words], options);
}

/** What the tests look at of a node in the JSON. */
interface Node {
  readonly name: string;
  readonly ok: boolean;
  readonly slots?: number;
  readonly transport?: string;
  readonly because?: string;
  readonly hostKey?: string;
  readonly milliseconds?: number;
  readonly prints: boolean;
  readonly shell?: string;
  readonly processors?: number;
  readonly folders?: readonly { readonly path: string; readonly executable: boolean }[];
  readonly refused?: readonly string[];
  readonly lacks?: readonly string[];
  readonly programs?: readonly string[];
  readonly missing?: readonly string[];
  readonly failure?: { readonly message: string; readonly hint: string };
}

function nodesOf(stdout: string): Map<string, Node> {
  const { nodes }: { nodes: Node[] } = JSON.parse(stdout);
  return new Map(nodes.map(node => [node.name, node]));
}

describe('logobatch nodes', () => {
  test('shows this machine alone where no grid file is', () => {
    const { status, stdout, stderr } = logobatch([], { LOGOBATCH_LOCAL_SLOTS: '3' });
    assert.deepEqual([status, stderr], [0, '']);
    const [head = '', line = '', ...rest] = stdout.trimEnd().split('\n');
    assert.match(head, /^NODE +SLOTS +CPUS +FREE +MEMORY +GPUS +DISK +IN +ANSWER +BY +SHELL +SYSTEM$/);
    assert.match(line, new RegExp(`^local {2}ok {2} +3 +${availableParallelism()} +\\d+ .* here .* Linux `));
    assert.deepEqual(rest, []);
  });

  test('looks for programs here, too', () => {
    const { status, stdout } = logobatch(['--requires', 'awk,no-such-program', '--format', 'json']);
    const local = nodesOf(stdout).get('local');
    assert.deepEqual(
      [status, local?.ok, local?.programs, local?.missing],
      [1, false, ['awk'], ['no-such-program']],
    );
  });

  test('shows the mistakes of a grid file with their places, and looks at nothing', () => {
    writeFileSync(
      join(folder, 'wrong.yml'),
      'compute:\n  - {name: a, type: ssh, hostname: -oProxyCommand=x}\n',
    );
    const { status, stdout, stderr } = logobatch(['--grid', 'wrong.yml']);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^wrong\.yml:2:36: error: "hostname" must be .*\n 2 \| {3}- \{name: a, /);
    const json = logobatch(['--grid', 'wrong.yml', '--format', 'json']);
    const { diagnostics }: { diagnostics: { code: string }[] } = JSON.parse(json.stdout);
    assert.deepEqual([json.status, json.stderr, diagnostics.map(({ code }) => code)], [1, '', ['bad-value']]);
    assert.match(logobatch(['--grid', 'none.yml']).stderr, /there is no grid file none\.yml/);
  });

  test('says of a cluster whose processors and memory they are', () => {
    writeFileSync(join(folder, 'campus.yml'), 'compute:\n  - {name: campus, type: slurm}\n');
    const { stdout } = logobatch(['--grid', 'campus.yml']);
    rmSync(join(folder, 'campus.yml'));
    assert.match(
      stdout,
      /^campus .*\n( {4}.*\n)* {4}CPUS, FREE, MEMORY and GPUS are those of the machine to submit from$/m,
    );
  });

  test('says what is wrong with its own use', () => {
    for (const [words, message] of [
      [['lcoal'], /no node is called "lcoal": did you mean local\?/],
      [['--requires', 'a;b'], /no name of a program/],
      [['--grid', 'a', '--grid', 'b'], /--grid is given twice/],
      [['--requires', 'a', '--requires', 'b'], /--requires is given twice: several programs go with commas/],
      [['--nope'], /Unknown argument: nope/],
      [['--format', 'xml'], /Invalid values/],
    ] as const) {
      const { status, stdout, stderr } = logobatch(words);
      assert.match(stderr, message);
      assert.deepEqual([status, stdout], [2, ''], words.join(' '));
    }
  });
});

describe('logobatch nodes, with real hosts', { skip: canLab() }, () => {
  let lab: Lab;
  let env: Record<string, string>;
  let all: Map<string, Node>;
  let text: string;

  before(async () => {
    lab = await startLab({
      hosts: [
        {},
        { shell: 'tcsh', rc: 'echo hello\n' },
        { shell: 'fish', rc: 'echo hello; read x\n' },
        { shell: 'busybox sh', path: 'all' },
        { noHome: true },
        { unknown: true },
        { path: ['sh', 'uname'] },
        { login: 'certificate' },
        { rc: 'exit 3\n' },
        { rc: 'read a; read b\n' },
        {},
      ],
    });
    env = { ...lab.env, LOGOBATCH_GRID: join(folder, 'grid.yml') };
    lab.host('n11').kill();
    const shared = { fast_storage: ['/no/such/folder', '/dev/shm'], slots: 3 };
    writeFileSync(
      join(folder, 'grid.yml'),
      lab.grid({ local: 1, all: shared, hosts: { n5: { fast_storage: ['~/x'] } } }),
    );
    const json = logobatch(['--format', 'json', '--requires', 'awk'], env);
    assert.equal(json.stderr, '');
    assert.equal(json.status, 1);
    all = nodesOf(json.stdout);
    text = logobatch(['n2', 'n6', 'n8'], env).stdout;
  });
  after(() => lab.stop());

  const node = (name: string): Node => {
    const found = all.get(name);
    assert.ok(found, name);
    return found;
  };

  test('finds every usual host fine, whatever its login shell is, prints or reads', () => {
    const fine = ['here', 'n1', 'n2', 'n3', 'n4', 'n5', 'n8', 'n10'];
    assert.deepEqual(
      [...all.values()].filter(({ ok }) => ok).map(({ name }) => name),
      fine,
    );
    for (const name of fine.slice(1)) {
      const { hostKey, processors, slots, milliseconds, programs } = node(name);
      assert.deepEqual(
        [hostKey, processors, slots, programs],
        ['verified', availableParallelism(), 3, ['awk']],
        name,
      );
      assert.ok(milliseconds !== undefined && milliseconds > 0, name);
    }
    const shells = ['n1', 'n2', 'n3', 'n4'].map(name => [
      node(name).shell?.split('/').at(-1),
      node(name).prints,
    ]);
    assert.deepEqual(shells, [
      ['bash', false],
      ['tcsh', true],
      ['fish', true],
      ['sh', false],
    ]);
  });

  test('says where the work folder would be, and why not elsewhere', () => {
    assert.equal(node('n1').folders?.[0]?.path, '/dev/shm');
    assert.deepEqual(node('n1').refused, ['/no/such/folder: it is not there']);
    assert.deepEqual(
      node('n5').folders?.map(({ path }) => path),
      ['/tmp'],
    );
    assert.deepEqual(node('n5').refused, ['~/x: there is no home folder', '$HOME: there is no home folder']);
  });

  test('says what carries a connection, and why', () => {
    assert.deepEqual([node('n1').transport, node('n1').because], ['node-ssh', undefined]);
    assert.deepEqual([node('n8').transport, node('n8').because], ['openssh', 'a user certificate']);
  });

  test('says of each that failed why, and what to do', () => {
    const failure = (name: string) => node(name).failure?.message ?? '';
    assert.match(
      failure('n6'),
      /^n6: refused, since its host key \(ssh-ed25519 SHA256:.*\) is not known here$/,
    );
    assert.equal(node('n6').hostKey, 'refused');
    assert.match(failure('n7'), /^n7: it lacks cat, .*, tar, tr, xargs$/);
    assert.match(failure('n9'), /^n9: its login shell runs no commands/);
    assert.match(failure('n11'), /^n11: not reachable: /);
    for (const { ok, failure: fault } of all.values()) assert.equal(fault === undefined, ok);
    for (const { failure: fault } of all.values()) if (fault) assert.ok(fault.hint.length > 10);
  });

  test('shows a line a node, with reason and cure below one that failed', () => {
    const [head = '', n2 = '', printing = '', n6 = '', reason = '', cure = '', n8 = '', way = '', ...rest] =
      text.split('\n').filter(line => !/^ {4}not in /.test(line));
    assert.deepEqual(rest, ['']);
    assert.match(n2, /^n2 {4}ok {6} +3 .* \/dev\/shm +\d+ ms {2}node-ssh {2}tcsh {3}Linux /);
    assert.match(printing, /^ {4}its login shell prints something/);
    assert.match(n6, /^n6 {4}FAILED {2} +3 +- /);
    assert.match(reason, /^ {4}n6: refused, since its host key /);
    assert.match(cure, /^ {4}hint: run "ssh n6" once/);
    assert.match(n8, /^n8 {4}ok .* openssh +bash /);
    assert.equal(way, '    by openssh: a user certificate');
    assert.equal(n2.indexOf('tcsh'), head.indexOf('SHELL'));
  });

  test('counts a node as failed that lacks a program asked for', () => {
    const { status, stdout } = logobatch(['n1', '--requires', 'awk,Rscript'], env);
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^ {4}n1: not found there: Rscript\n {4}hint: .*PATH.*\n(.*\n)* {4}has awk; has no Rscript\n/m,
    );
  });

  test('leaves nothing behind, there or here', () => {
    for (const name of ['n1', 'n4', 'n8']) {
      const host = lab.host(name);
      assert.deepEqual(
        lab.traces(host).filter(line => !/\.(cshrc|bashrc|config|local)/.test(line)),
        [],
      );
      assert.deepEqual(lab.processes(host), []);
    }
    assert.deepEqual(readdirSync(folder).sort(), ['grid.yml', 'wrong.yml']);
  });

  test('ends at once on Ctrl-C, without a word and without a connection left', async () => {
    const host = lab.host('n8');
    host.freeze();
    const child = spawn(process.execPath, [PROGRAM, 'nodes', 'n8'], {
      cwd: folder,
      env: environment(env),
      stdio: 'pipe',
    });
    try {
      await until('it tries', () => readdirSync(folder).some(name => name.startsWith('logobatch-')));
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      assert.deepEqual(await ended, [130, null]);
    } finally {
      host.thaw();
      child.kill('SIGKILL');
    }
    assert.deepEqual(readdirSync(folder).sort(), ['grid.yml', 'wrong.yml']);
  });
});
