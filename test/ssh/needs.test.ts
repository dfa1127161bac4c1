/** What batches ask for is kept by nodes as it is by this machine: one make over two hosts that differ, looked at from many sides. */
import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { broken } from '../run/witness.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

/** Command and further keys of each batch of the one bbatch `b`. */
const BATCHES: Readonly<Record<string, readonly string[]>> = {
  one: ['echo {i0} > {out}/x; mkdir {out}/d; ln -s ../x {out}/d/l', 'inputs: ["1", "2", "3", "4"]'],
  pair: [
    'cat data/processed/b/one/$LB_JOB/d/l > {out}/x',
    'inputs: ["1", "2", "3", "4"]',
    'needs: {each: one}',
  ],
  whole: ['cat data/processed/b/one/*/x data/processed/b/pair/*/x > {out}/x', 'needs: [one, pair]'],
  filed: [
    'cat {i0} > {out}/x',
    'inputs: ["data/interim/a 1", "data/interim/b\'2"]',
    'files: ["{i0}"]',
    'bundle: 2',
  ],
  folder: ["cat 'data/my models/m 1' > {out}/x; ls {in} >> {out}/x", 'shared: ["data/my models", data/raw]'],
  program: ['command -v perl > {out}/x', 'requires: [perl]', 'inputs: [a, b]'],
  tagged: [': > {out}/x', 'tags: [small]', 'inputs: [a, b]'],
  named: ['command -v perl > {out}/x || :', 'resources: [n2]', 'inputs: [a, b]'],
  wide: [
    'read a _ < /proc/uptime; sleep 0.3; read b _ < /proc/uptime; echo $a $b $LB_CPUS > {out}/x',
    'cpus: 2',
    'inputs: [a, b]',
  ],
  short: [
    'read a _ < /proc/uptime; sleep 0.2; read b _ < /proc/uptime; echo $a $b > {out}/x',
    'inputs: {matrix: {i: {from: 1, to: 8}}}',
  ],
  prepared: ['cat made-by-setup > {out}/x', 'setup: src/setup.sh', 'inputs: [a, b, c, d]'],
  partly: [': > {out}/x', 'setup: src/partly.sh', 'inputs: [a, b, c, d]'],
  again: ['echo $LB_ATTEMPT > {out}/x; [ $LB_ATTEMPT = 2 ]', 'retries: 1'],
  facts: [
    'cat > {out}/in; umask > {out}/umask; printf "%s|" $LB_JOB $LB_ATTEMPT $LB_CPUS $LB_NODE "$TEXT" > {out}/x; nice > {out}/nice; echo noted >&2; echo said; : > "$LB_SCRATCH/s"',
    'env: {TEXT: "it\'s $HOME"}',
    'resources: [n1]',
  ],
  flood: [
    'head -c 300000 /dev/zero | tr "\\0" a; head -c 300000 /dev/zero | tr "\\0" b >&2',
    'resources: [n1]',
  ],
  // From here on they fail.
  seven: ['echo the reason >&2; echo half > {out}/x; exit 7', 'retries: 1'],
  last: ['exit 255'],
  undeclared: ['cat src/v* data/interim/c no-such', 'resources: [n1]'],
  killed: ['kill -9 $$'],
  slow: ['sleep 300 & (trap "" TERM; sleep 301) & wait', 'time: 1'],
  missing: ['touch {out}/a.csv', 'outputs: [a.csv, "*.png"]'],
  outside: ['ln -s /etc/passwd {out}/l'],
  forged: ['echo > {out}/.done'],
  gone: ['rmdir {out}; ln -s /etc {out}'],
  large: [':', 'cpus: 3'],
  unknown: [':', 'requires: [no-such-program]'],
  unprepared: [':', 'setup: src/never.sh'],
  after: [':', 'needs: [seven]'],
};
const FAILED: Readonly<Record<string, RegExp>> = {
  seven: /^exit 7 \(attempt 2 of 2\)$/,
  last: /^exit 255$/,
  undeclared: /^exit 1$/,
  killed: /^exit 137, SIGKILL$/,
  slow: /^time limit of 1 s reached$/,
  missing: /^declared output \*\.png is missing$/,
  outside: /^left a link that leads outside: l -> \/etc\/passwd$/,
  forged: /^wrote an output called \.done, a name LogoBatch uses itself$/,
  gone: /^removed or replaced the folder of its \{out\}$/,
  large: /^needs 3 slots \(cpus: 3\), the largest node has 2$/,
  unprepared: /^its setup src\/never\.sh failed on n[12]$/,
  unknown: /^needs the program no-such-program, which n[12] does not have$/,
};
const yaml = Object.entries(BATCHES).map(
  ([name, [command, ...keys]]) =>
    `  - name: ${name}\n    command: |\n      ${command}\n${keys.map(key => `    ${key}\n`).join('')}`,
);

describe('two hosts that differ', { skip: canLab() }, () => {
  let pool: Pool;
  let out = '';
  let code: number | null = null;
  before(async () => {
    pool = await startPool({
      hosts: [{ forceCommand: 'export LOGOBATCH_LOG_BYTES=100000' }, { path: 'all' }],
      files: {
        'batch_info/b.yml': `batches:\n${yaml.join('')}`,
        'src/setup.sh': 'echo "$PWD" >> made-by-setup\n',
        'src/partly.sh': 'command -v perl\n',
        'src/never.sh': 'echo one; echo two >&2; exit 5\n',
        'data/raw/r 1': '',
        'data/my models/m 1': 'model\n',
        'data/interim/a 1': 'first\n',
        "data/interim/b'2": 'second\n',
        'data/interim/c': 'third\n',
      },
      grid: { hosts: { n1: { slots: 2, nice: 7 }, n2: { slots: 1, tags: ['small'], nice: 7 } } },
    });
    const clean = watchTraces(pool.lab);
    ({ out, code } = await pool.make());
    clean();
  });
  after(() => pool.stop());

  const read = (job: string, file = 'x') => pool.image.read(`data/processed/b/${job}/${file}`);
  const record = (job: string) => read(job, '.done');
  const nodes = (batch: string, count: number) =>
    [...Array(count).keys()].map(i => / node=(\S+) /.exec(record(`${batch}/Job${i + 1}`))?.[1]);

  test('run all that can be run, whole, and say of each other job why not', () => {
    assert.equal(code, 2, out);
    const why = new Map(
      [...out.matchAll(/^failed {2}b\/(\w+)\/Job1(?: on n[12])?: (.*)$/gm)].map(([, name, text]) => [
        name,
        text,
      ]),
    );
    for (const [name, text] of Object.entries(FAILED)) assert.match(why.get(name) ?? '', text, name);
    assert.deepEqual([...why.keys()].sort(), Object.keys(FAILED).sort());
    const ran = Object.keys(BATCHES).filter(name => !(name in FAILED) && name !== 'after');
    const done = new Set(pool.image.done().map(job => job.split('/')[1] ?? ''));
    assert.deepEqual([...done].sort(), ran.sort());
    assert.deepEqual(broken(pool.image), []);
    assert.match(out, / 1 not run because of that/);
    assert.equal(pool.image.read('data/processed/b/seven/Job1.failed/out/x'), 'half\n');
    assert.match(out, /^ {4}\| the reason$/m);
    assert.match(out, /^failed {2}b\/seven\/Job1 on n[12]: exit 7/m);
    assert.match(out, /^failed {2}b\/large\/Job1: needs 3 slots/m);
    assert.deepEqual(out.match(/^ {4}hint: .*$/gm), [
      '    hint: data/interim/c is here, but not on n1: name it under files or shared',
    ]);
  });

  test('find the results, files and folders that jobs build on', () => {
    assert.equal(read('whole/Job1'), '1\n2\n3\n4\n1\n2\n3\n4\n');
    assert.deepEqual([read('filed/Job1'), read('filed/Job2')], ['first\n', 'second\n']);
    assert.equal(read('folder/Job1'), 'model\nr 1\n');
  });

  test('get only the jobs they may run, and the record says where it was', () => {
    assert.deepEqual(nodes('program', 2), ['n1', 'n1']);
    assert.deepEqual(nodes('tagged', 2), ['n2', 'n2']);
    assert.deepEqual(nodes('named', 2), ['n2', 'n2']);
    assert.equal(read('named/Job1'), '');
    assert.match(record('facts/Job1'), /^attempt=1 node=n1 slot=n1\.[12] start=[\d.]+ end=[\d.]+ exit=0 /m);
    assert.match(record('again/Job1'), /^attempt=2 /m);
    assert.equal(read('again/Job1'), '2\n');
  });

  test('run no jobs of batches whose setup failed there, but all others', () => {
    assert.deepEqual(nodes('partly', 4), ['n1', 'n1', 'n1', 'n1']);
    assert.match(
      out,
      /^setup {3}n2: src\/partly\.sh failed \(exit code 127\), no jobs of b\/partly run there$/m,
    );
    for (const node of ['n1', 'n2'])
      assert.ok(
        out.includes(
          `setup   ${node}: src/never.sh failed (exit code 5), no jobs of b/unprepared run there\n    | one\n    | two\n`,
        ),
        out,
      );
  });

  test('run a job of 2 processors in both slots, with nothing beside it', () => {
    const spans = ['wide/Job1', 'wide/Job2', ...nodes('short', 8).map((_, i) => `short/Job${i + 1}`)].map(
      job => ({ job, text: read(job).split(' ').map(Number), record: record(job) }),
    );
    const wide = spans.filter(({ job }) => job.startsWith('wide'));
    for (const { job, text, record } of wide) {
      assert.match(record, / slot=n1\.[12] n1\.[12] /);
      assert.equal(text[2], 2);
      const [begin = 0, end = 0] = text;
      const beside = spans.filter(
        ({ job: other, text: [from = 0, to = 0], record }) =>
          other !== job && / node=n1 /.test(record) && from < end && to > begin,
      );
      assert.deepEqual(beside, [], job);
    }
  });

  test('are as nice as the grid file wants, and prepared once each', () => {
    assert.equal(Number(read('facts/Job1', 'nice')), 7 + getPriority());
    for (const job of [1, 2, 3, 4]) assert.match(read(`prepared/Job${job}`), /^\/\S+\/image\n$/);
  });

  test('give jobs what a job is promised', () => {
    assert.equal(read('facts/Job1', 'in'), '');
    assert.equal(read('facts/Job1'), "Job1|1|1|n1|it's $HOME|");
    assert.equal(read('facts/Job1', 'umask').trim(), process.umask().toString(8).padStart(4, '0'));
    assert.deepEqual([read('facts/Job1', 'job.out'), read('facts/Job1', 'job.err')], ['said\n', 'noted\n']);
  });

  test('cut logs that are too long, with a mark', () => {
    for (const [log, letter] of [
      ['job.out', 'a'],
      ['job.err', 'b'],
    ] as const) {
      const text = read('flood/Job1', log);
      assert.match(text, /\n\[LogoBatch: cut after 100000 bytes; the job wrote more\]\n$/);
      assert.equal(text.slice(0, 100_000), letter.repeat(100_000));
    }
  });

  test('run exactly what has failed there with make retry, and nothing that is done again with make', async () => {
    const { out } = await pool.make(['retry']);
    assert.match(out, /^running 12 jobs/m);
    assert.match((await pool.make(['-n'])).out, /^would run b\/seven\/Job1: /m);
    assert.doesNotMatch((await pool.make(['-n'])).out, /b\/one\//);
  });
});
