/**
 * A real Grid Engine on this machine: a qmaster, an execd and a login node on one host, which has a network and a name of its
 * own, since Grid Engine refuses this machine's loopback. One at a time; what one that died has left is cleared by the next lab.
 */
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeClient } from './client.ts';
import { endAll, environmentOf, PATH, usesOf, worksIn } from './cluster.ts';
import { hasProgram, system } from './command.ts';
import { makeHost } from './host.ts';
import { canLab } from './hosts.ts';
import { canNetns } from './netns.ts';
import { makeService, type Service } from './service.ts';
import { parseAccounts, parseQueue } from './sge-answers.ts';
import { makeCell, PROGRAMS, QUEUE, setUp } from './sge-cell.ts';
import type { Slot } from './slot.ts';
import { standing } from './standing.ts';
import { until } from './waiting.ts';

export interface SgeOptions {
  /** Of the queue; default 4. May be more than this machine has. */
  readonly slots?: number;
  /** Lines of `qconf -mconf`, which count more than the lab's own: `max_u_jobs 5`, `max_aj_tasks 10`, `finished_jobs 0` … */
  readonly conf?: readonly string[];
  /** Values of `qconf -mq`, such as `rerun: 'TRUE'`. */
  readonly queue?: Readonly<Record<string, string>>;
  /** Whether the login node listens at first; default true. */
  readonly login?: boolean;
}

export interface Execd extends Omit<Service, 'kill'> {
  /**
   * `daemon`: execd alone, and what it has started goes on; `machine`: everything that runs there. The qmaster notices after
   * `max_unheard`; what became of the jobs it is told up to a minute after the execd is back.
   */
  readonly kill: (extent?: 'daemon' | 'machine') => void;
}

export type Sge = Awaited<ReturnType<typeof startSge>>;

/** Why no Grid Engine can be started here; undefined where it can. For `test(…, {skip: canSge()})`. */
export function canSge(): string | undefined {
  const programs = [
    'sge_qmaster',
    'sge_execd',
    'qsub',
    'qstat',
    'qdel',
    'qconf',
    'qacct',
    'runuser',
    'unshare',
  ];
  const missing = programs.filter(name => !hasProgram(name));
  const packages = '(Debian: gridengine-master, gridengine-exec, gridengine-client)';
  if (missing.length > 0) return `Grid Engine needs ${missing.join(', ')} ${packages}`;
  return canLab() ?? canNetns();
}

/** Seconds, for a machine with much else to do. */
const PATIENCE = 60;

export function startSge(options: SgeOptions = {}) {
  return standing(slot => build(slot, options), 'sge');
}

async function build(slot: Slot, { slots = 4, conf = [], queue = {}, login: hasLogin = true }: SgeOptions) {
  const at = (name: string) => join(slot.folder, name);
  const cellFolder = at('cell');
  const cell = makeCell({
    folder: cellFolder,
    qmaster: at('qmaster'),
    execd: at('execd'),
    lines: conf,
  });
  const variables = { PATH, ...cell.variables };
  const client = makeClient(at('client'));
  const login = await makeHost(
    slot,
    [],
    {
      name: 'sgelogin',
      network: 'own',
      enter: cell.enter,
      sshd: [
        `SetEnv ${Object.entries(variables)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')}`,
      ],
    },
    client,
  );
  cell.locate(login.address);
  const prefix = [...(login.network?.prefix ?? []), ...cell.enter];
  const sge = (program: string, ...words: readonly string[]) =>
    system(prefix[0] ?? '', [...prefix.slice(1), join(PROGRAMS, program), ...words], { env: cell.variables });

  const daemon = (name: 'qmaster' | 'execd') => {
    const link = join(at(name), `sge_${name}`);
    symlinkSync(join(PROGRAMS, `sge_${name}`), link);
    return makeService({
      folder: at(name),
      command: [...prefix, link],
      // It stays in the foreground.
      env: { ...cell.variables, SGE_ND: '1', LD_LIBRARY_PATH: PROGRAMS },
      isReady: news => news.includes('starting up SGE'),
    });
  };
  const qmaster = daemon('qmaster');
  const service = daemon('execd');
  const runsThere = (pid: number) =>
    worksIn(pid, service.folder) ||
    environmentOf(pid).some(entry => entry.startsWith(`SGE_JOB_SPOOL_DIR=${service.folder}/`));
  // The last column holds what is wrong, such as `au` while the execd is not heard of.
  const takesJobs = () => new RegExp(`^${QUEUE}@(\\S+\\s+){4}\\S+\\s*$`, 'm').test(sge('qstat', '-f'));
  const execd: Execd = {
    ...service,
    start: async () => {
      await service.start();
      await until(`${QUEUE} takes jobs`, takesJobs, PATIENCE);
    },
    kill: (extent = 'machine') => {
      service.kill();
      if (extent === 'machine') endAll(runsThere);
    },
  };

  await qmaster.start();
  setUp(cellFolder, (...words) => sge('qconf', ...words), { slots, queue });
  await execd.start();
  if (hasLogin) await login.start();

  const env: Record<string, string> = { PATH: `${client.bin}:${process.env.PATH ?? ''}` };
  const accounts = () => (existsSync(cell.accounting) ? parseAccounts(sge('qacct', '-j')) : []);
  return {
    ...client,
    ...usesOf(login, client, { env, variables, prefix }),
    login,
    qmaster,
    execd,
    /** For what is to use this cluster by `ssh`. */
    env,
    /** Words that make a command run on the cluster's host, and what it needs there. */
    inside: { prefix, env: variables },
    /** Runs one of Grid Engine's commands as its administrator. */
    admin: sge,
    /** What waits or runs. */
    queue: () => parseQueue(sge('qstat', '-g', 'd', '-u', '*', '-xml')),
    /** What has ended. */
    accounts,
    /** What is known of how a job has ended, such as `12` or `12.3`: one for each time that it ran. */
    accountsOf: (id: string) => {
      const [job, task = 'undefined'] = id.split('.');
      return accounts().filter(({ jobnumber, taskid }) => jobnumber === job && taskid === task);
    },
  };
}
