/** Everything at once: jobs on hosts that lose power again and again, while processes of ours are killed at random. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/hosts.ts';
import { processesOf } from '../lab/processes.ts';
import { broken, called, kill, killAll, quiet } from '../run/witness.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

export interface SoakOptions {
  readonly jobs: number;
  readonly hosts: number;
  /** Of each host. */
  readonly slots: number;
  /** Seconds between two losses of a host, and between two kills of a process. */
  readonly hostEvery: number;
  readonly processEvery: number;
  /** How long a job takes at most, in seconds. */
  readonly longest: number;
  readonly seed: number;
}

export interface Findings {
  /** What was killed, and how often; a host that lost power is `host`. */
  readonly kills: Readonly<Record<string, number>>;
  readonly makes: number;
  readonly seconds: number;
  /** Everything that is wrong, a line each: empty is what is wanted. */
  readonly wrong: readonly string[];
}

/** Names of jobs and what each leaves; half of them in bundles. */
const files = ({ jobs, longest }: SoakOptions) => {
  const rows = (from: number) => Array.from({ length: jobs / 2 }, (_, i) => `${from + i}\n`).join('');
  const batch = (name: string, keys: string) => `  - name: ${name}
    inputs: ${name}.csv
    retries: 100
    ${keys}
    command: |
      i={i0}; mkdir {out}/d; sleep $(awk 'BEGIN { srand('$i'); print ${longest} * rand() }'); seq {i0} > {out}/d/seq
      [ $((i % 5)) != 0 ] || setsid sleep 300 & echo {i0} > {out}/x
`;
  return {
    'src/data': 'data\n',
    'batch_info/b.yml': `batches:\n${batch('one', 'bundle: 1')}${batch('many', 'bundle: 5')}`,
    'batch_info/one.csv': rows(0),
    'batch_info/many.csv': rows(jobs / 2),
  };
};

/** What may be killed here, by the words of its command line. */
const HERE: Readonly<Record<string, readonly string[]>> = {
  visit: ['sh', '.logobatch/shell/run'],
  session: ['ssh', '/agent'],
  connection: ['ssh', '-fN'],
  runtime: ['node', 'runtime.mjs attend'],
  guard: ['.logobatch/shell/guard'],
};
/** Rarely, since it ends the run. */
const LEADERS: Readonly<Record<string, readonly string[]>> = {
  start: ['sh', '.logobatch/shell/start'],
  make: ['make'],
};
const THERE: Readonly<Record<string, RegExp>> = {
  agent: /^sh \S+\/agent /,
  keeper: /\/keeper /,
  job: /^sh \S+jobfile\.sh$|^sleep 0/,
};

export async function soak(options: SoakOptions): Promise<Findings> {
  const random = generator(options.seed);
  const pool = await startPool({
    hosts: options.hosts,
    files: files(options),
    grid: { slots: options.slots },
  });
  const kills: Record<string, number> = {};
  const count = (what: string) => (kills[what] = (kills[what] ?? 0) + 1);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  const strike = (what: string, pids: readonly number[]) => {
    const pid = pick(pids);
    if (pid !== undefined) {
      kill(pid, 'SIGKILL');
      count(what);
    }
  };

  const killHost = async () => {
    const host = pick(pool.lab.hosts.filter(({ sshd }) => sshd.isUp()));
    if (!host) return;
    const extent = random() < 0.7 ? 'machine' : 'connections';
    host.kill(extent);
    count('host');
    // Some come back with an empty disk.
    if (extent === 'machine' && random() < 0.5) wipe(pool, host);
    await sleep(options.hostEvery * 400 * random());
    await host.start();
  };
  const killProcess = () => {
    const place = random();
    const [there, here] = [pick(Object.entries(THERE)), pick(Object.entries(HERE))];
    const leader = pick(Object.entries(LEADERS));
    if (place < 0.03 && leader) strike(leader[0], called(pool.image, ...leader[1]));
    else if (place < 0.5 && here) strike(here[0], called(pool.image, ...here[1]));
    else if (there) {
      const [what, pattern] = there;
      const all = pool.lab.hosts.flatMap(({ user }) => processesOf(user.uid));
      strike(
        what,
        all.filter(({ args }) => pattern.test(args)).map(({ pid }) => pid),
      );
    }
  };

  const wrong: string[] = [];
  const start = performance.now();
  let makes = 0;
  try {
    const check = watchTraces(pool.lab);
    const look = publications(pool, options.jobs, wrong);
    let chaos = true;
    const every = async (seconds: number, work: () => unknown) => {
      while (chaos) {
        await sleep(seconds * 1000 * (0.5 + random()));
        if (chaos) await work();
      }
    };
    const troubles = [
      every(options.hostEvery, killHost),
      every(options.processEvery, killProcess),
      every(0.2, look),
    ];
    for (let code: number | null = 1; code !== 0 && makes < 50; makes++) {
      // The last one has peace: whatever is left has to be done then.
      if (makes === 40) chaos = false;
      ({ code } = await pool.make());
    }
    chaos = false;
    await Promise.all(troubles);
    const last = await pool.make();
    if (!/^nothing to do/.test(last.out)) wrong.push(`the last make had something to do: ${last.out}`);
    look();
    const done = pool.image.done();
    if (done.length !== options.jobs) wrong.push(`${options.jobs - done.length} jobs are lost`);
    wrong.push(...broken(pool.image));
    await quiet(pool.image).catch(error => wrong.push(String(error)));
    // A host that was away when its run ended is cleaned by the next make that uses it, by itself, or by make down.
    const down = await pool.make(['down']);
    if (down.code !== 0) wrong.push(`make down: ${down.out}`);
    await clean(check, 40).catch(error => wrong.push(String(error)));
  } finally {
    killAll(pool.image);
    pool.stop();
  }
  return { kills, makes, seconds: Math.round((performance.now() - start) / 1000), wrong };
}

/** Looks at what was published since the last call: each job once, and whole from the first moment on. */
function publications(pool: Pool, jobs: number, wrong: string[]): () => void {
  const known = new Map<string, string>();
  return () => {
    for (let i = 0; i < jobs; i++) {
      const number = i % (jobs / 2);
      const folder = `data/processed/b/${i < jobs / 2 ? 'one' : 'many'}/Job${number + 1}`;
      const record = read(join(pool.image.root, folder, '.done'));
      const before = known.get(folder);
      if (record === undefined || record === before) continue;
      if (before !== undefined) wrong.push(`${folder} was published twice:\n${before}\n${record}`);
      known.set(folder, record);
      const found = read(join(pool.image.root, folder, 'x'));
      if (found !== `${i}\n`) wrong.push(`${folder}/x is ${JSON.stringify(found)} when .done is there`);
    }
  };
}

function wipe({ lab }: Pool, host: Host): void {
  for (const line of lab.traces(host)) {
    if (line.startsWith('folder /tmp/'))
      rmSync(line.slice('folder '.length), { recursive: true, force: true });
  }
}

async function clean(check: () => void, seconds: number): Promise<void> {
  for (const end = performance.now() + seconds * 1000; ; await sleep(500)) {
    try {
      return check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The same numbers between 0 and 1 for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
