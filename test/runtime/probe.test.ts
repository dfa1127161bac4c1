/** What a node says of itself: the script in every shell, and what is made of its answer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Facts, parseFacts } from '../../src/runtime/probe.ts';

const SCRIPT = join(process.cwd(), 'templates/shell/node/probe');
const SHELLS = [['/bin/dash'], ['/bin/bash', '--posix'], ['/bin/busybox', 'sh']];
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'logobatch-probe-'));
  mkdirSync(join(folder, 'with blank'));
  mkdirSync(join(folder, 'home'));
  mkdirSync(join(folder, 'home/scratch'));
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'bin'));
  for (const name of ['uname', 'df', 'tail', 'tar']) symlinkSync('/bin/busybox', join(folder, 'bin', name));
});
after(() => rmSync(folder, { recursive: true }));

function ask(shell: readonly string[], lines: readonly string[], env: Record<string, string>): Facts {
  const [program = '', ...first] = shell;
  const input = lines.map(line => `${line}\n`).join('');
  const { stdout, stderr } = spawnSync(program, [...first, SCRIPT], { input, env, encoding: 'utf8' });
  assert.equal(stderr, '');
  const facts = parseFacts(stdout.trimEnd().split('\n'));
  assert.ok(facts, stdout);
  return facts;
}

for (const shell of SHELLS)
  describe(`in ${shell.join(' ')}, the probe`, () => {
    const full = { PATH: process.env.PATH ?? '', SHELL: '/bin/tcsh' };

    test('tells what the machine is and has', () => {
      const facts = ask(shell, ['program awk', 'program no-such-program', 'program cat'], full);
      assert.equal(facts.shell, '/bin/tcsh');
      assert.match(facts.system, /^Linux \d.* \S+$/);
      assert.equal(facts.processors, availableParallelism());
      assert.ok(facts.memory > 100 && facts.load !== undefined && facts.gpus >= 0);
      assert.deepEqual(facts.programs, ['awk', 'cat']);
      assert.deepEqual([facts.lacks, facts.busyboxTar, facts.home], [[], false, undefined]);
    });

    test('says of each folder whether it can hold the work folder, and why not', () => {
      const wanted = [
        `${folder}/none`,
        `${folder}/file`,
        'relative',
        `${folder}/with blank`,
        '$HOME',
        '~/scratch',
        '~/none',
      ];
      const facts = ask(
        shell,
        wanted.map(path => `candidate ${path}`),
        { ...full, HOME: join(folder, 'home') },
      );
      assert.deepEqual(facts.usable, [`${folder}/with blank`, `${folder}/home`, `${folder}/home/scratch`]);
      assert.ok(facts.candidates.every(({ free }) => free !== undefined && free > 0));
      assert.deepEqual(facts.refused, [
        `${folder}/none: it is not there`,
        `${folder}/file: it is no folder`,
        'relative: it is no absolute path',
        `${folder}/home/none: it is not there`,
      ]);
    });

    test('needs no home folder', () => {
      const lines = ['candidate $HOME', 'candidate ~/x'];
      const refused = ['$HOME: there is no home folder', '~/x: there is no home folder'];
      assert.deepEqual(ask(shell, lines, full).refused, refused);
      assert.deepEqual(ask(shell, lines, { ...full, HOME: join(folder, 'gone') }).refused, refused);
    });

    test('needs no program to say that others are lacking', () => {
      const facts = ask(shell, [`candidate ${folder}`], { PATH: join(folder, 'bin') });
      assert.ok(facts.lacks.includes('find') && facts.lacks.includes('sha256sum'));
      assert.ok(!facts.lacks.includes('tar') && facts.busyboxTar);
      assert.equal(facts.processors, availableParallelism());
      assert.deepEqual(facts.usable, [folder]);
      assert.deepEqual(ask(shell, [], { PATH: '/nowhere' }).usable, []);
    });

    test('tells where programs may not be run, and which disks are full', {
      skip: process.getuid?.() !== 0,
    }, () => {
      const point = join(folder, 'mounted here');
      mkdirSync(point, { recursive: true });
      const mounted = (options: string, check: (facts: Facts) => void) => {
        const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'a device', point], {
          encoding: 'utf8',
        });
        assert.equal(status, 0, stderr);
        try {
          mkdirSync(join(point, 'below'));
          check(ask(shell, [`candidate ${point}/below`], full));
        } finally {
          spawnSync('umount', [point]);
        }
      };
      mounted('size=30m,noexec', ({ candidates }) =>
        assert.deepEqual(candidates, [{ path: `${point}/below`, free: 30, executable: false }]),
      );
      mounted('size=64k', ({ refused }) => assert.deepEqual(refused, [`${point}/below: its disk is full`]));
    });
  });

describe('the answer of a node', () => {
  test('counts only if it came to its end', () => {
    assert.equal(parseFacts([]), undefined);
    assert.equal(parseFacts(['cpus 4', 'usable 5 exec /tmp']), undefined);
    assert.equal(parseFacts(['cpus 4', 'end'])?.processors, 4);
  });

  test('may be anything, and shows nothing that a terminal or a shell would obey', () => {
    const key = fc.constantFrom(
      'cpus',
      'load1',
      'mem_mib',
      'usable',
      'refused',
      'program',
      'lacks',
      'shell',
      'os',
      'home',
    );
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('99999999999999999999', '-1', '5 exec /a\u001b[31m', "5 exec /a'b", '1 exec /tmp'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), pairs => {
        const facts = parseFacts([...pairs.map(pair => pair.join(' ')), 'end']);
        assert.ok(facts && facts.processors >= 1 && Number.isFinite(facts.memory));
        // Without backslashes of the values themselves, which JSON doubles.
        assert.doesNotMatch(JSON.stringify(facts).replaceAll('\\\\', ''), /\\u001b|\\n/);
        for (const path of facts.usable) assert.match(path, /^\/[A-Za-z0-9._@%+=:, /-]+$/);
      }),
    );
  });
});
