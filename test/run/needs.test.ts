import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { DIGITS, fails, image, jobs, removeImages, succeeds } from './batches.ts';
import { note } from './rig.ts';

afterEach(removeImages);

describe('needs', () => {
  test('runs what is needed first, three levels deep, whole batches and pairs mixed', async () => {
    const it = await image(
      {
        d: `command: '$NOTE; cat data/processed/b/c/{id}/x > {out}/x; echo d >> {out}/x'
          inputs: [p, q]
          needs: [{each: c}, a]`,
        c: `command: '$NOTE; cat data/processed/b/b/Job1/x > {out}/x; echo c{i0} >> {out}/x'
          inputs: [p, q]
          needs: b`,
        b: `command: '$NOTE; cat data/processed/b/a/*/x > {out}/x; echo b >> {out}/x'
          needs: [a]`,
        a: `command: '$NOTE; echo a{i0} > {out}/x'
          inputs: [p, q]`,
      },
      {},
      { slots: 4 },
    );
    await succeeds(it);
    assert.equal(it.read('data/processed/b/d/Job2/x'), 'ap\naq\nb\ncq\nd\n');
    assert.deepEqual(it.ran(), [...jobs('a', 1, 2), ...jobs('b', 1), ...jobs('c', 1, 2), ...jobs('d', 1, 2)]);
  });

  test('asked for one job runs its partners and no others', async () => {
    const it = await image({
      a: `command: $NOTE; echo {i0} > {out}/x\n${DIGITS}`,
      b: `command: $NOTE; cat data/processed/b/a/{id}/x > {out}/x\n${DIGITS}\nneeds: {each: a}`,
    });
    await succeeds(it, ['b/b/Job4']);
    assert.deepEqual(it.ran(), ['a/Job4', 'b/Job4']);
    await succeeds(it, ['b/b']);
    assert.deepEqual(it.ran(), [...jobs('a', 1, 2, 3, 5, 6), ...jobs('b', 1, 2, 3, 5, 6)]);
  });

  for (const [bundle, cpus] of [
    [1, 1],
    [5, 1],
    [5, 2],
  ]) {
    test(`pairs that fail stop only their partners, with bundle: ${bundle} and cpus: ${cpus}`, async () => {
      const it = await image(
        {
          a: `command: $NOTE; [ {i0} != 3 ] || [ -e data/raw/mended ] && echo {i0} > {out}/x\n${DIGITS}\nbundle: ${bundle}`,
          b: `command: $NOTE; cat data/processed/b/a/{id}/x > {out}/x\n${DIGITS}\nneeds: {each: a}\nbundle: ${bundle}\ncpus: ${cpus}`,
          c: `command: $NOTE; cat data/processed/b/b/*/x > {out}/x\nneeds: [b]`,
        },
        { 'data/raw/x': '' },
      );
      const out = await fails(it);
      assert.match(out, /^failed {2}b\/a\/Job3: exit 1$/m);
      assert.match(out, /^10 done, 1 failed, 2 not run because of that in /m);
      assert.deepEqual(it.ran(), [...jobs('a', 1, 2, 3, 4, 5, 6), ...jobs('b', 1, 2, 4, 5, 6)]);
      assert.deepEqual(it.done().includes('b/b/Job3'), false);
      it.write({
        'data/processed/b/a/Job3/jobfile.sh': it
          .read('data/processed/b/a/Job3/jobfile.sh')
          .replace('!= 3', '= 3'),
      });
      await succeeds(it);
      assert.deepEqual(it.ran(), ['a/Job3', 'b/Job3', 'c/Job1']);
      assert.equal(it.read('data/processed/b/c/Job1/x'), '1\n2\n3\n4\n5\n6\n');
      await succeeds(it);
      assert.deepEqual(it.ran(), []);
    });
  }

  test('an edit that failed and was taken back leaves nothing failed', async () => {
    const yaml = (value: string) => `batches:
  - {name: a, command: '${note('a')}; test {i0} != bad && echo {i0} > {out}/x', inputs: [good, ${value}]}
  - {name: b, command: '${note('b')}; cat data/processed/b/a/{id}/x > {out}/x', inputs: [good, other], needs: {each: a}}
`;
    const it = await image({}, { 'batch_info/b.yml': yaml('fine') });
    await succeeds(it);
    it.write({ 'batch_info/b.yml': yaml('bad') });
    await it.compile();
    await fails(it);
    it.write({ 'batch_info/b.yml': yaml('fine'), 'data/processed/b/b/Job2/.done': undefined });
    await it.compile();
    it.ran();
    await succeeds(it);
    assert.deepEqual(it.ran(), ['b/Job2']);
    assert.equal(it.exists('data/processed/b/a/Job2.failed'), false);
    assert.equal(await succeeds(it, ['retry']), 'nothing has failed\n');
  });
});

describe('an earlier result', () => {
  const chain = (version: string) => `batches:
  - {name: a, command: '${note('a')}; test ${version} != bad && echo {i0} > {out}/x', inputs: [p, q]}
  - {name: b, command: '${note('b')}; cat data/processed/b/a/{id}/x > {out}/x; : ${version}', inputs: [p, q], needs: {each: a}}
  - {name: c, command: '${note('c')}; cat data/processed/b/b/{id}/x > {out}/x; : ${version}', inputs: [p, q], needs: {each: b}}
`;
  test('counts for nothing once the job it is of has failed, or waits for one that has', async () => {
    const it = await image({}, { 'batch_info/b.yml': chain('good') });
    await succeeds(it);
    it.ran();
    it.write({ 'batch_info/b.yml': chain('bad') });
    await it.compile();
    assert.match(await fails(it), /^0 done, 2 failed, 4 not run because of that in /m);
    assert.deepEqual(it.ran(), jobs('a', 1, 2));
    assert.equal(it.read('data/processed/b/a/Job1/x'), 'p\n');
    it.write({ 'batch_info/b.yml': chain('fine') });
    await it.compile();
    await succeeds(it);
    assert.deepEqual(it.ran(), [...jobs('a', 1, 2), ...jobs('b', 1, 2), ...jobs('c', 1, 2)]);
  });
});
