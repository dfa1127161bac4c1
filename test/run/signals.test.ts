/** Ctrl-C and its relatives: all jobs and whatever they have started are gone within bounds, and make goes on later. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compile } from '../../src/compile.ts';
import { type Project, project, type Running } from './rig.ts';
import { broken, called, kill, killAll, living, quiet, until } from './witness.ts';

const opened: Project[] = [];
afterEach(() => {
  for (const image of opened.splice(0)) {
    killAll(image);
    image.remove();
  }
});

/** What jobs do to survive; each takes a slot until `$HOME/go` is there. */
const STUBBORN = `
      touch "$HOME/started-{id}"
      wait_for_go() { while [ ! -e "$HOME/go" ]; do sleep 0.05; done; }
      case {id} in
        Job1) wait_for_go ;;
        Job2) trap '' TERM INT HUP; wait_for_go ;;
        Job3) setsid sh -c 'trap "" TERM; while [ ! -e "$HOME/go" ]; do sleep 0.1; done' & wait ;;
        Job4) nohup sh -c 'while [ ! -e "$HOME/go" ]; do sleep 0.1; done' >/dev/null 2>&1 & wait_for_go ;;
        Job5) again() { [ -e "$HOME/go" ] || { sleep 0.1; again & }; }; again; wait_for_go ;;
        Job6) exec >/dev/null 2>&1 </dev/null; cd /; (wait_for_go) & (wait_for_go) ;;
      esac
      echo {id} > {out}/x`;
const JOBS = 6;

async function image(command = STUBBORN, jobs = JOBS, slots = jobs): Promise<Project> {
  const inputs = Array.from({ length: jobs }, (_, i) => i);
  const made = await project({
    slots,
    files: {
      'batch_info/b.yml': `batches:\n  - name: a\n    inputs: [${inputs}]\n    command: |\n${command}\n`,
    },
  });
  opened.push(made);
  return made;
}

async function busy(of: Project, running: Running = of.start()): Promise<Running> {
  await until('all jobs are running', () =>
    Array.from({ length: JOBS }, (_, i) => `../home/started-Job${i + 1}`).every(of.exists),
  );
  return running;
}

/** Nothing lives, nothing was published, and the next make does it all. */
async function goesOn(of: Project, left = JOBS): Promise<void> {
  await quiet(of, 12);
  assert.deepEqual(broken(of), []);
  of.write({ '../home/go': '' });
  const { code, out } = await of.make();
  assert.equal(code, 0, out);
  assert.match(out, new RegExp(`^${left} done in`, 'm'));
  assert.ok(!of.exists('data/processed/.stage'));
}

describe('jobs that ignore TERM, move to a session of their own or breed are gone', () => {
  for (const [times, words] of [
    [1, 'after one Ctrl-C'],
    [2, 'after two'],
    [3, 'after three'],
  ] as const) {
    test(words, async () => {
      const of = await image();
      const { pid, ended, child } = await busy(of);
      for (let i = 0; i < times; i++) {
        kill(-pid, 'SIGINT');
        await sleep(200);
      }
      const { out } = await ended;
      assert.equal(child.signalCode, 'SIGINT');
      assert.match(
        out,
        /^0 done, 6 not run in \d+ s; .*\nended by SIGINT; make goes on where this stopped$/m,
      );
      await goesOn(of);
    });
  }

  test('after TERM to make alone', async () => {
    const of = await image();
    const { pid, ended, child } = await busy(of);
    kill(pid, 'SIGTERM');
    const { out } = await ended;
    assert.equal(child.signalCode, 'SIGTERM');
    assert.match(out, /^ended by SIGTERM; make goes on where this stopped$/m);
    await goesOn(of);
  });

  test('after HUP, as when a terminal is closed', async () => {
    const of = await image();
    const { pid, ended } = await busy(of);
    kill(-pid, 'SIGHUP');
    assert.match((await ended).out, /^ended by SIGHUP; make goes on where this stopped$/m);
    await goesOn(of);
  });

  test('after Ctrl-C on a terminal', async () => {
    const of = await image();
    const { child, ended } = terminal(of);
    await until('all jobs are running', () => of.exists('../home/started-Job6'));
    child.stdin.write('\x03');
    const { code, out } = await ended;
    assert.match(out, /ended by SIGINT; make goes on where this stopped/);
    assert.equal(code, 130);
    await goesOn(of);
  });

  test('after make cancel from elsewhere, which waits for it', async () => {
    const of = await image();
    const { ended } = await busy(of);
    const { code, out } = await of.make(['cancel']);
    assert.match(out, /^cancelled$/m);
    assert.equal(code, 0);
    assert.deepEqual(called(of, 'jobfile.sh'), []);
    assert.match((await ended).out, /^ended by SIGTERM; make goes on where this stopped$/m);
    await goesOn(of);
    assert.match((await of.make(['cancel'])).out, /^no make is running here$/m);
  });
});

test('what was done before Ctrl-C is not run again', async () => {
  const of = await image(
    '      [ {id} = Job1 ] || while [ ! -e "$HOME/go" ]; do sleep 0.05; done\n      : > "$HOME/started-{id}"',
    4,
    2,
  );
  const { pid, ended } = of.start();
  await until('the first is done', () => of.done().length === 1);
  kill(-pid, 'SIGINT');
  assert.match((await ended).out, /^1 done, 3 not run in/m);
  await goesOn(of, 3);
});

test('a reader that closes the pipe early kills no job half-way', async () => {
  const of = await image('      sleep 0.3; echo {id} > {out}/x', 4, 2);
  const { stdout } = spawnSync('sh', ['-c', 'make | head -n 1'], {
    cwd: of.root,
    env: of.environment,
    encoding: 'utf8',
  });
  assert.match(stdout, /^running 4 jobs on 2 slots/);
  await quiet(of);
  assert.equal(of.done().length, 4);
  assert.deepEqual(broken(of), []);
  assert.match((await of.make()).out, /^nothing to do$/m);
});

test('without any output to write to, make works and says so by its exit code', async () => {
  const of = await image('      echo {id} > {out}/x', 2, 2);
  const { status } = spawnSync('sh', ['-c', 'exec make <&- >&- 2>&-'], { cwd: of.root, env: of.environment });
  assert.equal(status, 0);
  assert.equal(of.done().length, 2);
});

test('under nohup a closed terminal ends nothing', async () => {
  const of = await image();
  const child = spawn('nohup', ['make'], {
    cwd: of.root,
    env: of.environment,
    detached: true,
    stdio: 'ignore',
  });
  const ended = new Promise(resolve => child.on('exit', resolve));
  await until('all jobs are running', () => of.exists('../home/started-Job6'));
  kill(-(child.pid ?? 0), 'SIGHUP');
  await sleep(500);
  of.write({ '../home/go': '' });
  assert.equal(await ended, 0);
  assert.equal(of.done().length, JOBS);
  await quiet(of);
});

test('a run that waits for the slots of another image ends at Ctrl-C', async () => {
  const of = await image();
  const waiting = await image('      echo {id} > {out}/x', 5, 3);
  await busy(of);
  const slots = { LOGOBATCH_SLOTS: of.environment.LOGOBATCH_SLOTS, LOGOBATCH_LOCAL_SLOTS: String(JOBS) };
  const { pid, ended } = waiting.start([], { env: slots });
  await until('its visits queue up', () => called(waiting, 'flock').length >= 3);
  kill(-pid, 'SIGINT');
  assert.match((await ended).out, /^0 done, 5 not run in/m);
  await quiet(waiting, 10);
  assert.equal(called(of, 'jobfile.sh').length >= JOBS, true);
});

describe('while make is running', () => {
  test('a second one in the same image is refused and changes nothing', async () => {
    const of = await image();
    await busy(of);
    const before = called(of, 'shell/run b/a').sort();
    for (const args of [[], ['b/a/Job1'], ['clean'], ['distclean', 'RESULTS=1'], ['-B']]) {
      const { code, out } = await of.make(args);
      assert.match(
        out,
        /^make is running here already \(pid \d+, since \d\d:\d\d\)\. Wait for it, or end it with: make cancel$/m,
      );
      assert.equal(code, 2);
    }
    assert.deepEqual(called(of, 'shell/run b/a').sort(), before);
    of.write({ '../home/go': '' });
    await until('it ends', () => living(of).length === 0);
    assert.equal(of.done().length, JOBS);
  });

  test('compile is refused, status and -n are not', async () => {
    const of = await image();
    await busy(of);
    const refused = await compile(of.root, { dryRun: false, force: false });
    assert.equal(refused.kind, 'refused');
    assert.match((await of.make(['status'])).out, /^make is running \(pid \d+, since \d\d:\d\d\)$/m);
    assert.equal((await of.make(['-n'])).code, 0);
  });
});

/** make on a pseudo-terminal. */
function terminal(of: Project) {
  const child = spawn('script', ['-qec', 'make', '/dev/null'], {
    cwd: of.root,
    env: { ...of.environment, TERM: 'xterm' },
    detached: true,
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  const ended = new Promise<{ code: number | null; out: string }>(resolve =>
    child.on('close', code => resolve({ code, out })),
  );
  return { child, ended };
}
