/** Heads, visits and answers that die at the worst moment: each job begins once all the same, and nothing is left. All at once, each in an image of its own. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { canSlurm } from '../lab/slurm.ts';
import { called, kill, killAll, until } from '../run/witness.ts';
import { intercept } from './login.ts';
import { type Image, leftOn, PATIENCE, useSlurm } from './slurm-rig.ts';

const LATE = `case "$*" in
*-unborn-*) [ -e ~/at.unborn ] || { : >~/at.unborn; sleep 25; : >~/born; } ;;
*-unheard-*) "$program" "$@" >~/answer.unheard; : >>~/at.unheard; sleep 4; cat ~/answer.unheard; exit ;;
*-mute-*) "$program" "$@" >/dev/null; exec sleep 100 ;;
esac`;

describe('whoever dies', { skip: canSlurm() }, () => {
  let calls: (program: string) => string[];
  const images: Image[] = [];
  const rig = useSlurm({ cpus: 12, conf: ['MinJobAge=5'] });
  before(() => {
    ({ calls } = intercept(rig.slurm, { sbatch: LATE, scancel: '' }));
  });
  /** Four jobs of a batch of this name, each of which notes that it begins. */
  const imageOf = async (name: string, command: string) => {
    const image = await rig.imageFor(
      `batches: [{name: ${name}, inputs: [1, 2, 3, 4], command: 'echo $LB_JOB >> ~/ran-${name}; ${command}; echo {i0} > {out}/x'}]\n`,
    );
    images.push(image);
    return image;
  };
  const ran = (name: string) => rig.noted(`ran-${name}`).sort();
  const ONCE = ['Job1', 'Job2', 'Job3', 'Job4'];
  const submissionsOf = (name: string) => calls('sbatch').filter(call => call.includes(`-${name}-`)).length;
  const at = (name: string) =>
    until(`the submission of ${name}`, () => existsSync(join(rig.slurm.home, `at.${name}`)), PATIENCE);

  describe('has all done, once', { concurrency: true }, () => {
    test('before the scheduler has heard of a submission that comes late', async () => {
      const image = await imageOf('unborn', 'sleep 1');
      image.start();
      await at('unborn');
      killAll(image);
      const { code, out } = await image.make();
      assert.equal(code, 0, out);
      await until('it has come', () => existsSync(join(rig.slurm.home, 'born')), PATIENCE);
      assert.deepEqual(ran('unborn'), ONCE);
    });

    test('before anybody has heard that a submission was taken', async () => {
      const image = await imageOf('unheard', 'sleep 1');
      image.start();
      await at('unheard');
      killAll(image);
      const { code, out } = await image.make();
      assert.equal(code, 0, out);
      assert.match(out, /campus: 0 submissions/);
      assert.deepEqual(ran('unheard'), ONCE);
      assert.equal(submissionsOf('unheard'), 1);
    });

    test('as a program of the scheduler, without a word', async () => {
      const image = await imageOf('mute', 'sleep 1');
      const { code, out } = await image.make();
      assert.equal(code, 0, out);
      assert.match(out, /^note {4}campus: no answer to a submission/m);
      assert.deepEqual(ran('mute'), ONCE);
      assert.equal(submissionsOf('mute'), 1);
    });

    test('as a visit, whose job the next make collects', async () => {
      const image = await imageOf('visited', 'sleep 4');
      const going = image.start();
      await until('all run', () => ran('visited').length === 4, PATIENCE);
      const [visit] = called(image, 'shell/run b/visited', 'Job2');
      assert.ok(visit);
      kill(visit, 'SIGKILL');
      const first = await going.ended;
      assert.match(first.out, /^note {4}campus: it still has 1 job of this image; make collects them/m);
      assert.equal(image.done().length, 3, first.out);
      const { code, out } = await image.make();
      assert.equal(code, 0, out);
      assert.match(out, /campus: 0 submissions/);
      assert.deepEqual(ran('visited'), ONCE);
    });

    test('or has make down end what nobody is to collect, in one call', async () => {
      const image = await imageOf('downed', 'sleep 600');
      image.start();
      await until('all run', () => ran('downed').length === 4, PATIENCE);
      killAll(image);
      const ids = rig.slurm.queue().flatMap(({ name, job }) => (name.includes('-downed-') ? [job] : []));
      const began = performance.now();
      const { code, out } = await image.make(['down']);
      assert.equal(code, 0, out);
      assert.ok(performance.now() - began < 20_000, out);
      assert.deepEqual(
        rig.slurm.queue().filter(({ name }) => name.includes('-downed-')),
        [],
      );
      assert.equal(calls('scancel').filter(call => ids.some(id => call.split(' ').includes(id))).length, 1);
    });
  });

  test('leaves nothing', () => {
    for (const image of images) assert.deepEqual(leftOn(rig.slurm, image), []);
  });
});
