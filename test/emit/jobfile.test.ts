// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { parseTemplate } from '../../src/command.ts';
import { jobfileOf } from '../../src/emit/jobfile.ts';
import type { Batch, Job, MarkerRef } from '../../src/model.ts';

const temp = mkdtempSync(join(tmpdir(), 'jobfile-'));
after(() => rmSync(temp, { recursive: true }));

const SHELLS: [string, ...string[]][] = [['dash'], ['bash'], ['busybox', 'sh']];

/** A batch around a command whose markers are columns, constants or what every job has. */
function batchOf(command: string, columns: readonly string[], more: Partial<Batch> = {}): Batch {
  const constants = more.constants ?? new Map<string, string>();
  const resolve = (name: string): MarkerRef | undefined => {
    if (columns.includes(name)) return { kind: 'column', index: columns.indexOf(name) };
    if (name === 'out' || name === 'id' || name === 'n' || name === 'cpus')
      return { kind: 'job', what: name };
    const value = constants.get(name);
    return value === undefined ? undefined : { kind: 'constant', value };
  };
  const parsed = parseTemplate(command, true, marker => resolve(marker.name), more.shell === 'bash');
  assert.deepEqual([parsed.unknown, parsed.unusable, parsed.unterminated], [[], [], []], command);
  return {
    id: 'bbatch_1/fire',
    name: 'fire',
    bbatch: 'bbatch_1',
    place: { file: 'batch_info/bbatch_1.yml', line: 3, column: 5, length: 4 },
    shell: 'sh',
    command: parsed.template,
    table: { source: 'batch_info/sweep.csv', columns, rows: [], placeOf: () => undefined },
    jobName: undefined,
    cpus: 1,
    threads: undefined,
    mem: undefined,
    gpus: 0,
    time: undefined,
    retries: 0,
    needs: [],
    files: [],
    shared: ['src'],
    outputs: [],
    maxOutput: { bytes: 1e10, files: 1e5 },
    secrets: [],
    env: new Map(),
    modules: [],
    setup: undefined,
    container: undefined,
    resources: [],
    tags: [],
    requires: [],
    bundle: 1,
    keep: false,
    email: false,
    slurm: new Map(),
    sge: new Map(),
    constants,
    ...more,
  };
}

function jobOf(values: readonly string[], more: Partial<Job> = {}): Job {
  const digest = '0123456789abcdef0123456789abcdef';
  return { name: 'Job7', number: 7, cpus: 1, values, digest, files: [], needs: [], ...more };
}

/** Runs a jobfile in a fresh folder. */
function run(shell: readonly string[], text: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(temp, 'run-'));
  writeFileSync(join(folder, 'jobfile.sh'), text);
  const [program = '', ...args] = shell;
  const ran = spawnSync(program, [...args, 'jobfile.sh'], {
    cwd: folder,
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', ...env },
    maxBuffer: 1e9,
  });
  return { folder, status: ran.status, stdout: ran.stdout, stderr: ran.stderr.toString() };
}

const HOSTILE = [
  '',
  ' ',
  '-n',
  '--',
  '-rf /',
  "'",
  '"',
  '`',
  '\\',
  '\\\\',
  '$',
  '$$',
  '$HOME',
  '${HOME}',
  '$(id)',
  '`id`',
  '"$(id)"',
  "'; rm -rf ~ #",
  "it's",
  'a\nb',
  '\n',
  '\n\n',
  'x\n',
  '\nEOF\n',
  'EOF',
  '\tEOF\n\ttab',
  '\t',
  '\r',
  'a\r\nb',
  '\x01',
  '\x7f',
  '\x1b[31m',
  'a\\nb\\0c\\c',
  '%s %d %%',
  '*',
  '?',
  '[a-z]',
  '~',
  '~root',
  '{a,b}',
  '{1..3}',
  '{v}',
  '{{v}}',
  '!',
  '!!',
  '#',
  '# x',
  'a;b&c|d<e>f(g)h',
  'A=1',
  'if',
  'done',
  'esac',
  '2',
  '007',
  '1e3',
  'größe',
  '日本語',
  'ā\u0081\u0088',
  '\u0301',
  '😀',
  '\ufeffx',
  '\u2028',
  'é\n$(x)\\',
];

/** Each place a value may stand in, with what must arrive there. `v` is the value's marker. */
const PLACES: { name: string; command: (v: string) => string; arrives: (value: string) => string }[] = [
  { name: 'bare', command: v => `printf '%s\\0' ${v}`, arrives: x => x },
  { name: 'joined', command: v => `printf '%s\\0' a${v}b`, arrives: x => `a${x}b` },
  { name: 'twice', command: v => `printf '%s\\0' --k=${v}${v}`, arrives: x => `--k=${x}${x}` },
  { name: 'after a name', command: v => `e=E; printf '%s\\0' $e${v}"$e${v}"`, arrives: x => `E${x}E${x}` },
  { name: 'before a redirection', command: v => `printf '%s\\0' ${v}>&1`, arrives: x => x },
  { name: 'double', command: v => `printf '%s\\0' "a${v} b"`, arrives: x => `a${x} b` },
  { name: 'after a backslash', command: v => `printf '%s\\0' "\\${v}"`, arrives: x => `\\${x}` },
  { name: 'single', command: v => `printf '%s\\0' 'a${v} b'`, arrives: x => `a${x} b` },
  { name: 'assigned', command: v => `a=${v}; printf '%s\\0' "$a"`, arrives: x => x },
  {
    name: 'substitution',
    command: v => `printf '%s\\0' "$(printf '%s.' ${v} "${v}" '${v}')"`,
    arrives: x => `${x}.${x}.${x}.`,
  },
  {
    name: 'backticks',
    command: v => `a=\`printf '%s.' ${v} "${v}" '${v}'\`; printf '%s\\0' "$a\`printf %s. ${v}\`"`,
    arrives: x => `${x}.${x}.${x}.${x}.`,
  },
  {
    name: 'here-document',
    command: v => `cat <<EOF; printf '\\0'\n${v}\n\\${v}$(printf '%s.' ${v} "${v}")\nEOF`,
    arrives: x => `${x}\n\\${x}${x}.${x}.\n`,
  },
  {
    name: 'here-document without tabs',
    command: v => `cat <<-EOF; printf '\\0'\n\t${v}\n\tEOF`,
    arrives: x => `${x}\n`,
  },
  {
    name: 'default value',
    command: v => `printf '%s\\0' \${none:-${v}} "\${none:-${v}}" \${none-'${v}'}`,
    arrives: x => [x, x, x].join('\0'),
  },
  {
    name: 'case',
    command: v => `case ${v} in ${v}) printf '%s\\0' yes ;; *) printf '%s\\0' no ;; esac`,
    arrives: () => 'yes',
  },
];

/** Runs all values at all places in one script, and compares byte by byte what arrived. */
function arrivesEverywhere(shell: readonly string[], bash: boolean, values: readonly string[]): void {
  const columns = values.map((_, index) => `v${index}`);
  const lines = values.flatMap((_, index) => PLACES.map(place => place.command(`{v${index}}`)));
  const batch = batchOf([...lines, 'env -0'].join('\n'), columns, { shell: bash ? 'bash' : 'sh' });
  const { status, stdout, stderr } = run(shell, jobfileOf(batch)(jobOf(values)));
  assert.equal(stderr, '');
  assert.equal(status, 0);
  let at = 0;
  for (const value of values) {
    for (const place of PLACES) {
      const expected = Buffer.from(`${place.arrives(value)}\0`);
      const arrived = stdout.subarray(at, at + expected.length);
      if (!arrived.equals(expected)) {
        assert.equal(
          arrived.toString(),
          expected.toString(),
          `${shell.join(' ')}: ${place.name}: ${JSON.stringify(value)}`,
        );
      }
      at += expected.length;
    }
  }
  const env = new Map(
    stdout
      .subarray(at)
      .toString()
      .split('\0')
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  values.forEach((value, index) => {
    assert.equal(
      env.get(`LB_v${index}`),
      value,
      `${shell.join(' ')}: the environment: ${JSON.stringify(value)}`,
    );
  });
}

for (const shell of SHELLS) {
  test(`hostile values arrive byte for byte wherever they stand, in ${shell.join(' ')}`, () => {
    arrivesEverywhere(shell, false, HOSTILE);
    if (shell[0] === 'bash') arrivesEverywhere(shell, true, HOSTILE);
  });

  test(`random values arrive byte for byte wherever they stand, in ${shell.join(' ')}`, () => {
    const nasty = fc.constantFrom(
      ...'\'"`\\$\n\t\r !*?[]{}()<>|&;#~=%-_.,:@+^a1Eéā日😀\x01\x7f\u0081\u0088',
      'EOF',
      '$(',
      '${',
    );
    const value = fc.oneof(
      fc.string({ unit: nasty, maxLength: 20 }),
      fc.string({ unit: 'binary', maxLength: 20 }).map(text => text.replaceAll('\0', '')),
    );
    const values = fc.array(value, { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(values, all => arrivesEverywhere(shell, shell[0] === 'bash', all)),
      { numRuns: 5, endOnFailure: true },
    );
  });

  test(`a value of 100 kB arrives, in ${shell.join(' ')}`, () => {
    arrivesEverywhere(shell, false, ['$x\'"\\\n\tä'.repeat(10_000)]);
  });

  test(`what programs cannot take in their environment is known in the jobfile only, in ${shell.join(' ')}`, () => {
    const long = 'ab'.repeat(65_536);
    const batch = batchOf(`printf '%s' "$LB_a" | wc -c; printf %s {a} | wc -c; env | grep -c '^LB_a='`, [
      'a',
    ]);
    const { stdout, stderr } = run(shell, jobfileOf(batch)(jobOf([long])));
    assert.deepEqual([stdout.toString().split(/\s+/), stderr], [['131072', '131072', '0', ''], '']);
  });
}

test('markers nested in any quoting arrive exactly', () => {
  interface Nested {
    text: string;
    value: (v: string) => string;
  }
  const suffixed = (inner: Nested, text: string): Nested => ({ text, value: v => `${inner.value(v)}.` });
  const { word } = fc.letrec<{ word: Nested; quoted: Nested }>(tie => ({
    word: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom('{v}', "'{v}'", '"{v}"').map((text): Nested => ({ text, value: v => v })),
      tie('quoted').map(({ text, value }) => ({ text: `"${text}"`, value })),
      tie('word').map(inner => suffixed(inner, `"$(printf %s. ${inner.text})"`)),
      tie('word').map(inner => ({ text: `\${none:-${inner.text}}`, value: inner.value })),
    ),
    quoted: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant<Nested>({ text: '{v}', value: v => v }),
      tie('word').map(inner => suffixed(inner, `$(printf %s. ${inner.text})`)),
      tie('word').map(inner => suffixed(inner, `$(case x in (y) ;; x) printf %s. ${inner.text} ;; esac)`)),
      tie('word').map(inner => {
        // The end word of a here-document inside another must be a different one.
        const end = `E${inner.text.length}`;
        return suffixed(inner, `$(cat <<${end}\n$(printf %s. ${inner.text})\n${end}\n)`);
      }),
      tie('quoted').map(inner => ({ text: `\${none:-${inner.text}}`, value: inner.value })),
    ),
  }));
  fc.assert(
    fc.property(fc.array(word, { minLength: 40, maxLength: 40 }), fc.constantFrom(...HOSTILE), (all, v) => {
      const command = all.map(({ text }) => `printf '%s\\0' ${text}`).join('\n');
      const jobfile = jobfileOf(batchOf(command, ['v']))(jobOf([v]));
      const expected = all.map(({ value }) => value(v));
      for (const shell of SHELLS) {
        const { stdout, stderr } = run(shell, jobfile);
        assert.equal(stderr, '');
        const arrived = stdout.toString().split('\0');
        all.forEach(({ text }, index) => {
          assert.equal(
            arrived[index],
            expected[index],
            `${shell.join(' ')}: ${text} with ${JSON.stringify(v)}`,
          );
        });
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

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
    jobfileOf(plain)(jobOf(HOSTILE.slice(20, 22))),
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
