/** The script of a job array, run by real shells as a scheduler would: with the number of its task in the environment. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { arrayscript } from '../../src/emit/arrayscript.ts';
import { makefile } from '../../src/emit/makefile.ts';
import { ownTemplate } from '../../src/emit/template.ts';
import { type MadeBatch, planned } from '../made-image.ts';
import { SHELLS, temp } from './jobfile-rig.ts';

/** The image's Makefile and scripts in a fresh folder; each of these jobs says its name and what it was given. */
function laid(batches: readonly MadeBatch[], jobs: readonly string[] = []): string {
  const root = mkdtempSync(join(temp, 'array-'));
  const { plan } = planned(batches);
  const put = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put('Makefile', [...makefile(plan).text()].join(''));
  for (const one of plan.batches)
    for (const file of arrayscript(one, ownTemplate('array.sh.hbs')))
      put(file.path, [...file.text()].join(''));
  for (const job of jobs)
    put(`data/processed/bbatch_1/${job}/jobfile.sh`, `echo ${job} $# "\${BASH_VERSION:+bash}"\n`);
  return root;
}

function run(
  root: string,
  {
    shell = ['sh'],
    env = {},
    script = '.logobatch/arrays/bbatch_1/fire.sh',
    args = [],
  }: {
    shell?: readonly string[];
    env?: Readonly<Record<string, string>>;
    script?: string;
    args?: readonly string[];
  },
) {
  const [program = '', ...first] = shell;
  const { status, stdout, stderr } = spawnSync(program, [...first, script, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
  return [status, stdout, stderr];
}

/** As many as make the list of jobs many lines long. */
const MANY = Array.from({ length: 3000 }, (_, i) => [String(i)]);
const fire = { name: 'fire', rows: MANY };
const EDGES = [1, 2, 14, 15, 16, 17, 29, 30, 1000, 1001, 2999, 3000];

describe('a job array', () => {
  for (const shell of SHELLS) {
    const name = shell.join(' ');
    const root = laid(
      [{ name: 'ash' }, fire, { name: 'fire2' }],
      EDGES.map(i => `fire/Job${i}`),
    );

    test(`by hand, runs the job of its number in ${name}`, () => {
      for (const i of EDGES)
        assert.deepEqual(run(root, { shell, env: { SLURM_ARRAY_TASK_ID: String(i) } }), [
          0,
          `fire/Job${i} 0 \n`,
          '',
        ]);
      assert.deepEqual(run(root, { shell, env: { SGE_TASK_ID: '15' } }), [0, 'fire/Job15 0 \n', '']);
    });

    test(`says how many jobs there are, where its number is beyond them, in ${name}`, () => {
      for (const i of ['0', '3001', '99999999999999999999'])
        assert.deepEqual(run(root, { shell, env: { SLURM_ARRAY_TASK_ID: i } }), [
          2,
          '',
          `bbatch_1/fire: there is no job ${i}: the batch has 3000 jobs\n`,
        ]);
    });

    test(`says how to use it, where there is no number, in ${name}`, () => {
      const how =
        'bbatch_1/fire: no task of a job array: submit with sbatch --array=1-3000 or qsub -t 1-3000\n';
      for (const env of [{}, { SGE_TASK_ID: 'undefined' }, { SLURM_ARRAY_TASK_ID: '1;id' }])
        assert.deepEqual(run(root, { shell, env }), [2, '', how]);
    });

    test(`says where to submit, where there is no Makefile, in ${name}`, () => {
      const script = join(root, '.logobatch/arrays/bbatch_1/fire.sh');
      const said = run('/dev', { shell, script, env: { SLURM_ARRAY_TASK_ID: '1' } });
      assert.deepEqual(said, [2, '', "bbatch_1/fire: no Makefile in /dev: submit from the image's root\n"]);
    });

    test(`in a run, hands its task over to what the run has put there, in ${name}`, () => {
      const work = mkdtempSync(join(temp, 'a folder '));
      const array = join(work, 'arrays/lb-1');
      mkdirSync(array, { recursive: true });
      writeFileSync(join(work, 'task'), 'printf "<%s>" "$@"; exit 7\n');
      for (const env of [{ SLURM_ARRAY_TASK_ID: '4' }, { SGE_TASK_ID: '4' }])
        assert.deepEqual(
          run('/', { shell, script: join(root, '.logobatch/arrays/bbatch_1/fire.sh'), env, args: [array] }),
          [7, `<${array}><4>`, ''],
        );
    });
  }

  test('runs the jobs in the shell of the batch', () => {
    const root = laid([{ name: 'fire', shell: 'bash' }], ['fire/Job2']);
    assert.deepEqual(run(root, { shell: ['dash'], env: { SGE_TASK_ID: '2' } }), [
      0,
      'fire/Job2 0 bash\n',
      '',
    ]);
  });

  test('finds the last of 100,000 jobs in less than a second', () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => [String(i)]);
    const root = laid([{ name: 'fire', rows }], ['fire/Job100000']);
    const start = performance.now();
    const said = run(root, { env: { SLURM_ARRAY_TASK_ID: '100000' } });
    assert.deepEqual(said, [0, 'fire/Job100000 0 \n', '']);
    assert.ok(performance.now() - start < 1000, `${performance.now() - start} ms`);
  });

  test('is one a batch, and none for a batch without jobs', () => {
    const { plan } = planned([{ name: 'none', rows: [] }, fire]);
    const template = ownTemplate('array.sh.hbs');
    assert.deepEqual(
      plan.batches.map(one => arrayscript(one, template).map(file => file.path)),
      [[], ['.logobatch/arrays/bbatch_1/fire.sh']],
    );
  });

  test('shellcheck finds nothing, and no text of the image leaves its comment', () => {
    const place = { file: 'batch_info/a\ntouch pwned.yml', line: 1, column: 1, length: 1 };
    const slurm = new Map([['comment', 'x\ntouch pwned']]);
    const root = laid([
      { ...fire, place, slurm, sge: new Map([['A', 'y\ntouch pwned']]) },
      { name: '9.x+-' },
    ]);
    const scripts = ['fire', '9.x+-'].map(name => join(root, `.logobatch/arrays/bbatch_1/${name}.sh`));
    const { status, stdout } = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
    assert.deepEqual([stdout, status], ['', 0]);
    const [code] = run(root, {});
    assert.equal(code, 2);
    assert.equal(spawnSync('ls', [root], { encoding: 'utf8' }).stdout, 'Makefile\n');
  });
});
