/**
 * A real Slurm on this machine: one controller and several slurmd, each of them a node, with a munge of their own, and without
 * an accounting database, as on many small clusters. One at a time; what one that died has left is cleared by the next lab.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './address.ts';
import { makeClient } from './client.ts';
import { endAll, environmentOf, PATH, type QueuedJob, usesOf, worksIn } from './cluster.ts';
import { hasProgram, system } from './command.ts';
import { makeHost } from './host.ts';
import { canLab } from './hosts.ts';
import { makeService, type Service } from './service.ts';
import type { Slot } from './slot.ts';
import { type SlurmShape, slurmConf } from './slurm-conf.ts';
import { standing } from './standing.ts';
import { until } from './waiting.ts';

export interface SlurmOptions {
  /** Default 3: n1, n2, n3. */
  readonly nodes?: number;
  /** Of each node; default 2. May be more than this machine has. */
  readonly cpus?: number;
  /** Further lines of slurm.conf, which count more than the lab's own: `MaxArraySize=10`, `MaxJobCount=5`, `MinJobAge=5` … */
  readonly conf?: readonly string[];
  /** Whether the login node listens at first; default true. */
  readonly login?: boolean;
}

export interface SlurmNode {
  readonly name: string;
  readonly slurmd: Service;
  /** `daemon`: slurmd alone, and what it has started goes on; `machine`: everything that runs there. The controller notices late: see `down`. */
  readonly kill: (extent?: 'daemon' | 'machine') => void;
  /** Resolves when the node takes jobs again. */
  readonly start: () => Promise<void>;
  /** Makes the controller believe that the node is lost, as it would half a minute after `kill`. */
  readonly down: () => void;
}

export type Slurm = Awaited<ReturnType<typeof startSlurm>>;

/** Why no Slurm can be started here; undefined where it can. For `test(…, {skip: canSlurm()})`. */
export function canSlurm(): string | undefined {
  const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'scontrol', 'runuser'];
  const missing = programs.filter(name => !hasProgram(name));
  const packages = '(Debian: slurm-wlm, slurm-client, munge)';
  return canLab() ?? (missing.length > 0 ? `Slurm needs ${missing.join(', ')} ${packages}` : undefined);
}

/** Seconds, for a machine with much else to do. */
const PATIENCE = 60;

export function startSlurm(options: SlurmOptions = {}) {
  return standing(slot => build(slot, options), 'slurm');
}

async function build(
  slot: Slot,
  { nodes: count = 3, cpus = 2, conf = [], login: hasLogin = true }: SlurmOptions,
) {
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const shape: SlurmShape = {
    folder: slot.folder,
    ports: {
      controller: await freePort('127.0.0.1', 16_817),
      nodes: await Promise.all(names.map((_, i) => freePort('127.0.0.1', 17_001 + i))),
    },
    names,
    cpus,
    lines: conf,
  };
  const file = join(slot.folder, 'slurm.conf');
  writeFileSync(file, slurmConf(shape));
  // It need not look which there are: in a bare container there are none.
  writeFileSync(join(slot.folder, 'cgroup.conf'), 'CgroupPlugin=cgroup/v1\n');
  const variables = { SLURM_CONF: file };

  const client = makeClient(join(slot.folder, 'client'));
  const login = await makeHost(
    slot,
    [],
    { name: 'slurmlogin', sshd: [`SetEnv PATH=${PATH} SLURM_CONF=${file}`] },
    client,
  );

  const munge = makeMunge(slot.folder);
  const controllerFolder = join(slot.folder, 'slurmctld');
  const controller = makeService({
    folder: controllerFolder,
    command: ['slurmctld', '-D', '-f', file, '-L', join(controllerFolder, 'slurmctld.log')],
    isReady: () => answers(['scontrol', 'ping']),
  });
  const answers = ([program = '', ...words]: readonly string[]) => {
    try {
      return /is UP/.test(system(program, words, { env: variables }));
    } catch {
      return false;
    }
  };
  const slurm = (program: string, ...words: readonly string[]) => system(program, words, { env: variables });
  // A line a partition.
  const stateOf = (name: string) =>
    slurm('sinfo', '-h', '-N', '-n', name, '-o', '%T').split('\n')[0]?.trim() ?? '';

  /** Where it could not end all of a task the controller sets a node aside, until somebody has looked. */
  const resumed = (name: string) => {
    const state = stateOf(name);
    if (state.startsWith('drain')) slurm('scontrol', 'update', `nodename=${name}`, 'state=resume');
    return state;
  };

  const nodes = names.map((name): SlurmNode => {
    const folder = join(slot.folder, `slurmd-${name}`);
    mkdirSync(join(folder, 'spool'), { recursive: true });
    const slurmd = makeService({
      folder,
      command: ['slurmd', '-D', '-N', name, '-f', file, '-L', join(folder, 'slurmd.log')],
      isReady: news => news.includes('slurmd started'),
    });
    const runsHere = (pid: number) => {
      if (worksIn(pid, folder)) return true;
      const environment = environmentOf(pid);
      return environment.includes(`SLURM_CONF=${file}`) && environment.includes(`SLURMD_NODENAME=${name}`);
    };
    return {
      name,
      slurmd,
      kill: (extent = 'machine') => {
        slurmd.kill();
        if (extent === 'machine') endAll(runsHere);
      },
      start: async () => {
        await slurmd.start();
        await until(`${name} takes jobs`, () => isUsable(resumed(name)), PATIENCE);
      },
      down: () => void slurm('scontrol', 'update', `nodename=${name}`, 'state=down', 'reason=lab'),
    };
  });

  await munge.start();
  await controller.start();
  await Promise.all(nodes.map(node => node.start()));
  if (hasLogin) await login.start();

  const env: Record<string, string> = { PATH: `${client.bin}:${process.env.PATH ?? ''}`, ...variables };
  const queue = (...words: readonly string[]) =>
    parseQueue(slurm('squeue', '-h', '-r', '-a', ...words, '-o', '%F|%K|%T|%u|%N|%j'));
  return {
    ...client,
    ...usesOf(login, client, { env, variables: { PATH, ...variables } }),
    login,
    nodes,
    node: (name: string) => nodes.find(each => each.name === name) ?? unknownNode(name),
    controller,
    /** For what is to use this cluster from the head, as whoever it runs as. */
    env,
    /** What waits or runs. */
    queue: () => queue(),
    /** The same, with what ended less than MinJobAge seconds ago. */
    history: () => queue('-t', 'all'),
    jobsOf: (user: string) => queue('-u', user),
    /** What the controller knows of a job, such as `ExitCode` and `Restarts`; undefined for one that it has forgotten. */
    job: (id: string) => {
      try {
        return fields(slurm('scontrol', 'show', 'job', '-o', id));
      } catch {
        return undefined;
      }
    },
  };
}

/** Whoever has the key may say who they are, so it is not the machine's. */
function makeMunge(slot: string): Service {
  const folder = join(slot, 'munge');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'key'), randomBytes(128), { mode: 0o600 });
  const files = { 'key-file': 'key', socket: 'socket', 'pid-file': 'munged.pid', 'seed-file': 'seed' };
  return makeService({
    folder,
    command: ['munged', '-F', ...Object.entries(files).map(([name, at]) => `--${name}=${join(folder, at)}`)],
    isReady: news => news.includes('Created socket'),
  });
}

function parseQueue(text: string): QueuedJob[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [job = '', element = '', state = '', user = '', node = '', ...name] = line.split('|');
      const task = element === 'N/A' ? undefined : element;
      return { id: task ? `${job}_${task}` : job, job, task, name: name.join('|'), user, state, node };
    });
}

/** `A=b C=d` with values that hold no blanks, as `scontrol -o` says it for what tests look at. */
const fields = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/(\S+?)=(\S*)/g)].map(([, name = '', value = '']) => [name, value]));

/** `idle`, `mixed`, `allocated`: without the sign that says that it does not answer. */
const isUsable = (state: string) => /^(idle|mixed|allocated)$/.test(state);

function unknownNode(name: string): never {
  throw new Error(`the lab has no node ${name}`);
}
