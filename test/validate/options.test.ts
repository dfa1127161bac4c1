/** Native options: which pass, and what is said of the others. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { batch, complaints, newImage } from './rig.ts';

const yaml = (lines: string) => `batches:\n  - name: a\n    command: echo\n    ${lines}\n`;
/** `option: why; cure` of each that is refused. */
async function refused(lines: string): Promise<string[]> {
  const said = await complaints(newImage({ 'batch_info/b.yml': yaml(lines) }));
  const found = said.matchAll(
    /^batch_info\/b\.yml:\d+:\d+: error: (.*) \[option-refused\]\n[\s\S]*?\n {2}hint: (.*)$/gm,
  );
  return [...found].map(([, why, cure]) => `${why}; ${cure}`);
}

describe('options of sbatch', () => {
  test('pass by their long names', async () => {
    const { slurm } = await batch(
      yaml(
        'slurm: {partition: main, nodelist: "n[1-3]", exclusive: true, requeue: false, nice: -5, comment: " a b "}',
      ),
    );
    assert.deepEqual(
      [...slurm],
      [
        ['partition', 'main'],
        ['nodelist', 'n[1-3]'],
        ['exclusive', ''],
        ['nice', '-5'],
        ['comment', 'a b'],
      ],
    );
  });

  test('are told by their long names, where a letter stands', async () => {
    assert.deepEqual(await refused('slurm: {p: main, t: 5, A: x}'), [
      'the slurm option "p" is given by its letter; write its long name: partition',
      'the slurm option "t" is given by its letter; write its long name: time',
      'the slurm option "A" is given by its letter; write its long name: account',
    ]);
  });

  test('that are ours are refused by their letters, too', async () => {
    assert.deepEqual(await refused('slurm: {o: x, output: x, J: x, a: 1-9, M: other, D: /}'), [
      'the slurm option "o" is not to be set; LogoBatch collects the output',
      'the slurm option "output" is not to be set; LogoBatch collects the output',
      'the slurm option "J" is not to be set; the name is how a job is found again',
      'the slurm option "a" is not to be set; LogoBatch forms the job arrays',
      'the slurm option "M" is not to be set; a cluster is a resource of its own: name it in the grid file',
      'the slurm option "D" is not to be set; LogoBatch chooses the folder',
    ]);
  });

  test('are recognised with dashes and underscores', async () => {
    assert.deepEqual(await refused('slurm: {--partition: main, mem_per_cpu: 1G}'), [
      'unknown slurm option "--partition"; did you mean "partition"?',
      'unknown slurm option "mem_per_cpu"; did you mean "mem-per-cpu"?',
    ]);
  });

  test('are all known that this sbatch has, or refused with a reason', async t => {
    const { stdout } = spawnSync(
      'sh',
      ['-c', 'zcat "$(man -w sbatch)" || zcat /usr/share/man/man1/sbatch.1.gz'],
      { encoding: 'utf8' },
    );
    const lines = stdout
      .replaceAll('\\-', '-')
      .split('\n')
      .filter(line => line.startsWith('\\fB-'));
    const names = lines.flatMap(line => /^\\fB(?:-\w\\fR, \\fB)?--([a-z][a-z-]+)/.exec(line)?.[1] ?? []);
    if (names.length < 50) return t.skip('no manual of sbatch here');
    const said = await refused(`slurm: {${[...new Set(names)].map(name => `${name}: 1`).join(', ')}}`);
    assert.deepEqual(
      said.filter(one => !/is not to be set/.test(one)),
      [],
    );
  });
});

describe('options of qsub', () => {
  test('pass by their own names', async () => {
    const { sge } = await batch(
      yaml(
        'sge: {q: "all.q@@big,long.q", pe: "smp 4-8", l: "h_vmem=4G,arch=lx-amd64", notify: true, p: -100, binding: "linear:4"}',
      ),
    );
    assert.deepEqual(
      [...sge],
      [
        ['q', 'all.q@@big,long.q'],
        ['pe', 'smp 4-8'],
        ['l', 'h_vmem=4G,arch=lx-amd64'],
        ['notify', ''],
        ['p', '-100'],
        ['binding', 'linear:4'],
      ],
    );
  });

  test('cannot bring another option with them', async () => {
    const join = 'qsub would read an option of its own in it: join a list with commas, without blanks';
    assert.deepEqual(
      await refused('sge: {q: all.q -b y, l: "a=1, b=2", A: -wd, pe: smp 4 -t 1, p: 5 -C x}'),
      [
        `the value of "q" is not one word: "all.q -b y"; ${join}`,
        `the value of "l" is not one word: "a=1, b=2"; ${join}`,
        `the value of "A" is not one word: "-wd"; ${join}`,
        'the value of "pe" is not of its form: "smp 4 -t 1"; for example: pe: smp 4; or pe: smp, and cpus says how many',
        'the value of "p" is not of its form: "5 -C x"; for example: p: -100',
      ],
    );
  });

  test('that are ours are refused', async () => {
    assert.deepEqual(await refused('sge: {t: 1-9, jsv: x, clear: true, "@": file, hold_jid: 5}'), [
      'the sge option "t" is not to be set; LogoBatch forms the job arrays',
      'the sge option "jsv" is not to be set; the job script is ours',
      'the sge option "clear" is not to be set; options of the job script would be lost',
      'the sge option "@" is not to be set; write the options out',
      'the sge option "hold_jid" is not to be set; use needs:',
    ]);
  });
});

describe('the values of options', () => {
  const table =
    'one array of jobs has one set of options, so no value from a table ever stands in a directive: write the value itself, or make a batch of its own for each';
  test('are not taken from a table', async () => {
    assert.deepEqual(
      await refused(
        'slurm: {comment: "run {i0}"}\n    sge: {l: "h_vmem={mem}", A: "${HOME}{1,2}"}\n    inputs: [1]',
      ),
      [
        `the value of "comment" has the marker {i0} in it; ${table}`,
        `the value of "l" has the marker {mem} in it; ${table}`,
      ],
    );
  });

  test('are one line', async () => {
    for (const end of ['\\n#SBATCH --uid=0', '\\r', '\\x1b', '\\u2028', '\\x85'])
      assert.deepEqual(await refused(`slurm: {comment: "x${end}"}`), [
        'the value of "comment" has a line break or control character in it; an option is one line',
      ]);
    const said = await complaints(newImage({ 'batch_info/b.yml': yaml('sge: {A: "x\\0"}') }));
    assert.match(said, /error: a NUL character/);
  });

  test('are not empty', async () => {
    assert.deepEqual(await refused('slurm: {partition: "", comment: " "}'), [
      'the option "partition" has an empty value; leave it out; a flag is switched on by partition: true',
      'the option "comment" has an empty value; leave it out; a flag is switched on by comment: true',
    ]);
  });
});
