import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnosticToJson, renderDiagnostics } from '../../src/diagnostic.ts';
import { imageSources } from '../../src/read/sources.ts';
import { readImage } from '../../src/validate/image.ts';
import { batch, batches, firstLines, newImage } from './rig.ts';

test('the example of the design is an image with a table, a need and mail', async () => {
  const root = newImage({
    'batch_info/bbatch_1.yml': `# yaml-language-server: $schema=../.logobatch/schema/bbatch.json
batches:
  - name: fire
    command: "awk -f src/fire.awk -v density={density} -v seed={seed} > {out}/burned.csv"
    inputs: sweep.csv
    cpus: 1
    time: 10m
    retries: 1
  - name: summary
    needs: [fire]
    command: "sh src/summary.sh data/processed/bbatch_1/fire > {out}/summary.csv"
email:
  addresses: [me@example.org]
`,
    'batch_info/sweep.csv': 'density,seed\n0.50,007\n"0,6",1e3\n',
    'src/fire.awk': '',
  });
  const result = await readImage(root);
  assert.deepEqual(result.diagnostics, []);
  assert.ok(result.ok);
  const [bbatch] = result.image.bbatches;
  assert.equal(bbatch?.name, 'bbatch_1');
  assert.equal(bbatch?.file, 'batch_info/bbatch_1.yml');
  assert.deepEqual(bbatch?.email, { addresses: ['me@example.org'], from: undefined });
  const [fire, summary] = bbatch?.batches ?? [];
  assert.equal(fire?.id, 'bbatch_1/fire');
  assert.deepEqual(fire?.table.columns, ['density', 'seed']);
  assert.deepEqual(fire?.table.rows, ['0.50\x00007', '0,6\x001e3']);
  assert.deepEqual(fire?.table.placeOf(1), { file: 'batch_info/sweep.csv', line: 3, column: 1, length: 7 });
  assert.deepEqual([fire?.time, fire?.retries, fire?.cpus, fire?.shared], [600, 1, 1, ['src']]);
  assert.deepEqual(fire?.maxOutput, { bytes: 10 * 1024 ** 3, files: 100_000 });
  assert.deepEqual(summary?.needs, [{ batch: 'bbatch_1/fire', each: false }]);
  assert.deepEqual(summary?.table.rows, ['']);
});

test('every key is carried', async () => {
  const b = await batch(
    `batches:
  - name: a
    command: "{exe} {batch_base} {name} {in} {i0}"
    shell: bash
    executable: My model.sh
    batch_base: runs
    inputs: [[x, 007], [y, 1.10]]
    job_name: "{i0}-{n}"
    cpus: 4
    mem: 2G
    gpus: 1
    time: 1-12:00:00
    files: src/My model.sh
    outputs: ["{out}/a.csv", "maps/*.png"]
    max_output: {size: 1M, files: 5}
    secrets: [TOKEN, ~/.token]
    env: {OMP_NUM_THREADS: 4, WHERE: "{batch_base}"}
    modules: gcc/12.2
    setup: src/My model.sh
    container: docker://python:3.12
    resources: [lab1]
    tags: fast
    requires: Rscript
    bundle: 50
    keep: true
    email: true
    slurm: {partition: main, exclusive: true, requeue: false}
    sge: {q: all.q}
`,
    { 'src/My model.sh': '', 'My model.sh': '' },
  );
  assert.deepEqual(b.table.rows, ['x\x00007', 'y\x001.10']);
  assert.deepEqual(
    b.command.parts.map(part => (part.kind === 'text' ? part.text : part.ref)),
    [
      { kind: 'constant', value: 'My model.sh' },
      ' ',
      { kind: 'constant', value: 'runs' },
      ' ',
      { kind: 'constant', value: 'a' },
      ' ',
      { kind: 'constant', value: 'data/raw' },
      ' ',
      { kind: 'column', index: 0 },
    ],
  );
  assert.deepEqual([b.shell, b.cpus, b.mem, b.gpus, b.time], ['bash', 4, 2 * 1024 ** 3, 1, 129_600]);
  assert.deepEqual(b.outputs, ['a.csv', 'maps/*.png']);
  assert.deepEqual(b.maxOutput, { bytes: 1024 ** 2, files: 5 });
  assert.deepEqual(
    [...b.env],
    [
      ['OMP_NUM_THREADS', '4'],
      ['WHERE', 'runs'],
    ],
  );
  assert.deepEqual([b.secrets, b.modules, b.setup], [['TOKEN', '~/.token'], ['gcc/12.2'], 'src/My model.sh']);
  assert.deepEqual([b.resources, b.tags, b.requires], [['lab1'], ['fast'], ['Rscript']]);
  assert.deepEqual([b.bundle, b.keep, b.email, b.container], [50, true, true, 'docker://python:3.12']);
  assert.deepEqual(
    [...b.slurm],
    [
      ['partition', 'main'],
      ['exclusive', ''],
    ],
  );
  assert.deepEqual([...b.sge], [['q', 'all.q']]);
  assert.deepEqual(b.shared, ['src']);
});

const rows = async (inputs: string, files = {}, more = '') =>
  (await batch(`batches:\n  - name: a\n    command: echo\n    inputs: ${inputs}\n${more}`, files)).table;

test('a matrix is the product of its columns in exact decimals as typed', async () => {
  const { columns, rows: product } = await rows(
    '{matrix: {a: [007, 1e3], b: {from: 0, to: 0.3, step: 0.1}}}',
  );
  assert.deepEqual(columns, ['a', 'b']);
  assert.deepEqual(product.slice(0, 4), ['007\x000', '007\x000.1', '007\x000.2', '007\x000.3']);
  assert.equal(product.length, 8);
  assert.deepEqual(
    (await rows('{matrix: {a: {from: 1, to: -1}}}').catch(String)).toString().includes('bad-range'),
    true,
  );
  assert.deepEqual((await rows('{matrix: {a: {from: 1.5, to: 0, step: -0.50}}}')).rows, [
    '1.5',
    '1',
    '0.5',
    '0',
  ]);
});

test('zip takes one of each column', async () => {
  assert.deepEqual((await rows('{zip: {a: [1, 2], b: [x, y]}}')).rows, ['1\0x', '2\0y']);
});

test('a folder gives one job a file in the order of bytes, and odd names work', async () => {
  const names = ['B', 'a', 'é', "it's", 'My $x #1 50%:.asc', '.hidden'];
  const files = Object.fromEntries(names.map(name => [`data/raw/${name}`, '']));
  const expected = ['B', 'My $x #1 50%:.asc', 'a', "it's", 'é'].map(name => `data/raw/${name}`);
  assert.deepEqual((await rows('data/raw', files)).rows, expected);
});

test('another file is one job, and batch_info is looked into first', async () => {
  assert.deepEqual((await rows('m.nlogo', { 'm.nlogo': '' })).rows, ['m.nlogo']);
  assert.deepEqual((await rows('m.txt', { 'm.txt': '', 'batch_info/m.txt': '' })).rows, ['batch_info/m.txt']);
});

const csvRows = async (command: string, more = '') =>
  (
    await batch(`batches:\n  - {name: a, command: "${command}", inputs: t.csv${more}}\n`, {
      'batch_info/t.csv': 'density,seed\nx,y\n',
    })
  ).table.rows.length;

test('the first row is a header when its names are used, or when it is said so', async () => {
  assert.equal(await csvRows('echo {seed}'), 1);
  assert.equal(await csvRows('echo {i0}'), 2);
  assert.equal(await csvRows('echo {i0} # {seed}'), 2);
  assert.equal(await csvRows('echo {i0}', ', header: true'), 1);
  assert.equal(await csvRows('echo', ', job_name: "{seed}"'), 1);
});

test('a column named like a built-in wins', async () => {
  const b = await batch('batches: [{name: a, command: "echo {id} {x}", inputs: t.csv}]', {
    'batch_info/t.csv': 'x,id\n1,2\n',
  });
  assert.deepEqual(b.command.parts[1], {
    kind: 'marker',
    name: 'id',
    where: 'bare',
    ref: { kind: 'column', index: 1 },
  });
});

test('a threadtest runs every row over its range', async () => {
  const b = await batch('batches: [{name: a, command: "echo {cpus}", type: threadtest, range: "2-4"}]');
  assert.deepEqual([b.threads, b.cpus], [{ lower: 2, upper: 4 }, 4]);
});

test('files of the first generation are read', async () => {
  const [first, second] = await batches({
    'batch_info/old.yml': `Batches:
  one:
    command: "{exe} {i0}"
    exe: src/run.sh
    inputs: [1]
    batch_type: multi-proc-test
    upper: 2
  two:
    command: echo {batch_base}
    batch_base: x
    batch_type: ssh
    hostnames: [lab1, lab2]
Email:
  addresses: me@example.org
`,
  });
  assert.deepEqual([first?.id, first?.threads], ['old/one', { lower: 1, upper: 2 }]);
  assert.deepEqual([second?.id, second?.resources], ['old/two', ['lab1', 'lab2']]);
});

test('needs reach across files, pair by each, and a disabled batch is checked but left out', async () => {
  const [a, b] = await batches({
    'batch_info/x.yml':
      'batches: [{name: a, command: echo}, {name: off, enabled: false, command: echo, needs: a}]',
    'batch_info/y.yml': 'batches: [{name: b, command: echo, needs: [x/a, {each: x/a}]}]',
  });
  assert.equal(a?.id, 'x/a');
  assert.deepEqual(b?.needs, [
    { batch: 'x/a', each: false },
    { batch: 'x/a', each: true },
  ]);
  assert.match(
    (await firstLines({ 'batch_info/x.yml': 'batches: [{name: a, enabled: false}]' })).join(),
    /no "command"/,
  );
});

test('ten mistakes in one file give ten diagnostics, each with its place, frame and hint', async () => {
  const root = newImage({
    'batch_info/b.yml': `batches:
  - name: fire one
    comand: echo
    command: "echo {densty} {i9}"
    inputs: {matrix: {density: [1, 2]}}
    cpus: two
    time:
    needs: [summry]
    outputs: ../x
    setup: src/no.sh
  - name: summary
    command: echo
    slurm: {wrap: id}
`,
  });
  const { diagnostics } = await readImage(root);
  assert.deepEqual(
    diagnostics.map(d => `${d.place?.line} ${d.code}`),
    [
      '2 bad-name',
      '3 unknown-key',
      '4 unknown-marker',
      '4 unknown-marker',
      '6 bad-value',
      '7 no-value',
      '8 need-unknown',
      '9 output-pattern',
      '10 path-missing',
      '13 option-refused',
    ],
  );
  const text = renderDiagnostics(diagnostics, imageSources(root), { colour: false });
  assert.equal(text.match(/^ {2}hint: \S/gm)?.length, 10);
  assert.equal(text.match(/^ +\| +\^+$/gm)?.length, 10);
  assert.ok(diagnostics.every(d => typeof diagnosticToJson(d).line === 'number'));
});

test('values of a table appear in messages only as short excerpts', async () => {
  const secret = `s3cret${'x'.repeat(140_000)}`;
  const lines = await firstLines({
    'batch_info/b.yml': 'batches: [{name: a, command: "echo {key}", inputs: t.csv, job_name: "{key}"}]',
    'batch_info/t.csv': `key\n${secret}\n`,
  });
  assert.ok(lines.length > 0 && lines.every(line => line.length < 200));
});
