/** The benchmark of a cluster: a real Slurm on this machine, 3 nodes with 2 processors each, scheduling as it does by default. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { compile, image } from './images.mjs';
import { median, race, ratio, report, run, seconds } from './race.mjs';

const JOBS = 40;

async function withSlurm(work) {
  const outfile = '.build/bench/slurm.mjs';
  await esbuild.build({
    entryPoints: ['test/lab/slurm.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  const { canSlurm, startSlurm } = await import(pathToFileURL(outfile).href);
  const reason = canSlurm();
  if (reason) {
    console.log(`skipped: ${reason}`);
    return;
  }
  // The lab's own Slurm schedules as fast as it can; sites do not.
  const lab = await startSlurm({ conf: ['SchedulerParameters=batch_sched_delay=3,sched_min_interval=2'] });
  try {
    await work(lab);
  } finally {
    lab.stop();
  }
}

/** An image of so many `hostname`, and make with the cluster alone. */
function entrant(fresh, name, env, { bundle = 1, jobs = JOBS } = {}) {
  const root = fresh(name);
  image(root, {
    'batch_info/t.yml': `batches:\n  - name: host\n    inputs: rows.csv\n    bundle: ${bundle}\n    command: hostname > {out}/name\n`,
    'batch_info/rows.csv': Array.from({ length: jobs }, (_, i) => `${i + 1}\n`).join(''),
  });
  compile(root);
  return {
    name,
    before: () => run(['make', 'distclean', 'RESULTS=1'], { cwd: root, env }),
    run: () => run(['make'], { cwd: root, env }),
  };
}

export const clusterParts = fresh => ({
  /** 40 × hostname, against a raw job array and what else takes jobs there; and a single empty job. */
  async slurm() {
    await withSlurm(async lab => {
      const folder = fresh('slurm');
      writeFileSync(join(folder, 'grid.yml'), 'compute:\n  - {name: campus, type: slurm, max_jobs: 100}\n');
      const env = {
        ...lab.env,
        LOGOBATCH_GRID: join(folder, 'grid.yml'),
        LOGOBATCH_SLOTS: join(folder, 'slots'),
      };
      const peers = fresh('slurm-peers');
      const names = Array.from({ length: JOBS }, (_, i) => `out/${i + 1}`);
      const clear = () => {
        rmSync(join(peers, 'out'), { recursive: true, force: true });
        rmSync(join(peers, '.snakemake'), { recursive: true, force: true });
        for (const name of ['Flow.makeflowlog', 'Flow.slurm.wqlog'])
          rmSync(join(peers, name), { force: true });
        mkdirSync(join(peers, 'out'));
      };
      writeFileSync(
        join(peers, 'Snakefile'),
        `rule all:\n    input: ${names.map(name => `"${name}"`).join(', ')}\nrule one:\n    output: "out/{n}"\n    shell: "hostname > {output}"\n`,
      );
      writeFileSync(join(peers, 'Flow'), names.map(name => `${name}:\n\thostname > ${name}\n`).join('\n'));
      writeFileSync(
        join(peers, 'array.sh'),
        '#!/bin/sh\n#SBATCH --output=/dev/null\nhostname > out/$SLURM_ARRAY_TASK_ID\n',
      );
      // Until the last file is there: sbatch --wait itself looks only every so often.
      writeFileSync(
        join(peers, 'array'),
        `#!/bin/sh\nsbatch --array=1-${JOBS} array.sh >/dev/null\nuntil [ "$(ls out | wc -l)" = ${JOBS} ]; do sleep 0.1; done\n`,
      );
      chmodSync(join(peers, 'array'), 0o755);
      const there = {
        cwd: peers,
        env: { ...env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
      };
      const sbatch = 'sbatch --output=/dev/null';
      const times = race(
        3,
        [
          entrant(fresh, 'make', env),
          entrant(fresh, 'bundle 20', env, { bundle: 20 }),
          { name: 'raw array', before: clear, run: () => run(['./array'], there) },
          {
            name: 'snakemake',
            before: clear,
            run: () =>
              run(['snakemake', '-q', '--cluster', sbatch, '-j', '100', '--latency-wait', '10'], there),
          },
          { name: 'makeflow', before: clear, run: () => run(['makeflow', '-T', 'slurm', 'Flow'], there) },
        ],
        0,
      );
      report(
        '40 × hostname on Slurm, against a raw job array',
        ratio(times.make, times['raw array']),
        { atMost: 1.3 },
        seconds(times),
      );
      for (const peer of ['snakemake', 'makeflow'])
        report(`the same with bundle: 20, against ${peer}`, ratio(times['bundle 20'], times[peer]), {
          atMost: 0.125,
        });
      const single = race(3, [entrant(fresh, 'single', env, { jobs: 1 })], 0);
      report('one empty job, from make to its end (seconds)', median(single.single), { atMost: 15 });
    });
  },
});
