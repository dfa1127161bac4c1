/** Slots: never more jobs at once than there are, shared by all images of a user, held until the last process of a job is gone. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Project, project } from './rig.ts';
import { called, kill, killAll, living, quiet, until } from './witness.ts';

const opened: Project[] = [];
afterEach(() => {
  for (const image of opened.splice(0)) {
    killAll(image);
    image.remove();
  }
});

/** Appends a line to the common log of a test: `+2 name` when a job begins that takes two slots, `-2 name` when it ends. */
const LOG = 'log="$WITNESS"; note() { echo "$*" >> "$log"; }';

/** Batches: name → its keys and its command. */
async function image(batches: Readonly<Record<string, [keys: string, command: string]>>, slots: number) {
  const texts = Object.entries(batches).map(
    ([name, [keys, command]]) =>
      `  - name: ${name}\n    ${keys}\n    command: |\n      ${LOG}\n      ${command.trim().replaceAll('\n', '\n      ')}\n`,
  );
  const made = await project({ slots, files: { 'batch_info/b.yml': `batches:\n${texts.join('')}` } });
  opened.push(made);
  return made;
}

const rows = (count: number) => `inputs: [${Array.from({ length: count }, (_, i) => i)}]`;
const brief = (width: number, seconds: number) =>
  `note "+${width} $LB_JOB"; sleep ${seconds}; note "-${width} $LB_JOB"`;

/** Where the jobs of `of` leave their lines, and the slots they use. */
const witness = (of: Project) => ({
  WITNESS: join(of.home, 'log'),
  LOGOBATCH_SLOTS: of.environment.LOGOBATCH_SLOTS,
});
const lines = (of: Project) =>
  existsSync(join(of.home, 'log')) ? readFileSync(join(of.home, 'log'), 'utf8').trim().split('\n') : [];

/** The most slots that were in use at the same time. Lines are appended in the order of time. */
function peak(of: Project): number {
  let now = 0;
  return Math.max(...lines(of).map(line => (now += Number.parseInt(line, 10))));
}

test('two images at the same time share the slots, and both finish', async () => {
  const one = await image({ a: [rows(12), brief(1, 0.1)] }, 3);
  const two = await image({ a: [`${rows(12)}\n    bundle: 2`, brief(1, 0.1)] }, 3);
  const both = await Promise.all([one, two].map(of => of.make([], { env: witness(one) })));
  for (const { code, out } of both) assert.equal(code, 0, out);
  assert.equal(lines(one).length, 48);
  assert.equal(peak(one), 3);
});

test('jobs of two processors among jobs of one overbook nothing and are not starved', async () => {
  const narrow = await image({ a: [rows(30), brief(1, 0.15)] }, 3);
  const wide = await image({ a: [`cpus: 2\n    ${rows(2)}`, brief(2, 0.1)] }, 3);
  const first = narrow.start([], { env: witness(narrow) });
  await until('the slots are busy', () => lines(narrow).length >= 3);
  const second = await wide.make([], { env: witness(narrow) });
  assert.equal(second.code, 0, second.out);
  const { code, out } = await first.ended;
  assert.equal(code, 0, out);
  assert.ok(peak(narrow) <= 3, `${peak(narrow)}`);
  const all = lines(narrow);
  assert.ok(all.lastIndexOf('-2 Job2') < all.length - 10, 'the wide ones came last');
});

test('jobs of two processors run side by side where there are slots for them', async () => {
  const command = 'touch $HOME/{i0}; until [ -e $HOME/1 ] && [ -e $HOME/2 ]; do sleep 0.05; done';
  const of = await image({ a: ['cpus: 2\n    time: 10\n    inputs: [1, 2]', command] }, 4);
  const { code, out } = await of.make();
  assert.equal(code, 0, out);
});

test('make -j without a number starts no storm of processes', async () => {
  const of = await image({ a: [rows(300), ':'] }, 2);
  const running = of.start(['-j'], { env: witness(of) });
  let most = 0;
  let ended = false;
  void running.ended.then(() => {
    ended = true;
  });
  while (!ended) {
    most = Math.max(most, living(of).length);
    await sleep(20);
  }
  assert.match((await running.ended).out, /^300 done in/m);
  assert.ok(most > 0 && most < 30, `${most} processes`);
});

test('a daemon that a job has left is ended; its slot is not used before, and the others go on', async () => {
  const daemon = `note "+1 daemon"; trap "note '-1 daemon'; exit" TERM; while :; do sleep 0.05; done`;
  const of = await image(
    {
      a: ['job_name: "D"', `setsid sh -c '${LOG}; ${daemon.replaceAll("'", `'\\''`)}' &`],
      b: [rows(10), brief(1, 0.2)],
    },
    2,
  );
  const { code, out } = await of.make([], { env: witness(of) });
  assert.equal(code, 0, out);
  assert.ok(lines(of).includes('-1 daemon'));
  assert.equal(peak(of), 2);
  assert.equal(of.done().length, 11);
  await quiet(of, 2);
});

test('a daemon that has closed all descriptors is ended, too, while the run goes on', async () => {
  const of = await image(
    {
      a: ['job_name: "D"', "setsid sh -c 'cd /; exec 9>&-; exec sleep 1000' >/dev/null 2>&1 &"],
      b: [rows(1), 'while [ ! -e "$HOME/go" ]; do sleep 0.1; done'],
    },
    2,
  );
  const running = of.start([], { env: witness(of) });
  await until('the daemon is there', () => called(of, 'sleep 1000').length > 0);
  await until('the daemon is gone', () => called(of, 'sleep 1000').length === 0);
  assert.equal(called(of, 'shell/start').length, 1);
  of.write({ '../home/go': '' });
  const { code, out } = await running.ended;
  assert.equal(code, 0, out);
});

test('the slot of a visit that was killed is not used before its job is dead', async () => {
  const stubborn = `trap '' TERM\necho $$ > "$HOME/first"\nnote "+1 first"\nwhile :; do sleep 0.05; done`;
  const check =
    'if grep -qs "^State:.*[RSDT] " "/proc/$(cat "$HOME/first")/status"; then note "+1 too early"; fi\nnote "+0 next"';
  const of = await image({ a: ['job_name: "S"', stubborn], b: [rows(3), check] }, 1);
  const running = of.start([], { env: witness(of) });
  await until('the first runs', () => lines(of).includes('+1 first'));
  for (const pid of called(of, 'shell/run b/a')) kill(pid, 'SIGKILL');
  const { code, out } = await running.ended;
  assert.equal(code, 2);
  assert.match(out, /^3 done, 1 not run in/m);
  assert.deepEqual(lines(of), ['+1 first', '+0 next', '+0 next', '+0 next']);
});

test('a slot signed by a pid that is somebody else by now is not lost', async () => {
  const of = await image({ a: [rows(2), ':'] }, 1);
  of.write({ '../slots/local.1.by': `20260101-000000-1 ${process.pid} x.1.1.1 0 nowhere\n` });
  const { code, out } = await of.make();
  assert.equal(code, 0, out);
});

test('what needs more than there is fails at once and says why', async () => {
  const of = await image({ a: ['cpus: 3', ':'], b: ['', ':'] }, 2);
  const { code, out } = await of.make();
  assert.equal(code, 2);
  assert.match(out, /^failed {2}b\/a\/Job1: needs 3 slots \(.*\), the largest node has 2$/m);
  assert.deepEqual(of.done(), ['b/b/Job1']);
});

test('folders for connections of runs that died are removed, unless something of such a run is still there', async () => {
  const of = await image({ a: [rows(1), ':'] }, 1);
  const dead = spawnSync('true').pid;
  const late = spawn('sleep', ['60'], { env: { ...process.env, LOGOBATCH_START: `${dead}1` } });
  try {
    for (const pid of [dead, `${dead}1`, process.pid]) of.write({ [`../slots/c.${pid}/0.0`]: '' });
    assert.equal((await of.make()).code, 0);
    const left = readdirSync(join(of.home, '../slots')).filter(name => name.startsWith('c.'));
    assert.deepEqual(left.sort(), [`c.${dead}1`, `c.${process.pid}`].sort());
  } finally {
    late.kill();
  }
});
