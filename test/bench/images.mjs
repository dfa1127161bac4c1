/** The images that the benchmarks compile and run. */
import { createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from './race.mjs';

export const LOGOBATCH = resolve('dist/logobatch.mjs');

/** An image of these files. */
export function image(root, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** A table of `rows` rows and three columns, and one batch over it. */
export async function sweep(
  root,
  rows,
  { command = 'sh src/run.sh {density} {seed} {species} > {out}/x.csv', bundle = 1 } = {},
) {
  mkdirSync(join(root, 'src'), { recursive: true });
  mkdirSync(join(root, 'batch_info'));
  writeFileSync(join(root, 'src/run.sh'), 'echo "$1"\n');
  writeFileSync(
    join(root, 'batch_info/sweep.yml'),
    `batches:\n  - name: fire\n    command: ${JSON.stringify(command)}\n    inputs: sweep.csv\n    bundle: ${bundle}\n`,
  );
  const out = createWriteStream(join(root, 'batch_info/sweep.csv'));
  out.write('density,seed,species\n');
  for (let i = 0; i < rows; i++) {
    const line = `${(i % 1000) / 1000},${i},species-${i % 17}\n`;
    if (!out.write(line)) await new Promise(done => out.once('drain', done));
  }
  await new Promise(done => out.end(done));
  return root;
}

export function compile(root, extra = []) {
  return run([process.execPath, ...extra, LOGOBATCH, 'compile', root]);
}

/** Gives every job of a compiled image a record, as if it had been run, and lets make see once that nothing is to do. */
export function pretendDone(root) {
  run(['make', 'sweep/fire/Job1'], { cwd: root });
  const folder = join(root, 'data/processed/sweep/fire');
  const [, , , ...rest] = readFileSync(join(folder, 'Job1/.done'), 'utf8').split('\n')[0].split(' ');
  for (const job of readdirSync(folder)) {
    const digest = readFileSync(join(folder, job, 'jobfile.sh'), 'utf8')
      .split('\n')[1]
      .split(' ')[1];
    writeFileSync(
      join(folder, job, '.done'),
      `logobatch 1 ${digest} ${rest.join(' ')}\noutputs - 0\nattempt=1\nend\n`,
    );
  }
  run(['make'], { cwd: root });
}

/** The same targets with the same prerequisites, and nothing else: what make itself costs. */
export function bareMakefile(root) {
  const jobs = readdirSync(join(root, 'data/processed/sweep/fire')).filter(name => !name.startsWith('.'));
  const path = join(root, 'bare.mk');
  writeFileSync(
    path,
    [
      'MAKEFLAGS += -rR',
      '.SUFFIXES:',
      `jobs := $(addprefix data/processed/sweep/fire/,${jobs.join(' ')})`,
      'all: $(jobs:=/.done)',
      '$(jobs:=/.done): %/.done: %/jobfile.sh .logobatch/run/stamps/src',
      '\tsh $*/jobfile.sh && touch $@',
      '',
    ].join('\n'),
  );
  return path;
}
