/**
 * The benchmarks, against their peers, in one run: `npm run bench [-- PART …]` with the parts compile, memory, idle, jobs, start, and as root, on
 * labs of real hosts and clusters, ssh, hosts, staging, slurm.
 * What counts are the ratios; absolute times mean nothing on a shared machine. Needs GNU make, parallel, xargs, tar.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { clusterParts } from './cluster.mjs';
import { bareMakefile, compile, LOGOBATCH, pretendDone, sweep } from './images.mjs';
import { median, race, ratio, report, run, seconds } from './race.mjs';
import { sshParts } from './ssh.mjs';

const work = mkdtempSync(join(process.env.LOGOBATCH_BENCH_FOLDER ?? tmpdir(), 'logobatch-bench-'));
process.env.LOGOBATCH_LOCAL_SLOTS = '2';
const fresh = name => {
  const path = join(work, name);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  return path;
};

const parts = {
  async compile() {
    const root = await sweep(fresh('table'), 100_000);
    compile(root);
    run(['tar', '-cf', join(work, 'image.tar'), '-C', root, 'data', '.logobatch', 'Makefile']);
    const times = race(
      5,
      [
        {
          name: 'compile',
          before: () => {
            for (const path of ['data', '.logobatch', 'Makefile', 'batch_info/jobs.lock'])
              rmSync(join(root, path), { recursive: true, force: true });
          },
          run: () => compile(root),
        },
        { name: 'unchanged', run: () => compile(root) },
        {
          name: 'tar -x',
          before: () => fresh('copy'),
          run: () => run(['tar', '-xf', join(work, 'image.tar'), '-C', join(work, 'copy')]),
        },
      ],
      0,
    );
    report(
      'compile 100,000 rows, fresh, against tar -x',
      ratio(times.compile, times['tar -x']),
      { atMost: 1.3 },
      seconds(times),
    );
    report('the same again, nothing changed, against the first', ratio(times.unchanged, times.compile), {
      atMost: 0.15,
    });
  },

  async memory() {
    const root = await sweep(fresh('million'), 1_000_000);
    const { stderr, status } = spawnSync(
      process.execPath,
      ['--import', resolve('test/bench/peak.mjs'), LOGOBATCH, 'compile', '--dry-run', root],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    report('peak memory of planning 1,000,000 rows (MB)', Number(/peak (\d+)/.exec(stderr)[1]) * 1.048576, {
      atMost: 500,
    });
    if (process.env.LOGOBATCH_BENCH_ALL) {
      const all = spawnSync(
        process.execPath,
        ['--import', resolve('test/bench/peak.mjs'), LOGOBATCH, 'compile', root],
        { encoding: 'utf8' },
      );
      report(
        'peak memory of compiling 1,000,000 rows (MB)',
        Number(/peak (\d+)/.exec(all.stderr)[1]) * 1.048576,
        { atMost: 500 },
      );
    }
  },

  async idle() {
    for (const bundle of [1, 50]) {
      const root = await sweep(fresh(`idle-${bundle}`), 100_000, { bundle });
      compile(root);
      pretendDone(root);
      const bare = bareMakefile(root);
      const times = race(7, [
        { name: 'make', run: () => run(['make'], { cwd: root }) },
        { name: 'bare', run: () => run(['make', '-f', bare], { cwd: root }) },
      ]);
      report(
        `make, nothing to do, 100,000 jobs, bundle: ${bundle}, against bare`,
        ratio(times.make, times.bare),
        { atMost: 1.3 },
        seconds(times),
      );
    }
  },

  async jobs() {
    const roots = {};
    for (const bundle of [1, 50]) {
      roots[bundle] = await sweep(fresh(`true-${bundle}`), 2_000, { command: 'true', bundle });
      compile(roots[bundle]);
    }
    const again = bundle => ({
      name: `bundle ${bundle}`,
      before: () => run(['make', 'distclean', 'RESULTS=1'], { cwd: roots[bundle] }),
      run: () => run(['make'], { cwd: roots[bundle] }),
    });
    const peers = fresh('peers');
    const list = Array.from({ length: 2_000 }, (_, i) => `${i + 1}\n`).join('');
    const files = Array.from(
      { length: 2_000 },
      (_, i) => `data/processed/sweep/fire/Job${i + 1}/jobfile.sh\n`,
    ).join('');
    const times = race(5, [
      again(1),
      again(50),
      {
        name: 'parallel',
        before: () => fresh('peers'),
        run: () =>
          run(['parallel', '--will-cite', '-j2', '--results', 'results', '--joblog', 'log', 'true'], {
            cwd: peers,
            input: list,
          }),
      },
      { name: 'xargs -P2', run: () => run(['xargs', '-P2', '-n1', 'sh'], { cwd: roots[50], input: files }) },
    ]);
    report(
      '2,000 × true, 2 slots, against parallel --results --joblog',
      ratio(times['bundle 1'], times.parallel),
      { atMost: 1, aim: 0.5 },
      seconds(times),
    );
    report('the same with bundle: 50, against parallel', ratio(times['bundle 50'], times.parallel), {
      atMost: 0.7,
      aim: 0.35,
    });
    report(
      'the same with bundle: 50, against xargs -P2 of the jobfiles',
      ratio(times['bundle 50'], times['xargs -P2']),
      { atMost: Infinity, aim: 1.5 },
    );
  },

  async start() {
    const version = race(15, [
      { name: 'logobatch --version', run: () => run([process.execPath, LOGOBATCH, '--version']) },
      { name: 'node -e 0', run: () => run([process.execPath, '-e', '0']) },
    ]);
    report(
      'logobatch --version, against node -e 0',
      ratio(version['logobatch --version'], version['node -e 0']),
      { atMost: 1.3 },
      seconds(version),
    );
    const example = join(fresh('example'), 'image');
    cpSync(resolve('example-image'), example, { recursive: true });
    const times = race(7, [{ name: 'compile', run: () => compile(example) }]);
    report('compile of the example (seconds)', median(times.compile), { atMost: 0.5 });
  },
};

Object.assign(parts, sshParts(fresh), clusterParts(fresh));
const asked = process.argv.slice(2);
try {
  if (!existsSync(LOGOBATCH)) throw new Error('build first: npm run build');
  for (const [name, part] of Object.entries(parts))
    if (asked.length === 0 || asked.includes(name)) await part();
} finally {
  rmSync(work, { recursive: true, force: true });
}
