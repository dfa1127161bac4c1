import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Job } from '../../src/model.ts';
import { planImage } from '../../src/plan/plan.ts';
import { stampName } from '../../src/plan/stamps.ts';
import { type MadeBatch, madeImage, planned } from '../made-image.ts';

function jobs(batches: readonly MadeBatch[], index = 0, lock?: string): Job[] {
  return [...(planned(batches, lock).plan.batches[index]?.jobs() ?? [])];
}

const digests = (batch: Partial<MadeBatch>) => jobs([{ name: 'b', ...batch }]).map(job => job.digest);

describe('names', () => {
  test('are Job1, Job2 … where none are asked for', () => {
    assert.deepEqual(
      jobs([{ name: 'b' }]).map(job => job.name),
      ['Job1', 'Job2', 'Job3'],
    );
  });

  test('are made of the row and the number', () => {
    assert.deepEqual(
      jobs([{ name: 'b', jobName: 'x-{a}-{n}' }]).map(job => job.name),
      ['x-1-1', 'x-2-2', 'x-3-3'],
    );
  });

  test('that only the numbers make alike are refused with both rows', () => {
    const image = madeImage([{ name: 'b', jobName: '{a}{n}', rows: [['11'], ...others(9), ['1']] }]);
    const result = planImage(image, undefined);
    assert.ok(!result.ok);
    assert.match(result.diagnostics[0]?.message ?? '', /jobs 1 and 11 of "b" would both be called "111"/);
  });

  function others(count: number): string[][] {
    return Array.from({ length: count }, (_, i) => [`p${i}`]);
  }
});

describe('threadtest', () => {
  const batch = { name: 't', threads: { lower: 2, upper: 4 }, rows: [['x'], ['y']] };

  test('runs every row with every count of processors', () => {
    assert.deepEqual(
      jobs([batch]).map(job => [job.name, job.values[0], job.cpus]),
      [
        ['Job1', 'x', 2],
        ['Job2', 'x', 3],
        ['Job3', 'x', 4],
        ['Job4', 'y', 2],
        ['Job5', 'y', 3],
        ['Job6', 'y', 4],
      ],
    );
  });

  test('a wider range leaves the numbers of the others as they are', () => {
    const { lock } = planned([batch]);
    const wider = jobs([{ ...batch, threads: { lower: 1, upper: 4 } }], 0, lock);
    assert.deepEqual(
      wider.map(job => job.number),
      [7, 1, 2, 3, 8, 4, 5, 6],
    );
  });

  test('counts are among what a job means', () => {
    assert.equal(new Set(jobs([batch]).map(job => job.digest)).size, 6);
  });
});

describe('digest', () => {
  const same: [string, Partial<MadeBatch>][] = [
    ['time', { time: 600 }],
    ['memory', { mem: 1 }],
    ['retries', { retries: 3 }],
    ['where it is written', { place: { file: 'batch_info/z.yml', line: 9, column: 9, length: 9 } }],
    ['bundle', { bundle: 5 }],
    ['resources', { resources: ['lab1'], tags: ['x'], requires: ['awk'] }],
    ['processors, where the command does not name them', { cpus: 4 }],
    ['the name of the job', { jobName: 'x{a}' }],
    ['constants that are not used', { constants: new Map([['other', '1']]) }],
  ];
  for (const [what, change] of same) {
    test(`does not change with ${what}`, () => assert.deepEqual(digests(change), digests({})));
  }

  const other: [string, Partial<MadeBatch>, Partial<MadeBatch>][] = [
    ['the command', { command: 'true 1' }, { command: 'true 2' }],
    ['the shell', { shell: 'sh' }, { shell: 'bash' }],
    ['the name of a column', { columns: ['a'] }, { columns: ['b'] }],
    ['the environment', { env: new Map([['A', '1']]) }, { env: new Map([['A', '2']]) }],
    ['a module', { modules: [] }, { modules: ['gcc'] }],
    ['the container', { container: 'a.sif' }, { container: 'b.sif' }],
    ['the setup', { setup: undefined }, { setup: 'src/setup.sh' }],
    ['a declared output', { outputs: ['a'] }, { outputs: ['b'] }],
    ['a file of its own', { files: ['data/{a}'] }, { files: ['data/x{a}'] }],
    [
      'a constant that is used',
      { command: 'x {exe}', constants: new Map([['exe', '1']]) },
      { command: 'x {exe}', constants: new Map([['exe', '2']]) },
    ],
    ['processors that are named', { command: 'x {cpus}', cpus: 1 }, { command: 'x {cpus}', cpus: 2 }],
    ['a name that is named', { command: 'x {id}', jobName: 'x{a}' }, { command: 'x {id}', jobName: 'y{a}' }],
  ];
  for (const [what, left, right] of other) {
    test(`changes with ${what}`, () => assert.notEqual(digests(left)[0], digests(right)[0]));
  }

  test('is 32 hex digits, and differs between rows', () => {
    const all = digests({});
    assert.equal(new Set(all).size, 3);
    for (const digest of all) assert.match(digest, /^[0-9a-f]{32}$/);
  });

  test('does not follow a row that moved', () => {
    const { lock } = planned([{ name: 'b', command: 'x {a}' }]);
    const moved = jobs([{ name: 'b', command: 'x {a}', rows: [['3'], ['1'], ['2']] }], 0, lock);
    assert.deepEqual(
      moved.map(job => job.digest),
      [2, 0, 1].map(i => digests({ command: 'x {a}' })[i]),
    );
  });
});

describe('needs each', () => {
  const needs = [{ batch: 'bbatch_1/prep', each: true }];
  const pairs = (prep: Partial<MadeBatch>, fire: Partial<MadeBatch>) => {
    const result = planned([
      { name: 'prep', ...prep },
      { name: 'fire', needs, ...fire },
    ]);
    const [, batch] = result.plan.batches;
    return {
      needs: [...(batch?.jobs() ?? [])].map(job => job.needs.map(id => id.replace('bbatch_1/prep/', ''))),
      sameNames: batch?.sameNames,
      warnings: result.diagnostics,
    };
  };

  test('pairs equal rows, whatever their order', () => {
    const { needs, sameNames } = pairs({}, { rows: [['3'], ['1'], ['2']] });
    assert.deepEqual(needs, [['Job3'], ['Job1'], ['Job2']]);
    assert.equal(sameNames, false);
  });

  test('pairs what is left over by order', () => {
    assert.deepEqual(pairs({}, { rows: [['x'], ['1'], ['y']] }).needs, [['Job2'], ['Job1'], ['Job3']]);
  });

  test('knows when the names are the same', () => {
    assert.equal(pairs({}, {}).sameNames, true);
    assert.equal(pairs({}, { jobName: 'x{a}' }).sameNames, false);
  });

  test('says so when the counts differ, and leaves the odd ones without', () => {
    const { needs, warnings, sameNames } = pairs({ rows: [['1']] }, {});
    assert.deepEqual(needs, [['Job1'], [], []]);
    assert.equal(sameNames, false);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.message ?? '', /has 3 rows and that has 1: 2 of its jobs have no partner/);
  });

  test('a threadtest shares the partner of its row', () => {
    const { needs, warnings } = pairs({}, { threads: { lower: 1, upper: 2 } });
    assert.deepEqual(needs, [['Job1'], ['Job1'], ['Job2'], ['Job2'], ['Job3'], ['Job3']]);
    assert.deepEqual(warnings, []);
  });

  test('who needs a threadtest needs all of its row, or the one with as many processors', () => {
    const threads = { lower: 2, upper: 3 };
    assert.deepEqual(pairs({ threads }, { rows: [['1'], ['2'], ['3']] }).needs[1], ['Job3', 'Job4']);
    assert.deepEqual(pairs({ threads }, { threads }).needs[1], ['Job2']);
  });
});

describe('stamp names', () => {
  test('stay as they are where that is safe', () => assert.equal(stampName('src'), 'src'));

  test('are safe for make and sh, and differ', () => {
    const folders = [
      'data/raw',
      'data_raw',
      'My data',
      'a$b',
      'a#b',
      'a:b',
      '-x',
      '.x',
      'ä',
      'x'.repeat(300),
    ];
    const names = folders.map(stampName);
    assert.equal(new Set(names).size, folders.length);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,70}$/);
    assert.match(stampName('data/raw'), /^data_raw-[0-9a-f]{6}$/);
  });
});

test('planning is pure: the same image gives the same plan', () => {
  const image = [
    { name: 'a' },
    { name: 'b', files: ['x/{a}'], needs: [{ batch: 'bbatch_1/a', each: true }] },
  ];
  assert.deepEqual(jobs(image, 1), jobs(image, 1));
  assert.equal(planned(image).lock, planned(image).lock);
});
