/**
 * Faults while jobs run: each time every job is done and published once, what was lost went elsewhere free of charge, and nothing is left on any
 * host. See `soak.test.ts` for all of them at random.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canLab, type HostOptions } from '../lab/hosts.ts';
import { canNetns } from '../lab/netns.ts';
import { processesOf } from '../lab/processes.ts';
import { broken, called, kill, killAll, quiet, until } from '../run/witness.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

const JOBS = 24;
const FILES = {
  'src/data': 'data\n',
  'batch_info/b.yml': `batches:
  - name: a
    inputs: {matrix: {i: {from: 1, to: ${JOBS / 2}}}}
    retries: 3
    command: |
      mkdir {out}/d; cat src/data > {out}/d/x; sleep 0.5; echo {i} > {out}/y
  - name: c
    inputs: {matrix: {i: {from: 1, to: ${JOBS / 2}}}}
    retries: 3
    bundle: 3
    command: |
      (sleep 0.1; cat src/data > {out}/x) & setsid sleep 300 & sleep 0.5
`,
};

interface Fault {
  readonly what: string;
  readonly how: (pool: Pool) => unknown;
  readonly hosts?: readonly HostOptions[];
  readonly skip?: string | undefined;
  /** What make says, where that matters; and its exit code. */
  readonly says?: RegExp;
  readonly code?: number;
  /** Afterwards, when make has ended. */
  readonly afterwards?: (pool: Pool) => unknown;
}

const all = (pool: Pool, pattern: RegExp) =>
  pool.lab.hosts.flatMap(({ user }) => processesOf(user.uid)).filter(({ args }) => pattern.test(args));
/** Kills all that matches on the hosts; there has to be something. */
const strike = (pool: Pool, pattern: RegExp) => {
  const found = all(pool, pattern);
  assert.notEqual(found.length, 0, `nothing matches ${pattern}`);
  for (const { pid } of found) kill(pid, 'SIGKILL');
};
const strikeHere = (pids: readonly number[]) => {
  assert.notEqual(pids.length, 0);
  for (const pid of pids) kill(pid, 'SIGKILL');
};
/** The connections that visits share, which none of our scripts waits for. */
const masters = ({ image }: Pool) => called(image, 'ssh', '-fN');

const FAULTS: readonly Fault[] = [
  // These take long, so they begin first.
  {
    what: 'a host stands still, and goes on later',
    how: async pool => {
      pool.host('n1').freeze();
      await sleep(24_000);
      pool.host('n1').thaw();
    },
    says: /^lost {4}/m,
  },
  {
    what: 'packets to a host vanish for a while',
    hosts: [{ network: 'own' }, {}],
    skip: canLab() ?? canNetns(),
    how: async pool => {
      pool.host('n1').cut();
      await sleep(24_000);
      pool.host('n1').heal();
    },
    says: /^lost {4}/m,
  },
  {
    what: 'sshd and its connections are killed, and come back',
    how: async pool => {
      pool.host('n1').kill();
      await sleep(2000);
      await pool.host('n1').start();
    },
    says: /^lost {4}/m,
  },
  {
    what: 'sshd alone is killed: what is connected goes on',
    how: async pool => {
      pool.host('n1').kill('listener');
      await sleep(2000);
      await pool.host('n1').start();
    },
  },
  {
    what: 'a host loses power, and comes back without what it had',
    how: async pool => {
      const host = pool.host('n1');
      host.kill('machine');
      for (const line of pool.lab.traces(host)) rmSync(line.replace(/^folder /, ''), { recursive: true });
      await sleep(1500);
      await host.start();
    },
    says: /^lost {4}/m,
  },
  {
    what: 'a host loses power for good: it is named, and make down clears up when it is there again',
    how: pool => pool.host('n1').kill('machine'),
    code: 2,
    says: /^left {4}n1:\/tmp\/lb\.\w+: .*; later: make down$/m,
    afterwards: async pool => {
      await pool.host('n1').start();
      const { code, out } = await pool.make(['down']);
      assert.equal(code, 0, out);
    },
  },
  { what: 'all connections are killed', how: pool => strikeHere(masters(pool)), says: /^lost {4}/m },
  {
    what: 'the programs that hold the sessions are killed',
    how: pool => strikeHere(called(pool.image, 'ssh', '/agent')),
    says: /^lost {4}/m,
  },
  {
    what: 'agents are killed',
    how: pool => strike(pool, /^sh \S+\/agent /),
    says: /^lost {4}/m,
  },
  { what: 'keepers are killed', how: pool => strike(pool, /\/keeper /) },
  { what: 'jobs are killed', how: pool => strike(pool, /^sh .*jobfile\.sh|^sleep 0\.5/) },
  { what: 'everything on one host is killed', how: pool => strikeUser(pool), says: /^lost {4}/m },
  {
    what: 'the process that attends the nodes is killed',
    how: pool => strikeHere(called(pool.image, 'runtime.mjs', 'attend')),
  },
  {
    what: 'the process that attends the nodes is killed, and all connections with it',
    how: pool => strikeHere([...called(pool.image, 'runtime.mjs', 'attend'), ...masters(pool)]),
  },
  {
    what: 'visits are killed: the next make does what they left',
    how: pool => strikeHere(called(pool.image, '.logobatch/shell/run')),
    code: 2,
    afterwards: async pool => {
      const { code, out } = await pool.make();
      assert.equal(code, 0, out);
    },
  },
];

function strikeUser(pool: Pool): void {
  for (const { pid } of pool.lab.processes(pool.host('n2'))) kill(pid, 'SIGKILL');
}

describe('every job is done once, and nothing is left', { skip: canLab(), concurrency: 4 }, () => {
  for (const { what, how, hosts = [{}, {}], skip, says = /^/, code: expected = 0, afterwards } of FAULTS) {
    test(`when ${what}`, { skip }, async () => {
      const pool = await startPool({ hosts, files: FILES, grid: { slots: 2 } });
      try {
        const check = watchTraces(pool.lab);
        const running = pool.start();
        await until('some jobs are done and others run', () => {
          const jobs = all(pool, /^sleep 0\.5/);
          return pool.image.done().length >= 3 && jobs.length >= 2;
        });
        await how(pool);
        const { code, out } = await running.ended;
        assert.equal(code, expected, out);
        assert.match(out, says);
        await afterwards?.(pool);
        assert.equal(pool.image.done().length, JOBS, out);
        assert.deepEqual(broken(pool.image), []);
        const published = pool.image
          .read('.logobatch/run/joblog')
          .split('\n')
          .filter(line => line.split('\t')[6] === '0');
        assert.equal(published.length, JOBS, published.join('\n'));
        await eventually(check, 20);
        await quiet(pool.image);
        assert.match((await pool.make()).out, /^nothing to do/);
      } finally {
        killAll(pool.image);
        pool.stop();
      }
    });
  }
});

/** Waits until it does not fail any more, at most so many seconds. */
async function eventually(check: () => void, seconds: number): Promise<void> {
  for (const end = performance.now() + seconds * 1000; ; await sleep(200)) {
    try {
      return check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}
