/** Jobs on hosts that lose power again and again. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/hosts.ts';
import { processesOf } from '../lab/processes.ts';
import { killAll } from '../run/witness.ts';
import { type Pool, startPool, watchTraces } from '../ssh/rig.ts';
import { type Dice, dice as diceOf } from './dice.ts';
import { type Findings, soak, soakFiles, strikeHere, strikeOne } from './soak.ts';

export interface HostsSoak {
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

/** What may be killed there. */
const THERE: Readonly<Record<string, RegExp>> = {
  agent: /^sh \S+\/agent /,
  keeper: /\/keeper /,
  job: /^sh \S+jobfile\.sh$|^sleep 0/,
};

export async function soakHosts(options: HostsSoak): Promise<Findings> {
  const { jobs, hosts, slots, hostEvery, processEvery } = options;
  const dice = diceOf(options.seed);
  const pool = await startPool({ hosts, files: soakFiles(options), grid: { slots } });
  const strikeProcess = () => (dice.next() < 0.5 ? strikeHere(pool.image, dice) : strikeThere(pool, dice));
  const troubles = [
    { every: hostEvery, strike: () => strikeHost(pool, dice, hostEvery) },
    { every: processEvery, strike: strikeProcess },
  ];
  try {
    const { image, make } = pool;
    return await soak({ image, make, jobs, dice, troubles, clean: watchTraces(pool.lab) });
  } finally {
    killAll(pool.image);
    pool.stop();
  }
}

/** One is lost with all that runs there, or only its connections; `every`: seconds, in less than which it is back. */
async function strikeHost(pool: Pool, dice: Dice, every: number): Promise<string | undefined> {
  const host = dice.pick(pool.lab.hosts.filter(({ sshd }) => sshd.isUp()));
  if (!host) return undefined;
  const extent = dice.next() < 0.7 ? 'machine' : 'connections';
  host.kill(extent);
  // Some come back with an empty disk.
  if (extent === 'machine' && dice.next() < 0.5) wipe(pool, host);
  await sleep(every * 400 * dice.next());
  await host.start();
  return 'host';
}

function strikeThere({ lab }: Pool, dice: Dice): string | undefined {
  const [what, pattern] = dice.pick(Object.entries(THERE)) ?? [];
  if (!pattern) return undefined;
  const all = lab.hosts.flatMap(({ user }) => processesOf(user.uid));
  const pids = all.filter(({ args }) => pattern.test(args)).map(({ pid }) => pid);
  return strikeOne(pids, dice) ? what : undefined;
}

function wipe({ lab }: Pool, host: Host): void {
  for (const line of lab.traces(host)) {
    if (line.startsWith('folder /tmp/'))
      rmSync(line.slice('folder '.length), { recursive: true, force: true });
  }
}
