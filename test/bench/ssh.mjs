/** The benchmarks of the SSH grid, on a lab of real sshds on this machine: both ends share its processors. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { compile, image } from './images.mjs';
import { race, ratio, report, run, seconds } from './race.mjs';

/** Runs `work` with a lab of so many hosts. */
async function withLab(hosts, work) {
  const outfile = '.build/bench/hosts.mjs';
  await esbuild.build({
    entryPoints: ['test/lab/hosts.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  const { canLab, startLab } = await import(pathToFileURL(outfile).href);
  const reason = canLab();
  if (reason) {
    console.log(`skipped: ${reason}`);
    return;
  }
  const lab = await startLab({ hosts });
  try {
    await work(lab);
  } finally {
    lab.stop();
  }
}

/** make on the lab, with slots of its own. */
function grid(lab, folder, slots) {
  const file = join(folder, 'grid.yml');
  writeFileSync(file, lab.grid({ slots }));
  return { ...lab.env, LOGOBATCH_GRID: file, LOGOBATCH_SLOTS: join(folder, 'slots') };
}

export const sshParts = fresh => ({
  /** 60 jobs, one file of 1 kB in and one out, 4 hosts with 2 slots each. */
  async ssh() {
    await withLab(4, async lab => {
      const inputs = Array.from({ length: 60 }, (_, i) => `in.${i}`);
      const roots = {};
      for (const bundle of [1, 20]) {
        roots[bundle] = fresh(`ssh-${bundle}`);
        image(roots[bundle], {
          'batch_info/t.yml': `batches:\n  - name: copy\n    inputs: names.csv\n    files: ["data/interim/{i0}"]\n    bundle: ${bundle}\n    command: cat data/interim/{i0} > {out}/copy\n`,
          'batch_info/names.csv': inputs.map(name => `${name}\n`).join(''),
          ...Object.fromEntries(inputs.map(name => [`data/interim/${name}`, 'x'.repeat(1000)])),
        });
        compile(roots[bundle]);
      }
      const peer = fresh('ssh-parallel');
      for (const name of inputs) writeFileSync(join(peer, name), 'x'.repeat(1000));
      const env = grid(lab, fresh('ssh-grid'), 2);
      const hosts = lab.hosts.map(({ name }) => `2/${name}`).join(',');
      const parallel = words => () =>
        run(
          [
            'parallel',
            '--will-cite',
            ...words,
            '-S',
            hosts,
            '--trc',
            '{}.out',
            'cat {} > {}.out',
            ':::',
            ...inputs,
          ],
          {
            cwd: peer,
            env,
          },
        );
      const again = (name, bundle) => ({
        name,
        before: () => run(['make', 'distclean', 'RESULTS=1'], { cwd: roots[bundle], env }),
        run: () => run(['make'], { cwd: roots[bundle], env }),
      });
      const times = race(3, [
        again('make', 1),
        again('bundle 20', 20),
        { name: 'parallel -M', run: parallel(['-M']) },
        { name: 'parallel', run: parallel([]) },
      ]);
      report(
        '60 jobs with a file in and one out, 4 hosts, against parallel --trc',
        ratio(times.make, times.parallel),
        { atMost: 0.1 },
        seconds(times),
      );
      report('against parallel --trc multiplexed', ratio(times.make, times['parallel -M']), { atMost: 0.33 });
      report(
        'bundle: 20 against parallel --trc multiplexed',
        ratio(times['bundle 20'], times['parallel -M']),
        { atMost: 0.1 },
      );
      // Nodes that are up already: what is left is the jobs' own.
      for (const bundle of [1, 20]) run(['make', 'up'], { cwd: roots[bundle], env });
      const warm = race(3, [
        again('make, warm', 1),
        again('bundle 20, warm', 20),
        { name: 'parallel -M', run: parallel(['-M']) },
      ]);
      for (const bundle of [1, 20]) run(['make', 'down'], { cwd: roots[bundle], env });
      report(
        'the same on warm nodes, against parallel --trc multiplexed',
        ratio(warm['make, warm'], warm['parallel -M']),
        { atMost: 0.33 },
        seconds(warm),
      );
      report(
        'bundle: 20 on warm nodes, against the same',
        ratio(warm['bundle 20, warm'], warm['parallel -M']),
        { atMost: 0.1 },
      );
    });
  },

  /** Bootstrap and teardown of 200 hosts. */
  async hosts() {
    await withLab(200, async lab => {
      const root = fresh('hosts');
      image(root, { 'batch_info/t.yml': 'batches:\n  - name: one\n    command: echo > {out}/x\n' });
      compile(root);
      const env = grid(lab, fresh('hosts-grid'), 1);
      const names = lab.hosts.map(({ name }) => `${name}\n`).join('');
      const plain = () => run(['xargs', '-P16', '-I{}', 'ssh', '{}', 'true'], { env, input: names });
      const times = race(
        3,
        [
          { name: 'make up', run: () => run(['make', 'up'], { cwd: root, env }) },
          { name: 'make down', run: () => run(['make', 'down'], { cwd: root, env }) },
          { name: 'ssh true', run: plain },
        ],
        0,
      );
      report(
        '200 hosts brought up, against 200 × ssh true',
        ratio(times['make up'], times['ssh true']),
        { atMost: 3 },
        seconds(times),
      );
      report('200 hosts taken down, against the same', ratio(times['make down'], times['ssh true']), {
        atMost: 3,
      });
    });
  },

  /** Staging of 200 MB in one file and of 20,000 small files; then again, nothing changed. */
  async staging() {
    await withLab(1, async lab => {
      const [host] = lab.hosts;
      const env = grid(lab, fresh('staging-grid'), 1);
      for (const [what, fill] of [
        ['200 MB', folder => writeFileSync(join(folder, 'big'), Buffer.alloc(200e6, 'abcdefgh'))],
        ['20,000 files', folder => smallFiles(folder, 20_000)],
      ]) {
        const root = fresh('staging');
        image(root, { 'batch_info/t.yml': 'batches:\n  - name: one\n    command: echo > {out}/x\n' });
        mkdirSync(join(root, 'src'), { recursive: true });
        fill(join(root, 'src'));
        compile(root);
        const times = race(
          3,
          [
            {
              name: 'make up',
              before: () => run(['make', 'down'], { cwd: root, env }),
              run: () => run(['make', 'up'], { cwd: root, env }),
            },
            { name: 'unchanged', run: () => run(['make', 'up'], { cwd: root, env }) },
            {
              name: 'tar | ssh tar',
              before: () => run(['ssh', host.name, 'rm -rf copy; mkdir copy'], { env }),
              run: () =>
                run(['sh', '-c', `tar -cf - src | ssh ${host.name} 'tar -xf - -C copy'`], { cwd: root, env }),
            },
          ],
          1,
        );
        run(['make', 'down'], { cwd: root, env });
        report(
          `staging ${what}, against tar | ssh tar`,
          ratio(times['make up'], times['tar | ssh tar']),
          { atMost: 1.2 },
          seconds(times),
        );
        report(`the same again, nothing changed (seconds)`, times.unchanged.toSorted()[1], { atMost: 1 });
      }
    });
  },
});

function smallFiles(folder, count) {
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) mkdirSync(join(folder, `d${i / 100}`));
    writeFileSync(join(folder, `d${Math.floor(i / 100)}`, `f${i}`), `${i}\n`.repeat(20));
  }
}
