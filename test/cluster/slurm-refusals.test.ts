/** What a real Slurm does not take, or never begins: it is said why, and what may run elsewhere does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canSlurm } from '../lab/slurm.ts';
import { kill, until } from '../run/witness.ts';
import { leftOn, PATIENCE, rows, SHORT, useSlurm } from './slurm-rig.ts';

describe('What Slurm does not take', { skip: canSlurm() }, () => {
  const rig = useSlurm({ conf: ['MinJobAge=5', SHORT] });
  const { imageFor } = rig;

  test('gets no more at once than it was said to take, and is told why a partition is wrong', async () => {
    const image = await imageFor(
      `batches: [{name: b, inputs: rows.csv, command: 'sleep 1; echo {n} > {out}/x'}]\n`,
      { 'batch_info/rows.csv': rows(20) },
      { resource: { max_jobs: 5 } },
    );
    const going = image.start();
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, rig.slurm.queue().length);
    }, 200);
    const { code, out } = await going.ended;
    clearInterval(look);
    assert.equal(code, 0, out);
    assert.ok(most > 1 && most <= 5, `${most} at once`);
    image.setGrid({ slurm: { partition: 'nowhere' } });
    const refused = await image.make(['-B']);
    assert.equal(refused.code, 2);
    assert.match(refused.out, /failed {2}b\/b\/Job1: Slurm does not take it: .*Invalid partition/);
    assert.equal((refused.out.match(/^refused/gm) ?? []).length, 1, refused.out);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('leaves to others what it does not take, and takes the rest', async () => {
    const job = (name: string, keys: string) =>
      `  - {name: ${name}, inputs: rows.csv, ${keys} command: 'echo {n} > {out}/x'}\n`;
    const image = await imageFor(
      `batches:\n${job('odd', 'slurm: {partition: nowhere},')}${job('bound', 'slurm: {partition: nowhere}, resources: [campus],')}${job('plain', 'resources: [campus],')}`,
      { 'batch_info/rows.csv': rows(6) },
      { others: [{ name: 'desk', type: 'local', slots: 2 }] },
    );
    const { code, out } = await image.make();
    assert.equal(code, 2, out);
    assert.deepEqual(out.match(/^refused.*?:/gm)?.sort(), [
      'refused b/bound on campus:',
      'refused b/odd on campus:',
    ]);
    assert.equal(out.match(/^failed {2}b\/bound\/Job\d+: Slurm does not take it: /gm)?.length, 6, out);
    assert.equal(image.done().length, 12);
    for (const name of ['odd/Job1', 'odd/Job6']) {
      assert.match(image.result(`${name}/.done`), /^attempt=1 node=desk /m);
    }
    assert.match(image.result('plain/Job1/.done'), /^attempt=1 node=campus /m);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('leaves bundles and parallel jobs to others, too, and what nobody takes fails in its words', async () => {
    const image = await imageFor(
      `batches:
  - {name: b, inputs: rows.csv, bundle: 2, time: 1m, retries: 1, command: 'echo $LB_ATTEMPT > {out}/x'}
  - {name: wide, resources: [campus, desk], cpus: 3, inputs: [1, 2, 3, 4], command: 'sleep 0.5; echo fine > {out}/x'}
  - {name: scale, type: threadtest, range: "2-3", resources: [spare], command: 'echo fine > {out}/x'}
  - {name: large, cpus: 3, resources: [campus, spare], command: 'echo no'}
`,
      { 'batch_info/rows.csv': rows(21) },
      {
        resource: { slurm: { partition: 'nowhere' } },
        others: [
          { name: 'desk', type: 'local', slots: 3 },
          { name: 'spare', type: 'slurm', hostname: 'slurmlogin', max_jobs: 20 },
        ],
      },
    );
    const { code, out } = await image.make();
    assert.equal(code, 2, out);
    const said = (word: string) =>
      [...out.matchAll(new RegExp(`^${word} +b/(.*)$`, 'gm'))].map(([, line = '']) => line).sort();
    const wrong = /^sbatch: error: .*: Invalid partition name specified/;
    const refused = said('refused').map(
      line => /^(\w+) on (\w+): (.*?)(; it runs elsewhere)?$/.exec(line) ?? [],
    );
    for (const [, batch, node, words = '', onward = ''] of refused) {
      if (node === 'campus') assert.match(words, wrong);
      else assert.match(words, /Requested node configuration is not available/);
      if (batch !== 'large') assert.equal(onward === '', batch === 'scale', `${batch}`);
    }
    const pairs = refused.map(([, batch, node]) => `${batch} ${node}`);
    assert.deepEqual(pairs, [...new Set(pairs)], out);
    for (const pair of ['b campus', 'scale spare', 'large campus', 'large spare'])
      assert.ok(pairs.includes(pair), `${pair}\n${out}`);
    const failed = said('failed');
    assert.equal(failed.length, 2, out);
    assert.match(failed.join('\n'), /^large\/Job1: Slurm does not take it: /m);
    assert.match(failed.join('\n'), /^scale\/Job\d: Slurm does not take it: .*Requested node configuration/m);
    assert.deepEqual(said('lost'), []);
    assert.match(out, /^26 done, 2 failed in /m);
    const { campus = 0, ...shares } = image.shares();
    assert.equal(campus, 0);
    assert.deepEqual(Object.keys(shares).sort(), ['desk', 'spare']);
    for (let i = 1; i <= 21; i++) assert.equal(image.result(`b/Job${i}/x`), '1\n');
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });

  test('says at once why tasks can never start, and after a while why others wait', async () => {
    const image = await imageFor(`batches:
  - {name: never, inputs: [1, 2, 3], time: 1h, slurm: {partition: short}, command: 'echo no'}
  - {name: later, slurm: {begin: now+1hour}, command: 'echo no'}
`);
    const going = image.start([], { env: { LOGOBATCH_WAIT_LONG: '2' } });
    await until('both are said', () => /^note.*BeginTime/m.test(going.output()), PATIENCE);
    kill(-going.pid, 'SIGINT');
    const { out } = await going.ended;
    assert.deepEqual(out.match(/^note.*/gm), [
      'note    campus: 3 tasks wait in the queue: PartitionTimeLimit',
      'note    campus: 1 task waits in the queue: BeginTime',
    ]);
    assert.deepEqual(leftOn(rig.slurm, image), []);
  });
});
