/**
 * The catalogue of messages: an example of every code, compared as whole text.
 * `UPDATE_GOLDEN=1` writes the golden file anew; its diff is then read like code.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CODES } from '../../src/read/codes.ts';
import { complaints, type Files, newImage } from './rig.ts';

const GOLDEN = path.join('test', 'validate', 'catalogue.golden.txt');

interface Example {
  readonly files: Files;
  /** For what cannot be written as a file. */
  readonly prepare?: (root: string) => void;
}

const yml = (text: string, files: Files = {}): Example => ({ files: { 'batch_info/b.yml': text, ...files } });
/** One batch with these lines. */
const one = (lines: string, files: Files = {}): Example =>
  yml(`batches:\n  - name: a\n    command: echo hi\n${lines.replace(/^/gm, '    ')}\n`, files);
const two = (first: string, second: string): Example =>
  yml(`batches:\n  - {name: a, command: echo, ${first}}\n  - {name: b, command: echo, ${second}}\n`);
const csv = (text: string | Uint8Array, command = 'echo {i0}'): Example =>
  yml(`batches:\n  - name: a\n    command: '${command}'\n    inputs: t.csv\n`, { 'batch_info/t.csv': text });

const EXAMPLES: Readonly<Record<keyof typeof CODES, readonly Example[]>> = {
  'not-text': [
    { files: { 'batch_info/b.yml': Buffer.from('batches: caf\xe9\n', 'latin1') } },
    csv('x\n1\0\n'),
    one('env: {A: "\\0"}'),
  ],
  'too-large': [
    { files: { 'batch_info/b.yml': `#${'x'.repeat(9 * 1024 ** 2)}` } },
    csv(`x\n${'v'.repeat(140_000)}\n`, 'echo {x}'),
    one('inputs:\n  matrix:\n    a: {from: 1, to: 100000}\n    b: {from: 1, to: 100000}'),
    one('inputs: {matrix: {a: {from: 0, to: 1, step: 1e-9}}}'),
    one(`env: {BIG: ${'v'.repeat(140_000)}}`),
  ],
  unreadable: [{ ...one('cpus: 1'), prepare: root => chmodSync(`${root}/batch_info/b.yml`, 0o000) }],
  'yaml-syntax': [
    yml('batches:\n  - name: a\n    command: echo a: b\n'),
    yml('batches:\n\t- name: a\n'),
    yml('batches:\n  - name: a\n    command: {{exe}} x\n'),
    yml('batches:\n  - name: a\n    command: "my prog" --all\n'),
    yml('a: 1\n---\nb: 2\n'),
    yml('batches: [\n'),
  ],
  'yaml-too-deep': [yml('['.repeat(300))],
  'yaml-directive': [yml('%YAML 1.1\n---\nbatches: []\n')],
  'yaml-tag': [one('time: !minutes 10')],
  'yaml-alias': [one('tags: *all'), yml('batches: &b [*b]\n')],
  'yaml-merge': [one('<<: 5')],
  'duplicate-key': [
    one('time: 10\ntime: 20'),
    one('exe: x\nexecutable: y'),
    yml('batches: []\nBatches: []\n'),
  ],
  'csv-ragged': [csv('a,b\n1\n1,2,3\n'), csv('a;b\n1,5;2\n')],
  'csv-quote': [csv('a,b\n1,x"y"\n2,"z"w\n'), csv('a,b\n1,"open\n2,3\n')],
  more: [csv(`a,b\n${'1\n'.repeat(30)}`)],
  'no-batches': [
    { files: { 'src/': '' } },
    { files: { 'batch_info/': '' } },
    yml('# nothing yet\n'),
    yml('- a\n'),
    yml('email: me@example.org\n'),
  ],
  'unknown-key': [
    one('retires: 1'),
    one('walltime_limit_of_it: 5'),
    one('inputs: {matrx: {a: [1]}}'),
    one('max_output: {sizes: 4G}'),
    yml('batchs: []\n'),
  ],
  'missing-key': [
    yml('batches:\n  - command: echo\n'),
    yml('batches:\n  - name: a\n'),
    one('type: threadtest'),
    yml('batches: [{name: a, command: echo}]\nemail: {from: me@example.org}\n'),
  ],
  'no-value': [one('time:')],
  'bad-value': [
    one('cpus: two\ntime: soon\nmem: 4096\nretries: -1\nenabled: yes\nbundle: .inf\ngpus: 1.5'),
    one(
      'inputs: {matrix: {a: {from: 0, to: high}}}\ntags: [a, {b: c}]\nneeds: {each: [a]}\ncsv: {delimiter: ",,"}',
    ),
    one('type: threadtest\nrange: 8-1'),
    one('container: ftp://x\nsecrets: [sk-12345, LB_TOKEN]'),
    yml('batches: [hello]\nemail: nobody\n'),
    yml('batches: hello\n'),
    yml('batches: [{name: a, command: echo}]\nemail: {addresses: [nobody], form: me@example.org}\n'),
  ],
  'ignored-key': [one('upper: 4\nheader: true'), one('type: threadtest\nrange: 1-8\ncpus: 4')],
  'old-form': [yml('Batches:\n  a:\n    command: echo\n    batch_type: ssh\n')],
  'bad-name': [
    yml(
      'batches:\n  - {name: a b, command: echo}\n  - {name: ../up, command: echo}\n  - {name: x.lock, command: echo}\n',
    ),
    yml(`batches:\n  - {name: "esc\\e[31m", command: echo}\n  - {name: ${'n'.repeat(101)}, command: echo}\n`),
    { files: { 'batch_info/status.yml': 'batches: [{name: a, command: echo}]' } },
    one('env: {A-B: 1}'),
  ],
  'duplicate-name': [
    yml('batches:\n  - {name: a, command: x}\n  - {name: A, command: x}\n  - {name: a, command: x}\n'),
    {
      files: {
        'batch_info/b.yml': 'batches: [{name: a, command: x}]',
        'batch_info/b.yaml': 'batches: [{name: a, command: x}]',
      },
    },
  ],
  'bad-job-name': [one('inputs: [a, b c, ..]\njob_name: "{i0}"')],
  'duplicate-job-name': [one('inputs: [a, A, a]\njob_name: "x-{i0}"')],
  'need-unknown': [two('needs: [c]', 'needs: [aa, x/y]')],
  'need-disabled': [two('enabled: false', 'needs: a')],
  'need-cycle': [two('needs: b', 'needs: [a]'), one('needs: a')],
  'need-each': [two('inputs: [1, 2, 3]', 'inputs: [1], needs: {each: a}')],
  'path-outside': [one('files: [../x, /etc/passwd, ~/.ssh/id_rsa]\ninputs: data/../../x.csv')],
  'path-missing': [
    one('inputs: sweep.csv\nshared: [Src]\nsetup: setup.sh', { 'src/': '' }),
    one('inputs: [1, 2]\nfiles: "data/{i0}.asc"', { 'data/1.asc': '' }),
  ],
  'path-kind': [one('setup: src', { 'src/': '' }), one('shared: [data]', { 'data/x': '' })],
  'path-special': [
    {
      ...one('shared: src', { 'src/': '' }),
      prepare: root => void execFileSync('mkfifo', [`${root}/src/pipe`]),
    },
  ],
  'path-link': [
    {
      ...one('shared: src\nfiles: [src/out]', { 'src/': '' }),
      prepare: root => {
        symlinkSync('/etc/hostname', `${root}/src/out`);
        symlinkSync('nowhere', `${root}/src/dead`);
      },
    },
    { ...one('files: loop'), prepare: root => symlinkSync('loop', `${root}/loop`) },
  ],
  'path-name': [one('shared: src', { 'src/a\tb': '', 'src/c\nd': '' }), one(`files: ${'d/'.repeat(3000)}x`)],
  'no-rows': [csv('x\n', 'echo {x}'), csv(''), one('inputs: []')],
  'header-name': [csv('x, y,1z,x,\n1,2,3,4,5\n', 'echo {x}')],
  'header-reserved': [csv('x,OUT\n1,2\n', 'echo {x}')],
  'header-builtin': [csv('id,x\n1,2\n', 'echo {x}')],
  'header-unused': [csv('density,seed\n0.5,1\n')],
  'csv-separator': [csv('a;1\nb;2\n'), csv('x;y\na;1\nb;2\n', 'echo {x} {y} {i1}')],
  'inputs-list': [one('inputs: [[a, 1], [b], []]'), one('inputs: {zip: {a: [1, 2], b: [1]}}')],
  'inputs-folder': [one('inputs: data/raw', { 'data/raw/x.asc': '', 'data/raw/more/y.asc': '' })],
  'bad-range': [one('inputs: {matrix: {a: {from: 1, to: 0}, b: {from: 0, to: 1, step: 0}}}')],
  'unknown-marker': [
    csv('density,seed\n0.5,1\n', "awk ''{print}'' {densty}"),
    one('inputs: [[a, 1]]\njob_name: "{i2}-{exe}"'),
    yml('batches:\n  - name: a\n    command: |\n      echo start\n      echo {print}\n'),
    yml('batches: [{name: a, command: "echo {x}", inputs: t.csv, header: false}]\n', {
      'batch_info/t.csv': 'x\n1\n',
    }),
  ],
  'bad-marker': [
    csv('x,out\n1,2\n', 'echo {x} {out}'),
    one('inputs: [1]\njob_name: "{id}"\nfiles: "data/{n}"\nenv: {SEED: "{i0}"}'),
  ],
  'shell-syntax': [yml('batches:\n  - name: a\n    command: echo "open\n')],
  'env-reserved': [one('env: {LD_PRELOAD: x, LB_JOB: y}')],
  'env-path': [one('env: {PATH: "$PATH:/opt/bin"}')],
  'output-pattern': [one('outputs: [/etc/x, ../y, job.out, "{seed}.csv", "-rf", "."]')],
  'option-refused': [
    one(
      'slurm: {wrap: id, cpus_per_task: 4, partiton: x, comment: "a\\nb", zzzzzzz: 1}\nsge: {b: y, queue: all.q}',
    ),
    one('slurm: {p: main, comment: "{i0}"}\nsge: {q: "", l: "a=1, b=2", pe: smp 4 x}\ninputs: [1]'),
  ],
  'exe-words': [one('exe: python3 -u')],
};

/** Whoever runs the tests, root included, cannot read the file while `check` runs. */
async function asStranger(check: () => Promise<string>): Promise<string> {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    return await check();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

test('every message reads as it did', async () => {
  let text = '';
  for (const [code, examples] of Object.entries(EXAMPLES)) {
    text += `==== ${code}: ${CODES[code as keyof typeof CODES]}\n\n`;
    for (const { files, prepare } of examples) {
      const root = newImage(files);
      prepare?.(root);
      const shown = await (code === 'unreadable' ? asStranger(() => complaints(root)) : complaints(root));
      assert.match(shown, new RegExp(`\\[${code}\\]`), `no [${code}] in:\n${shown}`);
      text += `${shown}----\n`;
    }
    text += '\n';
  }
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, text);
  assert.equal(text, readFileSync(GOLDEN, 'utf8'));
});
