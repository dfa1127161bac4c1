import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { batchfile } from '../../src/emit/batchfile.ts';
import { makefile } from '../../src/emit/makefile.ts';
import { type MadeBatch, madeBatch, planned } from '../made-image.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const needs = (batch: string, each: boolean) => [{ batch: `bbatch_1/${batch}`, each }];
const text = (batches: readonly MadeBatch[]) => [...makefile(planned(batches).plan).text()].join('');

/** The Makefile in a folder with everything it names, all older than the results in `done`. */
function laid(batches: readonly MadeBatch[], done: readonly string[] = []): string {
  const root = mkdtempSync(join(tmpdir(), 'logobatch-make-'));
  folders.push(root);
  const { plan } = planned(batches);
  const put = (path: string, body: string, seconds: number) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), body);
    utimesSync(join(root, path), seconds, seconds);
  };
  put('Makefile', [...makefile(plan).text()].join(''), 1);
  for (const stamp of plan.stamps.values()) put(`.logobatch/run/stamps/${stamp}`, '', 1);
  for (const { batch, name, count } of plan.batches) {
    for (let i = 0; i < count; i++) {
      put(`data/processed/${batch.id}/${name(i)}/jobfile.sh`, '', 1);
      if (batch.files.length > 0) put(`.logobatch/run/files/${batch.id}/${name(i)}`, '', 1);
    }
  }
  for (const path of done) put(`data/processed/bbatch_1/${path}`, '', 2);
  return root;
}

/** What make would run, as the scripts ask it. */
function todo(root: string, goal = 'all', ...more: string[]): string[] {
  const args = ['-n', '--no-print-directory', 'LB_PASS=run', ...more, goal];
  const out = execFileSync('make', args, { cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH } });
  return out
    .split('\n')
    .filter(line => /^(run|gather) /.test(line))
    .map(line => line.replace('data/processed/bbatch_1/', ''));
}

describe('Makefile', () => {
  test('says what it is and what is in it', () => {
    const made = text([{ name: 'fire', command: 'awk  -f x\n  {a} \\' }, { name: 'ash' }]);
    assert.match(made, /^# 6 jobs in 2 batches\. Written by LogoBatch/);
    assert.match(made, /\n# ---- bbatch_1\/fire: awk -f x \{a\} {3}\(batch_info\/bbatch_1\.yml:3\)\n/);
    assert.match(made, /\nbbatch_1\/fire\/jobs := Job1 Job2 Job3\n/);
    assert.match(made, /\n# {3}make bbatch_1\/fire {8}one batch/);
  });

  test('runs every job of a new image once', () => {
    const root = laid([{ name: 'fire' }, { name: 'ash' }]);
    assert.deepEqual(todo(root).sort(), [
      'run ash/Job1',
      'run ash/Job2',
      'run ash/Job3',
      'run fire/Job1',
      'run fire/Job2',
      'run fire/Job3',
    ]);
  });

  test('takes a bbatch, a batch and a job as goals', () => {
    const root = laid([{ name: 'fire' }, { name: 'ash', bbatch: 'other' }]);
    assert.equal(todo(root, 'bbatch_1').length, 3);
    assert.deepEqual(todo(root, 'other/ash')[0], 'run data/processed/other/ash/Job1');
    assert.deepEqual(todo(root, 'data/processed/bbatch_1/fire/Job2/.done'), ['run fire/Job2']);
  });

  test('leaves alone what is done, and sees a changed shared folder', () => {
    const root = laid([{ name: 'fire' }], ['fire/Job1/.done', 'fire/Job3/.done']);
    assert.deepEqual(todo(root), ['run fire/Job2']);
    utimesSync(join(root, '.logobatch/run/stamps/src'), 3, 3);
    assert.equal(todo(root).length, 3);
  });

  test('a batch that needs another one whole waits for all of it', () => {
    const root = laid([{ name: 'summary', rows: [['x']], needs: needs('fire', false) }, { name: 'fire' }]);
    assert.deepEqual(todo(root, 'bbatch_1/summary'), [
      'run fire/Job1',
      'run fire/Job2',
      'run fire/Job3',
      'gather bbatch_1/fire',
      'run summary/Job1',
    ]);
  });

  test('pairs of the same name are one rule', () => {
    const batches = [{ name: 'prep' }, { name: 'fire', needs: needs('prep', true) }];
    assert.match(
      text(batches),
      /\n\$\(bbatch_1\/fire:=\/\.done\): \$\(out\)\/bbatch_1\/fire\/%\/\.done: \$\(out\)\/bbatch_1\/prep\/%\/\.done\n/,
    );
    const root = laid(batches);
    assert.deepEqual(todo(root, 'data/processed/bbatch_1/fire/Job2/.done'), [
      'run prep/Job2',
      'run fire/Job2',
    ]);
  });

  test('other pairs are a line each', () => {
    const batches = [
      { name: 'prep' },
      { name: 'fire', rows: [['3'], ['1'], ['2']], needs: needs('prep', true) },
    ];
    assert.match(
      text(batches),
      /\n\$\(out\)\/bbatch_1\/fire\/Job1\/\.done: \$\(out\)\/bbatch_1\/prep\/Job3\/\.done\n/,
    );
    const root = laid(batches);
    assert.deepEqual(todo(root, 'data/processed/bbatch_1/fire/Job1/.done'), [
      'run prep/Job3',
      'run fire/Job1',
    ]);
  });

  test("a job's own files make it out of date, and no other", () => {
    const root = laid(
      [{ name: 'fire', files: ['data/{a}.csv'] }],
      [1, 2, 3].map(n => `fire/Job${n}/.done`),
    );
    assert.deepEqual(todo(root), []);
    utimesSync(join(root, '.logobatch/run/files/bbatch_1/fire/Job2'), 3, 3);
    assert.deepEqual(todo(root), ['run fire/Job2']);
  });

  test('a batch without jobs is nothing to do, also where it is needed', () => {
    const batches = [
      { name: 'none', rows: [] },
      { name: 'fire', needs: [...needs('none', false)] },
    ];
    assert.equal(todo(laid(batches)).length, 4);
    const each = [
      { name: 'none', rows: [] },
      { name: 'more', rows: [], needs: needs('none', true) },
      { name: 'fire' },
    ];
    assert.equal(todo(laid(each)).length, 3);
  });

  test('lists its jobs for the scripts', () => {
    const root = laid([{ name: 'fire' }, { name: 'ash' }]);
    const { stdout } = spawnSync('make', ['LB_PASS=list', 'list'], { cwd: root, encoding: 'utf8' });
    assert.equal(stdout, 'bbatch_1/fire Job1 Job2 Job3\nbbatch_1/ash Job1 Job2 Job3\n');
  });

  test('breaks long lists of jobs, and loses none of them', () => {
    const rows = Array.from({ length: 2000 }, (_, i) => [String(i)]);
    const batches = [{ name: 'fire', rows }];
    for (const line of text(batches).split('\n')) assert.ok(line.length < 130, line);
    const root = laid(batches);
    const { stdout } = spawnSync('make', ['LB_PASS=list', 'list'], { cwd: root, encoding: 'utf8' });
    assert.equal(stdout.trim(), `bbatch_1/fire ${rows.map((_, i) => `Job${i + 1}`).join(' ')}`);
    assert.equal(todo(root).length, 2000);
  });

  test('comments cannot become rules', () => {
    const nasty = 'echo "$(shell touch pwned)"\ninjected:\n\ttouch pwned\n# \\';
    const made = text([{ name: 'fire', command: nasty }]);
    const root = laid([{ name: 'fire' }]);
    writeFileSync(join(root, 'Makefile'), made);
    assert.equal(todo(root).length, 3);
    assert.throws(() => readFileSync(join(root, 'pwned')), /ENOENT/);
  });

  test('the same image gives the same bytes', () => {
    const batches = [
      { name: 'prep' },
      { name: 'fire', shared: ['src', 'data/raw'], needs: needs('prep', true) },
    ];
    assert.equal(text(batches), text(batches));
  });
});

describe('batch file', () => {
  const nasty = 'it\'s $(id) `id` "x" \\ \n second';
  const batch = madeBatch({
    name: 'fire',
    mem: 1500 * 1024 * 1024 + 1,
    time: 600,
    shared: ['src', 'data/raw'],
    needs: [
      { batch: 'b/prep', each: false },
      { batch: 'b/each', each: true },
    ],
    outputs: ['a.csv', 'bundle=9', nasty],
    setup: "src/it's.sh",
    secrets: ['TOKEN'],
    tags: ['x', 'y'],
    slurm: new Map([
      ['partition', 'main'],
      ['mem-per-cpu', "it's 4G"],
    ]),
    sge: new Map([['q', 'all.q']]),
  });
  const made = batchfile(
    batch,
    new Map([
      ['src', 'src'],
      ['data/raw', 'data_raw-1f3a'],
    ]),
  );

  for (const shell of [['dash'], ['bash', '--posix'], ['busybox', 'sh']]) {
    test(`means the same to ${shell[0]}`, () => {
      const [program = 'sh', ...args] = shell;
      const show =
        'printf "%s|" "$bundle" "$time" "$mem" "$keep" "$shared" "$needs" "$setup" "$secrets" "$tags" "$slurm" "$sge" "$outputs"';
      const out = execFileSync(program, [...args, '-c', `${made}\n${show}`], { encoding: 'utf8' });
      assert.equal(
        out,
        `1|600|1501|0|src data_raw-1f3a|b/prep|src/it's.sh|TOKEN|x y|partition mem-per-cpu|q|a.csv\nbundle=9\n${nasty}|`,
      );
    });
  }

  test('gives each key a line, those with several lines last', () => {
    const keys = made.split('\n').flatMap(line => /^([a-z_]+)=/.exec(line)?.[1] ?? []);
    assert.deepEqual(keys.slice(-4), ['setup', 'outputs', 'bundle', 'secrets']);
    for (const key of ['bundle', 'shared', 'needs', 'slurm', 'sge'])
      assert.ok(keys.indexOf(key) < keys.indexOf('outputs'));
  });

  test('shellcheck finds nothing', () => {
    const { status, stdout } = spawnSync('shellcheck', ['-'], { input: made, encoding: 'utf8' });
    assert.equal(stdout, '');
    assert.equal(status, 0);
  });
});
