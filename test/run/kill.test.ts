/** kill -9 of every process of a run, in the middle of it and at random moments. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, type Project, project, type Running } from './rig.ts';
import { broken, called, kill, killAll, living, processed, quiet, until } from './witness.ts';

const COUNT = 6;
const opened: Project[] = [];
afterEach(() => {
  for (const image of opened.splice(0)) {
    killAll(image);
    image.remove();
  }
});

/** Jobs with a child, an output in a folder and something to say, on three slots. */
async function image(seconds: string, more = ''): Promise<Project> {
  const inputs = Array.from({ length: COUNT }, (_, i) => i);
  const made = await project({
    slots: 3,
    files: {
      'batch_info/b.yml': `batches:
  - name: a
    inputs: [${inputs}]
${more}    command: |
      mkdir {out}/sub; echo half > {out}/sub/x
      echo said {id}
      touch "$HOME/busy"
      (sleep ${seconds}) || exit
      echo whole {id} > {out}/sub/x
`,
    },
  });
  opened.push(made);
  return made;
}

/** After a fault: nothing lives, nothing is half, and a make finishes all of it, as if there had been no fault. */
async function recovers(of: Project): Promise<Ended> {
  await quiet(of);
  assert.deepEqual(broken(of), []);
  const next = await of.make();
  assert.equal(next.code, 0, next.out);
  assert.equal(of.done().length, COUNT);
  assert.deepEqual(broken(of), []);
  const wanted: Record<string, string> = {};
  for (let n = 1; n <= COUNT; n++) {
    const folder = `b/a/Job${n}`;
    wanted[`${folder}/job.err`] = '';
    wanted[`${folder}/job.out`] = `said Job${n}\n`;
    wanted[`${folder}/jobfile.sh`] = of.read(`data/processed/${folder}/jobfile.sh`);
    wanted[`${folder}/sub/x`] = `whole Job${n}\n`;
  }
  assert.deepEqual(processed(of), wanted);
  assert.ok(!of.exists('data/processed/.stage'));
  const { code, out } = await of.make(['verify']);
  assert.equal(code, 0, out);
  await quiet(of);
  return next;
}

async function busy(of: Project): Promise<Running> {
  const running = of.start();
  await until('jobs are running', () => existsSync(join(of.home, 'busy')));
  return running;
}

/** The processes of a run by what they are. */
const WHO: Readonly<Record<string, (of: Project, make: Running) => number[]>> = {
  'the outer make': (_, { pid }) => [pid],
  start: of => called(of, '.logobatch/shell/start'),
  'the inner make': of => called(of, 'visits.mk'),
  guard: of => called(of, '.logobatch/shell/guard'),
  progress: of => called(of, '.logobatch/shell/progress'),
  'a visit': of => called(of, '.logobatch/shell/run b/a').slice(0, 1),
  'a job': of => called(of, 'jobfile.sh').slice(0, 1),
  "a job's child": of => called(of, 'sleep 0.4').slice(0, 1),
  'all visits': of => called(of, '.logobatch/shell/run b/a'),
  'start and guard': of => [...called(of, 'shell/start'), ...called(of, 'shell/guard')],
  'everything at once': living,
};
const CODES: Readonly<Record<string, number | null>> = { 'the outer make': null, guard: 0, progress: 0 };

describe('after kill -9 nothing lives on, no result is half and the next make finishes', () => {
  for (const [who, find] of Object.entries(WHO)) {
    test(who, async () => {
      const of = await image('0.4');
      const running = await busy(of);
      const victims = await until('there is such a process', () => {
        const pids = find(of, running);
        return pids.length > 0 && pids;
      });
      for (const pid of victims) kill(pid, 'SIGKILL');
      const { code, out } = await running.ended;
      if (who !== 'everything at once') assert.equal(code, who in CODES ? CODES[who] : 2, out);
      if (who === 'guard' || who === 'progress') assert.match(out, /^6 done in/m);
      if (who === 'a job') assert.match(out, /^failed {2}b\/a\/Job\d: exit 137, SIGKILL$/m);
      await recovers(of);
    });
  }

  test('the next make does its work although the guard of the killed run is still there', async () => {
    const of = await image('0.4');
    const running = await busy(of);
    const guards = called(of, 'shell/guard');
    for (const pid of guards) kill(pid, 'SIGSTOP');
    for (const pid of living(of)) if (!guards.includes(pid)) kill(pid, 'SIGKILL');
    await running.ended;
    rmSync(join(of.home, 'busy'));
    const next = await busy(of);
    for (const pid of guards) kill(pid, 'SIGCONT');
    const { code, out } = await next.ended;
    assert.equal(code, 0, out);
    await recovers(of);
  });

  test('random ones, again and again', async () => {
    const of = await image('0.2');
    const killed: string[] = [];
    for (let round = 0; round < 5; round++) {
      const running = of.start();
      for (let i = 0; i < 3; i++) {
        await sleep(Math.random() * 300);
        const all = living(of);
        const pid = all[Math.floor(Math.random() * all.length)];
        if (pid === undefined) continue;
        killed.push(`${pid}`);
        kill(pid, 'SIGKILL');
      }
      await running.ended;
      await quiet(of);
      assert.deepEqual(broken(of), [], killed.join(' '));
    }
    await recovers(of);
  });
});

test('a time limit holds although the guard was killed', async () => {
  const of = await image('100', '    time: 2\n');
  const running = await busy(of);
  for (const pid of called(of, 'shell/guard')) kill(pid, 'SIGKILL');
  const { out } = await running.ended;
  assert.match(out, /^failed {2}b\/a\/Job1: time limit of 2 s reached$/m);
});

test('what a run that was killed left running is ended by the next make before it starts anything', async () => {
  const of = await image('1000');
  const running = await busy(of);
  await until('three jobs are running', () => called(of, 'sleep 1000').length === 3);
  const first = called(of, 'jobfile.sh');
  // Nobody is left to end the jobs: neither start nor guard nor a visit.
  for (const words of ['shell/guard', 'shell/start', 'visits.mk', 'shell/run b/a', 'shell/progress'])
    for (const pid of called(of, words)) kill(pid, 'SIGKILL');
  await running.ended;
  assert.deepEqual(called(of, 'jobfile.sh').sort(), first.sort());
  const next = of.start();
  await until('the old jobs are gone', () => !called(of, 'jobfile.sh').some(pid => first.includes(pid)));
  kill(-next.pid, 'SIGINT');
  await next.ended;
  await quiet(of);
});
