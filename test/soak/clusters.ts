/** Jobs on a Slurm and a Grid Engine whose daemons, machines and tasks are lost again and again. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { leftOn } from '../cluster/slurm-rig.ts';
import { type Sge, startSge } from '../lab/sge.ts';
import { type Slurm, type SlurmNode, startSlurm } from '../lab/slurm.ts';
import { type Project, project } from '../run/rig.ts';
import { killAll } from '../run/witness.ts';
import { type Dice, dice as diceOf } from './dice.ts';
import { type Findings, soak, soakFiles, strikeHere, strikeOne, type Trouble } from './soak.ts';

export interface ClustersSoak {
  readonly jobs: number;
  /** How long a job takes at most, in seconds. */
  readonly longest: number;
  /** Seconds between two kills of a process, two ends of a task from outside, and two losses of a daemon or a machine. */
  readonly processEvery: number;
  readonly taskEvery: number;
  readonly lossEvery: number;
  readonly seed: number;
}

interface Labs {
  readonly slurm: Slurm;
  readonly sge: Sge;
}

/** What may be killed where the jobs run. */
const THERE: Readonly<Record<string, RegExp>> = {
  task: /^sh \S+\/task /,
  warden: /^sh \S*warden/,
  job: /^sh \S+jobfile\.sh$|^sleep 0/,
};

export async function soakClusters(options: ClustersSoak): Promise<Findings> {
  const dice = diceOf(options.seed);
  const [sge, slurm] = await Promise.all([startSge({ slots: 4 }), startSlurm({ nodes: 2 })]);
  const labs = { sge, slurm };
  let image: Project | undefined;
  try {
    image = await imageFor(labs, options);
    const { jobs } = options;
    const make = image.make;
    const clean = () => {
      for (const lab of [slurm, sge]) assert.deepEqual(image ? leftOn(lab, image) : [], []);
    };
    return await soak({ image, make, jobs, dice, troubles: troublesOf(labs, image, dice, options), clean });
  } finally {
    if (image) {
      killAll(image);
      image.remove();
    }
    slurm.stop();
    sge.stop();
  }
}

/** One `ssh` that knows both login nodes. */
async function imageFor({ slurm, sge }: Labs, options: ClustersSoak): Promise<Project> {
  const image = await project({ files: soakFiles(options) });
  const cluster = { max_jobs: 8 };
  const compute = [
    { name: 'here', type: 'local', slots: 1 },
    { name: 'slurm', type: 'slurm', hostname: 'slurmlogin', ...cluster },
    { name: 'sge', type: 'sge', hostname: 'sgelogin', ...cluster },
  ];
  writeFileSync(join(image.home, '.logobatch.yml'), stringify({ compute }));
  const config = join(image.home, '.ssh-config');
  writeFileSync(config, [slurm, sge].map(each => `Include ${each.config}\n`).join(''));
  writeFileSync(join(image.bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`);
  chmodSync(join(image.bin, 'ssh'), 0o755);
  return image;
}

function troublesOf(
  { slurm, sge }: Labs,
  image: Project,
  dice: Dice,
  { processEvery, taskEvery, lossEvery }: ClustersSoak,
): Trouble[] {
  const strikeThere = () => {
    const [what, pattern] = dice.pick(Object.entries(THERE)) ?? [];
    if (!pattern) return undefined;
    const all = [...slurm.processes(), ...sge.processes()];
    const pids = all.filter(({ args }) => pattern.test(args)).map(({ pid }) => pid);
    return strikeOne(pids, dice) ? what : undefined;
  };
  /** As somebody else would who has had enough of it. */
  const endTask = async () => {
    const [cluster, program] = dice.next() < 0.5 ? ([slurm, 'scancel'] as const) : ([sge, 'qdel'] as const);
    const task = dice.pick(queueOf(cluster));
    if (!task) return undefined;
    const [job = '', element = ''] = task.id.split('.');
    await cluster.run(program === 'qdel' ? [program, job, '-t', element] : [program, task.id]);
    return program;
  };
  /** What is lost, and is back some seconds later. One at a time: a machine comes back only where there is a controller. */
  const losses = {
    slurmctld: slurm.controller,
    qmaster: sge.qmaster,
    // What it has started goes on.
    execd: { start: sge.execd.start, kill: () => sge.execd.kill('daemon') },
    ...Object.fromEntries(slurm.nodes.map(node => [node.name, machine(node)])),
  };
  const lose = async () => {
    const [what, service] = dice.pick(Object.entries(losses)) ?? [];
    service?.kill();
    await sleep(3000 * dice.next());
    await service?.start();
    return what;
  };
  return [
    {
      every: processEvery,
      strike: () => (dice.next() < 0.5 ? strikeHere(image, dice) : strikeThere()),
    },
    { every: taskEvery, strike: endTask },
    { every: lossEvery, strike: lose },
  ];
}

const machine = (node: SlurmNode) => ({
  start: node.start,
  kill: () => {
    node.kill();
    node.down();
  },
});

/** Nothing, where the daemon is away that knows it. */
function queueOf(cluster: Slurm | Sge) {
  try {
    return cluster.queue();
  } catch {
    return [];
  }
}
