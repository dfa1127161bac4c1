/** The example image: what it compiles to, what it computes, and that it is the same on every awk. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Project, project } from './run/rig.ts';

const SOURCE = 'example-image';
const GOLDEN = 'test/example.golden';
/** What is emitted once a batch, and one jobfile of each: the other jobfiles differ in their row alone. */
const EMITTED = [
  'Makefile',
  'batch_info/jobs.lock',
  '.logobatch/shared',
  '.logobatch/files/bbatch_1/summary',
  ...['fire', 'summary', 'plot', 'threads'].flatMap(batch => [
    `.logobatch/arrays/bbatch_1/${batch}.sh`,
    `.logobatch/batches/bbatch_1/${batch}`,
    `data/processed/bbatch_1/${batch}/Job1/jobfile.sh`,
  ]),
];

let example: Project;

before(async () => {
  const paths = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' });
  const own = paths.filter(
    path =>
      /^(src|docs|data\/raw|batch_info\/(?!jobs\.lock))/.test(path) && statSync(join(SOURCE, path)).isFile(),
  );
  const files = Object.fromEntries(own.map(path => [path, readFileSync(join(SOURCE, path))]));
  example = await project({ files, name: SOURCE });
});
after(() => example.remove());

test('the example compiles to the committed golden files', () => {
  for (const path of EMITTED) {
    const golden = join(GOLDEN, path.replace(/^\.logobatch/, 'logobatch'));
    const emitted = example.read(path);
    if (process.env.UPDATE_GOLDEN) {
      mkdirSync(dirname(golden), { recursive: true });
      writeFileSync(golden, emitted);
    }
    assert.equal(emitted, readFileSync(golden, 'utf8'), `${path} differs from ${golden}`);
  }
});

test('the example runs to its end, and the burned share jumps near a density of 0.59', async () => {
  const first = await example.make();
  assert.equal(first.code, 0, first.out);
  assert.match(first.out, /340 done in \d+ s/);

  const threshold = new Map(
    example
      .read('data/processed/bbatch_1/summary/Job1/threshold.csv')
      .trim()
      .split('\n')
      .slice(1)
      .map(line => line.split(','))
      .map(([measure = '', density]) => [measure, Number(density)]),
  );
  // 0.5927 in an infinite lattice; the jump of one of 240 × 240 sites is about 0.01 wide.
  for (const measure of ['mean', 'half', 'steepest'])
    assert.ok(
      Math.abs((threshold.get(measure) ?? 0) - 0.5927) < 0.01,
      `${measure}: ${threshold.get(measure)}`,
    );

  const share = example
    .read('data/processed/bbatch_1/summary/Job1/summary.csv')
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(',').map(Number));
  assert.equal(share.length, 21);
  for (const [density = 0, fires, burned = 0] of share) {
    assert.equal(fires, 16);
    if (density <= 0.54) assert.ok(burned < 0.1, `${burned} burned at ${density}`);
    if (density >= 0.64) assert.ok(burned > 0.9, `${burned} burned at ${density}`);
  }
  assert.match(example.read('data/processed/bbatch_1/plot/Job1/percolation.svg'), /^<svg [\s\S]*<\/svg>\n$/);

  const second = await example.make();
  assert.deepEqual([second.code, second.out.split('\n').filter(Boolean)], [0, ['nothing to do']]);
});

test('a fire gives the same bytes on mawk, gawk and busybox awk', () => {
  const awks = [['mawk'], ['gawk'], ['busybox', 'awk']];
  for (const seed of ['1', '7', '16']) {
    const results = awks.map(([program = '', ...first]) =>
      execFileSync(
        program,
        [...first, '-f', 'src/fire.awk', '-v', 'density=0.59', '-v', `seed=${seed}`, '-'],
        {
          cwd: SOURCE,
          input: 'rows 60\ncolumns 60\n',
          encoding: 'utf8',
        },
      ),
    );
    assert.match(results[0] ?? '', /^density,.*\n0\.59,/);
    assert.equal(new Set(results).size, 1, results.join('\n'));
  }
});
