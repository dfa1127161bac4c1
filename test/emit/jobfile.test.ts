import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jobfileOf } from '../../src/emit/jobfile.ts';
import type { Batch, Job } from '../../src/model.ts';
import { batchOf, jobOf, run, SHELLS, temp } from './jobfile-rig.ts';

const plain = batchOf('awk -f src/fire.awk -v density={density} -v seed={seed} > {out}/burned.csv', [
  'density',
  'seed',
]);

const everything = batchOf(
  `{exe} --threads {cpus} --label {label} < src/in |
  sed 's/x/{seed}/' > {out}/a.csv
# the settings, {seed} among them
cat > {out}/settings <<EOF
model = {exe}
label = {label}
job   = {id} ({n})
EOF`,
  ['seed', 'label'],
  {
    shell: 'bash',
    cpus: 8,
    threads: { lower: 1, upper: 8 },
    mem: 4 * 2 ** 30,
    gpus: 1,
    time: 5400,
    needs: [{ batch: 'bbatch_1/prepare', each: true }],
    env: new Map([
      ['OMP_NUM_THREADS', '4'],
      ['NOTE', "don't; $x"],
    ]),
    modules: ['gcc/12', 'openmpi'],
    container: 'containers/my model.sif',
    slurm: new Map([
      ['partition', 'main'],
      ['comment', 'a "b"\nc'],
      ['exclusive', 'true'],
    ]),
    sge: new Map([
      ['pe', 'smp 8'],
      ['q', 'long.q'],
    ]),
    constants: new Map([['exe', 'src/my model']]),
  },
);
const everythingJob = jobOf(['7', "it's\n# not a comment"], { cpus: 4, needs: ['bbatch_1/prepare/Job3'] });

test('a jobfile reads as if a person had written it', () => {
  const golden = 'test/emit/jobfile.golden.sh';
  const text = `${jobfileOf(plain)(jobOf(['0.55', '7']))}\n${jobfileOf(everything)(everythingJob)}`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'));
});

test('the recipe finds digest, processors and pairs in the first lines', () => {
  const lines = (batch: Batch, job: Job) => jobfileOf(batch)(job).split('\n').slice(0, 3);
  assert.deepEqual(lines(everything, everythingJob), [
    '#!/usr/bin/env bash',
    '#: 0123456789abcdef0123456789abcdef 4',
    '#: needs bbatch_1/prepare/Job3',
  ]);
  assert.match(
    lines(everything, { ...everythingJob, needs: [] })[2] ?? '',
    /^# bbatch_1\/fire\/Job7\. Written/,
  );
  assert.equal(lines(plain, jobOf(['1', '2']))[0], '#!/bin/sh');
});

test('shellcheck has nothing to say about a jobfile', () => {
  const files = [
    jobfileOf(plain)(jobOf(["'; rm -rf ~ #", 'a\nb'])),
    jobfileOf(everything)(everythingJob),
    jobfileOf(batchOf('true', [], { modules: ['a'] }))(jobOf([])),
    jobfileOf(batchOf('true', [], { container: 'docker://x/y:1' }))(jobOf([])),
    jobfileOf(batchOf('printf "%s\\n" {v} > {out}/"{v}" "$LB_v" \'{v}\'', ['v']))(jobOf(["a'b\n$x"])),
  ].map((text, index) => {
    const file = join(temp, `${index}.sh`);
    writeFileSync(file, text);
    return file;
  });
  // SC2016 warns of a $ in single quotes, which is how a value with a $ has to look.
  const { stdout, status } = spawnSync('shellcheck', ['-e', 'SC2016', ...files], { encoding: 'utf8' });
  assert.deepEqual([stdout, status], ['', 0]);
});

test('the exit status of the command is that of the jobfile, and the first failure ends it', () => {
  for (const shell of SHELLS) {
    const statusOf = (command: string) => run(shell, jobfileOf(batchOf(command, []))(jobOf([]))).status;
    assert.deepEqual(
      [statusOf('exit 7'), statusOf('false\ntrue'), statusOf('kill -9 $$'), statusOf('true')],
      [7, 1, null, 0],
    );
  }
  const piped = batchOf('false | true', [], { shell: 'bash' });
  assert.equal(run(['bash'], jobfileOf(piped)(jobOf([]))).status, 1);
});

test('by hand the variables of the run have defaults; in a run its own hold', () => {
  const batch = batchOf('echo "$LB_JOB $LB_ATTEMPT $LB_CPUS $LB_OUT $LB_SCRATCH" {out} "$LB_NODE"', []);
  const jobfile = jobfileOf(batch)(jobOf([], { cpus: 3 }));
  for (const shell of SHELLS) {
    const { folder, stdout } = run(shell, jobfile);
    const out = `${folder}/data/processed/bbatch_1/fire/Job7`;
    const node = spawnSync('uname', ['-n'], { encoding: 'utf8' }).stdout;
    assert.equal(stdout.toString(), `Job7 1 3 ${out} /tmp ${out} ${node}`);
    const env = {
      LB_ATTEMPT: '2',
      LB_CPUS: '3',
      LB_OUT: '/o o',
      LB_SCRATCH: '/s',
      LB_NODE: 'lab1',
      LB_JOB: 'other',
    };
    assert.equal(run(shell, jobfile, env).stdout.toString(), 'Job7 2 3 /o o /s /o o lab1\n');
  }
});

test('modules are loaded by whatever "module" there is, and a node without says so', () => {
  const jobfile = jobfileOf(batchOf('echo "$LOADED"', [], { modules: ['gcc/12', 'open mpi'] }))(jobOf([]));
  const init = join(temp, 'modules', 'init');
  mkdirSync(init, { recursive: true });
  writeFileSync(join(init, 'sh'), 'module() { [ "$2" != none ] || return 3; LOADED="$1:$2:$3"; }\n');
  const env = { MODULESHOME: join(temp, 'modules'), LB_NODE: 'lab1' };
  const missing = jobfileOf(batchOf('echo "$LOADED"', [], { modules: ['none'] }))(jobOf([]));
  for (const shell of SHELLS) {
    assert.equal(run(shell, jobfile, env).stdout.toString(), 'load:gcc/12:open mpi\n');
    assert.equal(run(shell, missing, env).status, 3);
    const without = run(shell, jobfile, { ...env, MODULESHOME: '/nowhere' });
    assert.deepEqual(
      [without.status, without.stdout.toString(), without.stderr],
      [127, '', 'bbatch_1/fire loads modules, but lab1 has no command "module"\n'],
    );
  }
});

test('in a container the jobfile starts itself again inside', () => {
  // Not the real thing: a stand-in that says how it was called and runs the rest.
  const bin = join(temp, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'apptainer'), '#!/bin/sh\nprintf "<%s>" "$@"; echo\nshift 6\nexec "$@"\n', {
    mode: 0o755,
  });
  const jobfile = jobfileOf(batchOf('echo {v} "$LB_OUT"', ['v'], { container: 'my image.sif' }))(
    jobOf(["it's"]),
  );
  const env = { LB_OUT: '/o', LB_SCRATCH: '/s', LB_NODE: 'lab1' };
  for (const shell of SHELLS) {
    const { folder, stdout } = run(shell, jobfile, { ...env, PATH: `${bin}:${process.env.PATH}` });
    const bind = `<--bind><${folder},/o,/s,${folder}/jobfile.sh><--pwd><${folder}>`;
    assert.equal(stdout.toString(), `<exec>${bind}<my image.sif><sh><${folder}/jobfile.sh>\nit's /o\n`);
    const without = run(shell, jobfile, env);
    assert.deepEqual(
      [without.status, without.stderr],
      [127, 'bbatch_1/fire runs in a container, but lab1 has neither apptainer nor singularity\n'],
    );
  }
});

test('no text of the image breaks out of a comment', () => {
  const place = { file: 'batch_info/a\ntouch pwned\r.yml', line: 1, column: 1, length: 1 };
  const table = { source: 'a\ntouch pwned', columns: ['v'], rows: [], placeOf: () => undefined };
  const slurm = new Map([['comment', 'x\ntouch pwned']]);
  const jobfile = jobfileOf(batchOf('ls', ['v'], { place, table, slurm }))(jobOf(['#\ntouch pwned']));
  for (const shell of SHELLS) assert.equal(run(shell, jobfile).stdout.toString(), 'jobfile.sh\n');
});

test('a million jobfiles are a matter of seconds: making one costs little more than reading it', () => {
  const made = jobfileOf(plain);
  const jobs = Array.from({ length: 20_000 }, (_, index) =>
    jobOf(['0.55', String(index)], { name: `Job${index}` }),
  );
  made(jobOf(['1', '2']));
  const start = performance.now();
  const texts = jobs.map(made);
  const making = performance.now() - start;
  for (const text of texts) createHash('sha256').update(text).digest('hex');
  const hashing = performance.now() - start - making;
  assert.ok(making < 20 * hashing, `${making} ms to make, ${hashing} ms to hash`);
});
