/**
 * One batch over this machine, hosts by SSH, Slurm and Grid Engine at once. 200 jobs in the plain suite; 1,000 with
 * `LOGOBATCH_SOAK=1 node test/suite.mjs cluster/everything`.
 */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { type Lab, startLab } from '../lab/hosts.ts';
import { canSge, type Sge, startSge } from '../lab/sge.ts';
import { canSlurm, type Slurm, startSlurm } from '../lab/slurm.ts';
import { type Project, project } from '../run/rig.ts';
import { killAll, quiet } from '../run/witness.ts';
import { watchTraces } from '../ssh/rig.ts';
import { leftOn, outputs, sharesOf } from './slurm-rig.ts';

const JOBS = process.env.LOGOBATCH_SOAK ? 1000 : 200;

const FILES = {
  'src/half.sh': '#!/bin/sh\necho $(($1 / 2))\n',
  'data/raw/sub/x y': 'raw\n',
  'batch_info/t.yml': `
batches:
  - name: many
    inputs: many.csv
    bundle: 5
    command: "[ $LB_NODE = local ] || sleep 0.2; src/half.sh {i0} > {out}/half; printf '%s' {i1} > {out}/word; mkdir {out}/sub; ln -s ../half {out}/sub/l; ls {in}/sub >&2"
`,
  'batch_info/many.csv': Array.from({ length: JOBS }, (_, i) => `${i},"a ${i} ""b"" $(id) 'c' \\ *é"\n`).join(
    '',
  ),
};

describe('everything at once', { skip: canSge() ?? canSlurm() }, () => {
  let lab: Lab;
  let slurm: Slurm;
  let sge: Sge;
  let alone: Project;
  let image: Project;
  before(async () => {
    [sge, slurm, lab] = await Promise.all([
      startSge({ slots: 4 }),
      startSlurm({ nodes: 2 }),
      startLab({ hosts: 2 }),
    ]);
    [alone, image] = await Promise.all([
      project({ files: FILES, slots: 4 }),
      project({ files: FILES, slots: 4 }),
    ]);
    const cluster = { max_jobs: 6 };
    const hosts = lab.hosts.map(({ name }) => ({ name, type: 'ssh', hostname: name, slots: 2 }));
    const compute = [
      { name: 'here', type: 'local', slots: 1 },
      ...hosts,
      { name: 'slurm', type: 'slurm', hostname: 'slurmlogin', ...cluster },
      { name: 'sge', type: 'sge', hostname: 'sgelogin', ...cluster },
    ];
    writeFileSync(join(image.home, '.logobatch.yml'), stringify({ compute }));
    // One ssh that knows all of them.
    const config = join(image.home, '.ssh-config');
    writeFileSync(config, [lab, slurm, sge].map(each => `Include ${each.config}\n`).join(''));
    writeFileSync(join(image.bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`);
    chmodSync(join(image.bin, 'ssh'), 0o755);
  });
  after(() => {
    for (const each of [alone, image]) {
      if (!each) continue;
      killAll(each);
      each.remove();
    }
    for (const each of [lab, slurm, sge]) each?.stop();
  });

  test('gives what this machine gives alone, by all of them, and leaves nothing', async () => {
    const expected = await alone.make(['GRID=local']);
    assert.equal(expected.code, 0, expected.out);
    const check = watchTraces(lab);
    const { code, out, seconds } = await image.make();
    assert.equal(code, 0, out);
    assert.equal(image.done().length, JOBS);
    assert.deepEqual(outputs(image.root), outputs(alone.root));
    const shares = sharesOf(join(image.root, 'data/processed'));
    console.log(`everything: ${JOBS} jobs in ${Math.round(seconds)} s: ${JSON.stringify(shares)}`);
    assert.deepEqual(Object.keys(shares).sort(), ['here', 'n1', 'n2', 'sge', 'slurm'], out);
    check();
    for (const cluster of [slurm, sge]) assert.deepEqual(leftOn(cluster, image), []);
    await quiet(image);
    assert.deepEqual(socketsIn(image.environment.LOGOBATCH_SLOTS), []);
    const again = await image.make();
    assert.match(again.out, /^nothing to do/);
  });
});

const socketsIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path =>
    statSync(join(folder, path)).isSocket(),
  );
