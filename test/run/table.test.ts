import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type Files, note, type Project, type ProjectOptions, project } from './rig.ts';

const opened: Project[] = [];
afterEach(() => {
  for (const image of opened.splice(0)) image.remove();
});
async function image(files: Files, options: Omit<ProjectOptions, 'files'> = {}): Promise<Project> {
  const made = await project({ files, ...options });
  opened.push(made);
  return made;
}
/** Makes, wants success, and says what ran. */
async function made(of: Project, ...args: string[]): Promise<string[]> {
  const { code, out } = await of.make(args);
  assert.equal(code, 0, out);
  return of.ran();
}

const batch = (name: string, more: string, command = 'cp /dev/null {out}/x') =>
  `  - name: ${name}\n    command: '${note(name)}; ${command}'\n${more.replace(/^(?=.)/gm, '    ')}`;
const bbatch = (...batches: string[]) => ({ 'batch_info/b.yml': `batches:\n${batches.join('')}` });

describe('a finished table', () => {
  const table = (...rows: string[]) => ({
    'batch_info/t.csv': `k,v\n${rows.map(row => `${row}\n`).join('')}`,
  });
  const fire = bbatch(batch('fire', 'inputs: t.csv\n', 'echo {k} {v} > {out}/x'));
  const result = (of: Project, job: string) => of.read(`data/processed/b/fire/${job}/x`);
  const finished = async () => {
    const it = await image({ ...fire, ...table('a,1', 'b,2', 'c,3') });
    assert.deepEqual(await made(it), ['fire/Job1', 'fire/Job2', 'fire/Job3']);
    return it;
  };
  /** Writes another table, compiles and makes: what ran, and what is stale. */
  const after = async (of: Project, ...rows: string[]) => {
    of.write(table(...rows));
    const { look } = await of.compile();
    return { ran: await made(of), stale: look.stale };
  };

  test('runs one job for a row inserted at the top', async () => {
    const it = await finished();
    assert.deepEqual(await after(it, 'z,9', 'a,1', 'b,2', 'c,3'), { ran: ['fire/Job4'], stale: [] });
    assert.equal(result(it, 'Job4'), 'z 9\n');
    assert.equal(result(it, 'Job1'), 'a 1\n');
  });

  test('runs nothing for a deleted row, lists it as stale, and clean STALE=1 removes it', async () => {
    const it = await finished();
    assert.deepEqual(await after(it, 'a,1', 'c,3'), { ran: [], stale: ['data/processed/b/fire/Job2'] });
    assert.equal(result(it, 'Job2'), 'b 2\n');
    const { code, out } = await it.make(['clean', 'STALE=1']);
    assert.deepEqual([code, out], [0, 'removed data/processed/b/fire/Job2\n']);
    assert.deepEqual(it.done(), ['b/fire/Job1', 'b/fire/Job3']);
    assert.deepEqual(await made(it), []);
    assert.equal((await it.make(['clean', 'STALE=1'])).out, 'nothing is stale\n');
  });

  test('runs nothing when it is put in another order, or its equal rows are', async () => {
    const it = await finished();
    assert.deepEqual(await after(it, 'c,3', 'a,1', 'b,2'), { ran: [], stale: [] });
    assert.deepEqual((await after(it, 'c,3', 'a,1', 'a,1', 'b,2')).ran, ['fire/Job4']);
    assert.equal(result(it, 'Job4'), 'a 1\n');
    assert.deepEqual(await after(it, 'a,1', 'b,2', 'a,1', 'c,3'), { ran: [], stale: [] });
  });

  test('runs one job for an edited row, which keeps its number', async () => {
    const it = await finished();
    assert.deepEqual(await after(it, 'a,1', 'b,7', 'c,3'), { ran: ['fire/Job2'], stale: [] });
    assert.equal(result(it, 'Job2'), 'b 7\n');
  });

  test('gives a row that comes back its result back', async () => {
    const it = await finished();
    assert.deepEqual((await after(it, 'a,1', 'c,3')).ran, []);
    assert.deepEqual((await after(it, 'a,1', 'c,3', 'd,4')).ran, ['fire/Job4']);
    assert.deepEqual(await after(it, 'b,2', 'a,1', 'c,3', 'd,4'), { ran: [], stale: [] });
  });

  test('keeps results where jobs are named after their values', async () => {
    const it = await image({
      ...bbatch(batch('fire', 'inputs: t.csv\njob_name: "{k}-{v}"\n', 'echo {id} {n} > {out}/x')),
      ...table('a,1', 'b,2'),
    });
    assert.deepEqual(await made(it), ['fire/a-1', 'fire/b-2']);
    assert.equal(result(it, 'b-2'), 'b-2 2\n');
    assert.deepEqual(await after(it, 'c,3', 'b,2', 'a,1'), { ran: ['fire/c-3'], stale: [] });
    assert.deepEqual(await after(it, 'c,3', 'b,5', 'a,1'), {
      ran: ['fire/b-5'],
      stale: ['data/processed/b/fire/b-2'],
    });
    assert.deepEqual(
      it.done(),
      ['a-1', 'b-2', 'b-5', 'c-3'].map(job => `b/fire/${job}`),
    );
  });

  test('brings a batch that needs it whole up to date when the result of a row goes', async () => {
    const it = await image({
      ...bbatch(
        batch('fire', 'inputs: t.csv\n', 'echo {k} > {out}/x'),
        batch('sum', 'needs: [fire]\n', 'cat data/processed/b/fire/*/x > {out}/x'),
      ),
      ...table('a,1', 'b,2'),
    });
    assert.deepEqual(await made(it), ['fire/Job1', 'fire/Job2', 'sum/Job1']);
    assert.deepEqual((await after(it, 'b,2', 'a,1')).ran, []);
    // What the row has left is still there, for a pattern of the other batch to find.
    assert.deepEqual((await after(it, 'b,2')).ran, []);
    assert.equal((await it.make(['clean', 'STALE=1'])).code, 0);
    assert.deepEqual((await after(it, 'b,2')).ran, ['sum/Job1']);
    assert.equal(it.read('data/processed/b/sum/Job1/x'), 'b\n');
    assert.deepEqual((await after(it, 'b,2')).ran, []);
  });
});

describe('inputs', () => {
  const XY = 'printf "%s|" {x} {y} > {out}/x';
  const I = 'printf "%s|" {i0} > {out}/x';
  const forms: readonly (readonly [
    what: string,
    yaml: string,
    command: string,
    files: Files,
    results: readonly string[],
  ])[] = [
    ['absent: one job', '', 'printf %s {n} > {out}/x', {}, ['1']],
    ['a list', 'inputs: [a, 007]', I, {}, ['a|', '007|']],
    ['a list of lists', 'inputs: [[a, b], [c, d]]', 'printf "%s|" {i0} {i1} > {out}/x', {}, ['a|b|', 'c|d|']],
    [
      'a matrix',
      'inputs: {matrix: {x: [a, b], y: {from: 0, to: 0.2, step: 0.1}}}',
      XY,
      {},
      ['a|0|', 'a|0.1|', 'a|0.2|', 'b|0|', 'b|0.1|', 'b|0.2|'],
    ],
    ['a zip', 'inputs: {zip: {x: [a, b], y: [c, d]}}', XY, {}, ['a|c|', 'b|d|']],
    [
      'a folder',
      'inputs: data/raw',
      I,
      { 'data/raw/b b.txt': '', 'data/raw/a.txt': '' },
      ['data/raw/a.txt|', 'data/raw/b b.txt|'],
    ],
    ['a single file', 'inputs: data/raw/a.txt', I, { 'data/raw/a.txt': '' }, ['data/raw/a.txt|']],
    [
      'a table, whose values stay as typed',
      'inputs: t.csv',
      XY,
      { 'batch_info/t.csv': 'x,y\n007,1.10\n1e3, b \n' },
      ['007|1.10|', '1e3| b |'],
    ],
  ];
  for (const [what, inputs, command, files, results] of forms) {
    test(`may be ${what}`, async () => {
      const it = await image({ ...bbatch(batch('fire', `${inputs}\n`, command)), ...files });
      await made(it);
      const jobs = results.map((_, i) => `b/fire/Job${i + 1}`);
      assert.deepEqual(it.done(), jobs);
      assert.deepEqual(
        jobs.map(job => it.read(`data/processed/${job}/x`)),
        results,
      );
    });
  }
});
