/** What a batch wants around its jobs (modules, a setup, a container, variables) is there on the machines of a cluster, too, whichever it is. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canSge, startSge } from '../lab/sge.ts';
import { canSlurm, type Slurm, startSlurm } from '../lab/slurm.ts';
import { killAll } from '../run/witness.ts';
import * as onSge from './sge-rig.ts';
import * as onSlurm from './slurm-rig.ts';

/** What the site's administrators have made, below the user's home: modules and programs, found through what a login shell reads. */
const SITE = {
  '.profile': 'export MODULESHOME=$HOME/site/modules PATH=$HOME/site/bin:$PATH\n',
  // What a command by ssh reads.
  '.bashrc': '. ~/.profile\n',
  'site/modules/init/sh': `module() {
  [ "$1" = load ] && shift && LOADED="$*" && export LOADED || return
  PATH=$HOME/site/modules/bin:$PATH
}
`,
  'site/modules/bin/model': '#!/bin/sh\necho "model with $LOADED"\n',
  // No Apptainer, but one that looks at what it is asked for and runs the command as it would be seen inside.
  'site/bin/apptainer': `#!/bin/sh
[ "$1 $2 $4" = 'exec --bind --pwd' ] || exit 64
bound=$3 folder=$5 image=$6
shift 6
[ -f "$image" ] || exit 65
IFS=,
for path in $bound; do [ -e "$path" ] || exit 66; done
cd "$folder" && STAND_IN="$image, then $LOADED" exec "$@"
`,
};

const FILES = {
  'src/prepare.sh': 'echo prepared >> ~/setups; echo "by setup" > prepared\n',
  'src/my model.sif': 'an image\n',
  'batch_info/b.yml': `batches:
  - {name: plain, command: 'for p in awk make apptainer; do command -v $p; done > {out}/x'}
  - {name: loaded, inputs: [1, 2], modules: [gcc/12, model/2.1], command: '{ model; echo {i0}; } > {out}/x'}
  - {name: prepared, inputs: [1, 2, 3, 4], setup: src/prepare.sh, command: 'cat prepared > {out}/x'}
  - {name: again, setup: src/prepare.sh, command: 'cat prepared > {out}/x'}
  - name: contained
    inputs: ["a b'c"]
    container: src/my model.sif
    modules: runtime
    env: {COLOUR: deep "blue"}
    secrets: TOKEN
    command: '{ echo "$STAND_IN"; echo "$COLOUR" {i0} "$\{#TOKEN}"; cat src/my*; } > {out}/x; echo y > "$LB_SCRATCH/y"; test -e "$LB_SCRATCH/y"'
`,
};

const EXPECTED = {
  'loaded/Job1': 'model with gcc/12 model/2.1\n1\n',
  'loaded/Job2': 'model with gcc/12 model/2.1\n2\n',
  ...Object.fromEntries(
    ['prepared/Job1', 'prepared/Job2', 'prepared/Job3', 'prepared/Job4', 'again/Job1'].map(job => [
      job,
      'by setup\n',
    ]),
  ),
  'contained/Job1': `src/my model.sif, then runtime\ndeep "blue" a b'c 6\nan image\n`,
};

/** Furnishes the site, runs the image, and compares. */
async function honoured(
  lab: Pick<Slurm, 'folder' | 'home' | 'queue' | 'processes'>,
  imageOn: (resource: Readonly<Record<string, unknown>>) => Promise<onSlurm.Image | onSge.Image>,
): Promise<void> {
  for (const [path, text] of Object.entries(SITE)) {
    mkdirSync(join(lab.home, path, '..'), { recursive: true });
    writeFileSync(join(lab.home, path), text, { mode: 0o755 });
  }
  const fast = join(lab.folder, 'fast');
  mkdirSync(fast);
  chmodSync(fast, 0o1777);
  const image = await imageOn({ fast_storage: [fast] });
  try {
    const { code, out } = await image.make([], { env: { TOKEN: 'secret' } });
    assert.equal(code, 0, out);
    const found = Object.keys(EXPECTED).map(job => [job, image.result(`${job}/x`)]);
    assert.deepEqual(Object.fromEntries(found), EXPECTED);
    assert.match(image.result('plain/Job1/x'), /^\/\S+awk\n\/\S+make\n\/\S+\/site\/bin\/apptainer\n$/);
    assert.equal(readFileSync(join(lab.home, 'setups'), 'utf8'), 'prepared\n', 'once, whoever wants it');
    assert.deepEqual(readdirSync(fast), []);
    assert.deepEqual(onSlurm.leftOn(lab, image), []);
  } finally {
    killAll(image);
    image.remove();
  }
}

describe('what a batch wants around its jobs', () => {
  test('is there on Slurm', { skip: canSlurm() }, async () => {
    const slurm = await startSlurm();
    try {
      await honoured(slurm, resource => onSlurm.imageOn(slurm, FILES, { resource }));
    } finally {
      slurm.stop();
    }
  });

  test('is there on Grid Engine', { skip: canSge() }, async () => {
    const sge = await startSge();
    try {
      await honoured(sge, resource => onSge.imageOn(sge, FILES, resource));
    } finally {
      sge.stop();
    }
  });
});
