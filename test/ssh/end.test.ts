/** However a run ends, hosts are clean soon after, and the next make goes on where it stopped. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab, type Host } from '../lab/hosts.ts';
import { processesOf } from '../lab/processes.ts';
import type { Running } from '../run/rig.ts';
import { broken, called, kill, killAll, until } from '../run/witness.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

/** Jobs that are slow while there is a file, and leave what jobs leave: children, another session, files in the way. */
const FILES = {
  'src/data': 'data\n',
  'batch_info/b.yml': `batches:
  - name: a
    inputs: {matrix: {i: {from: 1, to: 8}}}
    command: |
      cat src/data > {out}/x
      [ {i} -gt 2 ] || exit 0
  - name: s
    inputs: {matrix: {i: {from: 1, to: 6}}}
    command: |
      echo {i} > {out}/x; mkdir {out}/closed; chmod 0 {out}/closed
      [ -e data/raw/quick ] && exit
      (trap '' TERM HUP; setsid sleep 300) & sleep 301
`,
  'data/raw/slow': '',
};

/** Waits until all is as it was, at most so many seconds. */
async function clean(check: () => void, seconds: number): Promise<void> {
  const start = performance.now();
  for (;;) {
    try {
      return check();
    } catch (error) {
      if (performance.now() - start > seconds * 1000) throw error;
    }
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

/** A make that has slow jobs under way in all slots. */
async function busy(pool: Pool): Promise<Running> {
  const running = pool.start();
  const sleeps = ({ user }: Host) => processesOf(user.uid).filter(({ args }) => args === 'sleep 301').length;
  await until('all slots have slow jobs', () => pool.lab.hosts.every(host => sleeps(host) === 2));
  return running;
}

/** How a run may end: what is done to it; hosts are to be clean so many seconds after make has ended. */
const ENDS: readonly {
  readonly what: string;
  readonly seconds: number;
  readonly how: (pool: Pool, running: Running) => unknown;
}[] = [
  { what: 'Ctrl-C', seconds: 0, how: (_, { pid }) => kill(-pid, 'SIGINT') },
  {
    what: 'make cancel from elsewhere',
    seconds: 0,
    how: async pool => {
      const { code, out } = await pool.make(['cancel']);
      assert.deepEqual([code, out.trim()], [0, 'cancelled']);
    },
  },
  { what: 'kill -9 of make', seconds: 15, how: (_, { pid }) => kill(pid, 'SIGKILL') },
  {
    what: 'kill -9 of start, which leads the run',
    seconds: 15,
    how: ({ image }) => {
      for (const pid of called(image, '.logobatch/shell/start')) kill(pid, 'SIGKILL');
    },
  },
  {
    what: 'kill -9 of everything on the head, connections included',
    seconds: 15,
    how: ({ image }) => killAll(image),
  },
];

describe('hosts are clean, and the next make finishes', { skip: canLab(), concurrency: 3 }, () => {
  /** With a pool that has slow jobs under way; from then on jobs are quick. */
  async function withBusy(work: (pool: Pool, running: Running, check: () => void) => Promise<void>) {
    const pool = await startPool({ hosts: 2, files: FILES, grid: { slots: 2 } });
    try {
      const check = watchTraces(pool.lab);
      const running = await busy(pool);
      pool.image.write({ 'data/raw/slow': undefined, 'data/raw/quick': '' });
      await work(pool, running, check);
      assert.deepEqual(broken(pool.image), []);
      assert.equal(pool.image.done().length, 14);
      assert.match((await pool.make()).out, /^nothing to do/);
    } finally {
      killAll(pool.image);
      pool.stop();
    }
  }

  for (const { what, seconds, how } of ENDS) {
    test(`after ${what}`, () =>
      withBusy(async (pool, running, check) => {
        const start = performance.now();
        await how(pool, running);
        await running.ended;
        assert.ok(performance.now() - start < 15_000, running.output());
        await clean(check, seconds);
        const { code, out } = await pool.make();
        assert.equal(code, 0, out);
        check();
      }));
  }

  test('after kill -9 of everything, and the next make at once', () =>
    withBusy(async (pool, running, check) => {
      killAll(pool.image);
      await running.ended;
      const { code, out } = await pool.make();
      assert.equal(code, 0, out);
      await clean(check, 10);
    }));
});

describe('a place for the work folder', { skip: canLab() }, () => {
  for (const [what, place] of [
    ['a disk of its own', 'scratch'],
    ['memory', '/dev/shm'],
  ] as const) {
    test(`that is ${what} is used, and nothing is left there`, async () => {
      const folder = place.startsWith('/') ? place : undefined;
      const pool = await startPool({
        hosts: 1,
        files: {
          'src/x': '',
          'batch_info/b.yml': 'batches:\n  - name: a\n    inputs: [1, 2]\n    command: echo $PWD > {out}/x\n',
        },
      });
      try {
        const host = pool.host('n1');
        const scratch = folder ?? join(host.user.home, 'my scratch');
        if (!folder) {
          mkdirSync(scratch);
          chownSync(scratch, host.user.uid, host.user.gid);
        }
        pool.setGrid({ all: { fast_storage: ['/nowhere', scratch] } });
        const check = watchTraces(pool.lab);
        const { code, out } = await pool.make();
        assert.equal(code, 0, out);
        check();
        assert.ok(pool.image.read('data/processed/b/a/Job1/x').startsWith(`${scratch}/lb.`));
      } finally {
        pool.stop();
      }
    });
  }
});

describe('nodes that are kept', { skip: canLab() }, () => {
  let pool: Pool;
  before(async () => {
    pool = await startPool({
      hosts: 2,
      files: {
        'src/version': 'one\n',
        'src/setup.sh': 'echo >> setups\n',
        'batch_info/b.yml':
          'batches:\n  - name: a\n    setup: src/setup.sh\n    inputs: [1, 2, 3, 4]\n    command: "cat src/version > {out}/x; cat setups > {out}/s; ls src > {out}/ls; pwd > {out}/pwd; sleep 0.2"\n',
      },
      grid: { slots: 1 },
    });
  });
  after(() => pool.stop());
  const places = () =>
    [1, 2, 3, 4]
      .map(i => pool.image.read(`data/processed/b/a/Job${i}/pwd`))
      .filter(unique)
      .sort();

  test('by make up are warm for runs in between, until make down', async () => {
    const check = watchTraces(pool.lab);
    const up = await pool.make(['up']);
    assert.equal(up.code, 0, up.out);
    assert.match(up.out, /^up {6}n1: 1 slots?, \d+ MiB$/m);
    const kept = pool.lab.traces(pool.host('n1')).filter(line => line.startsWith('process '));
    assert.deepEqual(kept, [], 'a warm node runs nothing');
    const first = await pool.make();
    assert.equal(first.code, 0, first.out);
    const before = places();
    pool.image.write({ 'src/version': 'two\n', 'src/new': '', 'src/setup.sh': 'echo >> setups\n# more\n' });
    const second = await pool.make();
    assert.equal(second.code, 0, second.out);
    assert.deepEqual(places(), before);
    assert.equal(pool.image.read('data/processed/b/a/Job1/x'), 'two\n');
    assert.equal(pool.image.read('data/processed/b/a/Job1/ls'), 'new\nsetup.sh\nversion\n');
    const down = await pool.make(['down']);
    assert.equal(down.code, 0, down.out);
    check();
    assert.equal((await pool.make(['down'])).out, 'nothing is kept\n');
  });

  test('by keep: true are left for looking into, without processes', async () => {
    pool.setGrid({ slots: 1, hosts: { n2: { keep: true } } });
    const check = watchTraces(pool.lab);
    const { code, out } = await pool.make(['-B']);
    assert.equal(code, 0, out);
    assert.deepEqual(pool.lab.traces(pool.host('n1')), []);
    const left = pool.lab.traces(pool.host('n2'));
    assert.equal(left.length, 1);
    assert.match(left[0] ?? '', /^folder \/tmp\/lb\./);
    const work = (left[0] ?? '').slice('folder '.length);
    assert.equal(readFileSync(join(work, 'image/src/version'), 'utf8'), 'two\n');
    assert.equal((await pool.make(['down'])).code, 0);
    check();
  });

  test('that cannot be reached are named, with what to do later, and make says so by its status', async () => {
    pool.setGrid({ slots: 1 });
    const check = watchTraces(pool.lab);
    pool.image.write({ 'src/version': 'three\n' });
    assert.equal((await pool.make(['up'])).code, 0);
    pool.host('n2').kill();
    const down = await pool.make(['down']);
    assert.notEqual(down.code, 0);
    assert.match(down.out, /^left {4}n2:\/tmp\/lb\.\w+: .*; later: make down$/m);
    await pool.host('n2').start();
    const again = await pool.make(['down']);
    assert.equal(again.code, 0, again.out);
    check();
  });

  test('are let alone where something else has taken their place', async () => {
    assert.equal((await pool.make(['up'])).code, 0);
    const host = pool.host('n1');
    const [folder = ''] = pool.lab.traces(host);
    const marker = join(folder.slice('folder '.length), 'marker');
    const text = readFileSync(marker, 'utf8');
    writeFileSync(marker, 'logobatch 1 somebodyelses x y\n');
    const down = await pool.make(['down']);
    assert.notEqual(down.code, 0);
    assert.match(down.out, /^left {4}n1:.*has the marker of something else.*later: make down$/m);
    assert.deepEqual(pool.lab.traces(host), [folder]);
    writeFileSync(marker, text);
    assert.equal((await pool.make(['down'])).code, 0);
    assert.deepEqual(pool.lab.traces(host), []);
  });
});

const unique = (one: string, i: number, all: readonly string[]) => all.indexOf(one) === i;
