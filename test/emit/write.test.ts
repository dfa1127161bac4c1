import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Emission, EmittedJobs } from '../../src/emit/emission.ts';
import { emit } from '../../src/emit/files.ts';
import type { Look } from '../../src/emit/look.ts';
import { lookAt } from '../../src/emit/look.ts';
import { writeImage } from '../../src/emit/write.ts';
import { asFailure } from '../../src/failure.ts';
import { type MadeBatch, madeImage, planned } from '../made-image.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const root = mkdtempSync(join(tmpdir(), 'logobatch-write-'));
  folders.push(root);
  return root;
}

const FIRE: MadeBatch = { name: 'fire', command: 'echo {a}' };
const JOB = 'data/processed/bbatch_1/fire/Job2';

function emission(root: string, batches: readonly MadeBatch[]): Emission {
  const lock = join(root, 'batch_info/jobs.lock');
  const { plan } = planned(batches, existsSync(lock) ? readFileSync(lock, 'utf8') : undefined);
  return emit(madeImage(batches), plan, new Map([['shell/start', '#!/bin/sh\n']]));
}

/** Looks and writes; returns what was found to do. */
function write(root: string, batches: readonly MadeBatch[] = [FIRE]): Look {
  const wanted = emission(root, batches);
  const look = lookAt(root, wanted);
  if (look.diagnostics.length === 0) writeImage(root, wanted, look);
  return look;
}

const changes = (look: Look) => look.jobs.reduce((sum, jobs) => sum + jobs.changes, 0);

/** Every file with its text, and (where asked) its time. */
function tree(root: string, times = false): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  const paths = files.map(entry => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map(path => [
      path.slice(root.length + 1),
      times ? String(statSync(path).mtimeMs) : readFileSync(path, 'latin1'),
    ]),
  );
}

describe('a first write', () => {
  test('leaves everything that the Makefile names', () => {
    const root = folder();
    write(root, [FIRE, { name: 'ash', files: ['src/{a}.csv'] }]);
    const files = tree(root);
    assert.match(files.Makefile ?? '', /bbatch_1\/fire/);
    assert.match(files[`${JOB}/jobfile.sh`] ?? '', /^#!\/bin\/sh\n#: [0-9a-f]{32} 1\n/);
    assert.equal(files['.logobatch/format'], '1\n');
    assert.equal(files['.logobatch/shared'], 'src\tsrc\n');
    assert.equal(files['.logobatch/.gitignore'], '/run/\n/ledger/\n');
    assert.equal(
      files['.logobatch/files/bbatch_1/ash'],
      'Job1\tsrc/1.csv\nJob2\tsrc/2.csv\nJob3\tsrc/3.csv\n',
    );
    assert.match(files['.logobatch/batches/bbatch_1/fire'] ?? '', /^bundle=1$/m);
    assert.equal(statSync(join(root, '.logobatch/shell/start')).mode & 0o111, 0o111);
  });

  test('the same image gives the same bytes', () => {
    const [one, two] = [folder(), folder()];
    write(one);
    write(two);
    const { '.logobatch/run/written': _, ...left } = tree(one);
    const { '.logobatch/run/written': __, ...right } = tree(two);
    assert.deepEqual(left, right);
  });
});

describe('a second write', () => {
  test('touches nothing, and does not even make the texts', () => {
    const root = folder();
    write(root);
    const before = tree(root, true);
    const wanted = emission(root, [FIRE]);
    let made = 0;
    const text = (jobs: EmittedJobs) => (i: number) => {
      made++;
      return jobs.text(i);
    };
    const counting = wanted.jobs.map(jobs => ({ ...jobs, text: text(jobs) }));
    const look = lookAt(root, { ...wanted, jobs: counting });
    writeImage(root, { ...wanted, jobs: counting }, look);
    assert.equal(made, 0);
    assert.equal(changes(look), 0);
    assert.deepEqual(look.files, []);
    assert.deepEqual(tree(root, true), before);
  });

  const damages: [string, (path: string) => void][] = [
    ['edited', path => appendFileSync(path, '# mine\n')],
    [
      'edited to the same length',
      path => writeFileSync(path, readFileSync(path, 'utf8').replace('echo', 'ohce')),
    ],
    ['emptied', path => truncateSync(path)],
    ['deleted', path => rmSync(path)],
    ['deleted with its folder', path => rmSync(join(path, '..'), { recursive: true })],
  ];
  for (const [what, damage] of damages) {
    test(`puts a jobfile right that was ${what}`, () => {
      const root = folder();
      write(root);
      const before = tree(root);
      damage(join(root, JOB, 'jobfile.sh'));
      assert.equal(changes(write(root)), 1);
      assert.equal(tree(root)[`${JOB}/jobfile.sh`], before[`${JOB}/jobfile.sh`]);
      assert.equal(changes(write(root)), 0);
    });
  }

  test('puts our other files right, and removes those of batches that are gone', () => {
    const root = folder();
    write(root, [FIRE, { name: 'ash', files: ['x'] }]);
    writeFileSync(join(root, '.logobatch/shared'), 'src\tother\n');
    const look = write(root);
    assert.deepEqual([...look.drop].sort(), [
      '.logobatch/arrays/bbatch_1/ash.sh',
      '.logobatch/batches/bbatch_1/ash',
      '.logobatch/files/bbatch_1/ash',
    ]);
    assert.equal(readFileSync(join(root, '.logobatch/shared'), 'utf8'), 'src\tsrc\n');
    assert.ok(!existsSync(join(root, '.logobatch/batches/bbatch_1/ash')));
    assert.ok(!existsSync(join(root, '.logobatch/arrays/bbatch_1/ash.sh')));
  });

  for (const [what, harm] of [
    ['is gone', (path: string) => rmSync(path)],
    ['is cut', (path: string) => truncateSync(path, 150)],
    ['is garbage', (path: string) => writeFileSync(path, '{"format":1,"batches":[{"id":1}]}\nxx')],
  ] as const) {
    test(`writes no jobfile again when its memory ${what}`, () => {
      const root = folder();
      write(root);
      harm(join(root, '.logobatch/run/written'));
      const before = tree(join(root, 'data'), true);
      assert.equal(changes(write(root)), 0);
      assert.deepEqual(tree(join(root, 'data'), true), before);
      assert.equal(write(root).remember, false);
    });
  }

  test('writes only the new row when one is put in on top', () => {
    const root = folder();
    write(root);
    const look = write(root, [{ ...FIRE, rows: [['0'], ['1'], ['2'], ['3']] }]);
    assert.equal(changes(look), 1);
    assert.match(readFileSync(join(root, 'data/processed/bbatch_1/fire/Job4/jobfile.sh'), 'utf8'), /=0$/m);
    assert.equal(changes(write(root, [{ ...FIRE, rows: [['0'], ['1'], ['2'], ['3']] }])), 0);
  });

  test('writes all when the command changed, and leaves results alone', () => {
    const root = folder();
    write(root);
    writeFileSync(join(root, JOB, '.done'), 'a record');
    writeFileSync(join(root, JOB, 'result.csv'), 'a result');
    assert.equal(changes(write(root, [{ ...FIRE, command: 'echo "{a}" 2' }])), 3);
    assert.equal(readFileSync(join(root, JOB, 'result.csv'), 'utf8'), 'a result');
    assert.deepEqual(readdirSync(join(root, JOB)).sort(), ['.done', 'jobfile.sh', 'result.csv']);
  });
});

describe('stale jobs', () => {
  test('are listed, never deleted', () => {
    const root = folder();
    write(root);
    const look = write(root, [{ ...FIRE, rows: [['1'], ['3']] }]);
    assert.deepEqual(look.stale, [JOB]);
    assert.ok(existsSync(join(root, JOB, 'jobfile.sh')));
  });

  test('are those of batches that are gone, too', () => {
    const root = folder();
    write(root, [FIRE, { name: 'ash', rows: [['x']] }]);
    mkdirSync(join(root, 'data/processed/bbatch_1/fire/Job1.failed'));
    assert.deepEqual(write(root).stale, ['data/processed/bbatch_1/ash/Job1']);
  });
});

describe("what is not ours in a job's place", () => {
  const cases: [string, (path: string) => void, RegExp | undefined][] = [
    [
      'a folder with files is refused',
      path => writeIn(path, 'thesis.tex'),
      /holds "thesis.tex", but neither/,
    ],
    ['a file is refused', path => writeIn(join(path, '..'), 'Job2'), /a file is in its place/],
    ['an empty folder is taken', path => mkdirSync(path, { recursive: true }), undefined],
    ['a result without its jobfile is ours', path => writeIn(path, '.done', 'x.csv'), undefined],
    ['what a killed compile left is ours', path => writeIn(path, '.new-jobfile.sh.123'), undefined],
  ];
  for (const [what, prepare, message] of cases) {
    test(what, () => {
      const root = folder();
      prepare(join(root, JOB));
      const before = tree(root);
      const look = write(root);
      if (!message) {
        assert.deepEqual(look.diagnostics, []);
        assert.ok(existsSync(join(root, JOB, 'jobfile.sh')));
        return;
      }
      assert.match(look.diagnostics[0]?.message ?? '', message);
      assert.equal(look.diagnostics[0]?.code, 'not-ours');
      assert.deepEqual(tree(root), before);
    });
  }

  function writeIn(path: string, ...names: string[]): void {
    mkdirSync(path, { recursive: true });
    for (const name of names) writeFileSync(join(path, name), 'mine');
  }
});

describe('a machine that fails', () => {
  test('leaves the old Makefile, and is told from a mistake of ours', () => {
    const root = folder();
    write(root);
    const before = readFileSync(join(root, 'Makefile'), 'utf8');
    rmSync(join(root, '.logobatch/batches'), { recursive: true });
    writeFileSync(join(root, '.logobatch/batches'), 'a file');
    assert.throws(
      () => write(root, [{ ...FIRE, rows: [['9']] }]),
      error => asFailure(error, root) !== undefined,
    );
    assert.equal(readFileSync(join(root, 'Makefile'), 'utf8'), before);
    assert.equal(asFailure(new TypeError('x'), root), undefined);
  });

  test('a full disk is said in plain words, and compiling again mends all', t => {
    const root = folder();
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', root]);
    if (mount.status !== 0) return t.skip('mounting a small disk needs root');
    try {
      const rows = Array.from({ length: 2000 }, (_, i) => [String(i)]);
      write(root);
      const before = readFileSync(join(root, 'Makefile'), 'utf8');
      let failure: ReturnType<typeof asFailure>;
      try {
        write(root, [{ ...FIRE, rows }]);
      } catch (error) {
        failure = asFailure(error, root);
      }
      assert.match(failure?.message ?? '', /^cannot write.*: no space left on the disk$/);
      assert.equal(readFileSync(join(root, 'Makefile'), 'utf8'), before);
      execFileSync('mount', ['-o', 'remount,size=64m', root]);
      write(root, [{ ...FIRE, rows }]);
      for (const [path, text] of Object.entries(tree(join(root, 'data'))))
        assert.match(text, /^#!\/bin\/sh\n#: /, path);
      assert.equal(changes(write(root, [{ ...FIRE, rows }])), 0);
    } finally {
      execFileSync('umount', [root]);
    }
  });
});
