/**
 * How long compile takes: `node test/bench/compile.mjs [ROWS] [FOLDER]` after `npm run build`. Prints seconds and peak
 * memory of a first and of an unchanged compile, and of `tar -x` of the same tree for comparison: disks differ, ratios less.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const rows = Number(process.argv[2] ?? 100_000);
const work = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'logobatch-bench-'));
const image = join(work, 'image');
const program = resolve('dist/logobatch.mjs');

mkdirSync(join(image, 'src'), { recursive: true });
mkdirSync(join(image, 'batch_info'));
writeFileSync(join(image, 'src/run.sh'), 'echo "$1"\n');
writeFileSync(
  join(image, 'batch_info/sweep.yml'),
  'batches:\n  - name: fire\n    command: "sh src/run.sh {density} {seed} {species} > {out}/x.csv"\n    inputs: sweep.csv\n',
);
await table(join(image, 'batch_info/sweep.csv'));

const fresh = timed('first compile', process.execPath, [program, 'compile', image]);
const again = timed('unchanged', process.execPath, [program, 'compile', image]);
execFileSync('tar', ['-cf', join(work, 'image.tar'), '-C', work, 'image']);
mkdirSync(join(work, 'copy'));
const tar = timed('tar -x', 'tar', ['-xf', join(work, 'image.tar'), '-C', join(work, 'copy')]);
console.log(`first / tar -x     ${(fresh / tar).toFixed(2)}  (at most 1.3)`);
console.log(`unchanged / first  ${(again / fresh).toFixed(3)}  (at most 0.15)`);
rmSync(work, { recursive: true, force: true });

/** Seconds of wall time. */
function timed(what, command, args) {
  const { stderr, stdout, status } = spawnSync('/usr/bin/time', ['-f', '%e %M', command, ...args], {
    encoding: 'utf8',
  });
  const [seconds = '', kilobytes = ''] = stderr.trim().split('\n').at(-1)?.split(' ') ?? [];
  console.log(
    `${what.padEnd(18)} ${seconds.padStart(7)} s ${String(Math.round(Number(kilobytes) / 1024)).padStart(5)} MiB`,
  );
  if (status !== 0) throw new Error(`${what} failed:\n${stdout}${stderr}`);
  return Number(seconds);
}

async function table(path) {
  const out = createWriteStream(path);
  out.write('density,seed,species\n');
  for (let i = 0; i < rows; i++) {
    const line = `${(i % 1000) / 1000},${i},species-${i % 17}\n`;
    if (!out.write(line)) await new Promise(done => out.once('drain', done));
  }
  await new Promise(done => out.end(done));
}
