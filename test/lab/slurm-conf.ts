import { hostname } from 'node:os';
import { join } from 'node:path';

export interface SlurmShape {
  /** The lab's. */
  readonly folder: string;
  readonly ports: { readonly controller: number; readonly nodes: readonly number[] };
  readonly names: readonly string[];
  readonly cpus: number;
  /** Of two lines with one key the later counts, and these come last. */
  readonly lines: readonly string[];
}

/** The text of a slurm.conf for several nodes on one machine. */
export function slurmConf({ folder, ports, names, cpus, lines }: SlurmShape): string {
  const [host = 'localhost'] = hostname().split('.');
  const at = (...parts: readonly string[]) => join(folder, ...parts);
  return `${[
    'ClusterName=lab',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${ports.controller}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${at('munge', 'socket')}`,
    'MpiDefault=none',
    'ProctrackType=proctrack/pgid',
    'TaskPlugin=task/none',
    'JobAcctGatherType=jobacct_gather/none',
    'AccountingStorageType=accounting_storage/none',
    `StateSaveLocation=${at('slurmctld')}`,
    `SlurmctldPidFile=${at('slurmctld', 'slurmctld.pid')}`,
    `SlurmdSpoolDir=${at('slurmd-%n', 'spool')}`,
    `SlurmdPidFile=${at('slurmd-%n', 'slurmd.pid')}`,
    // Nodes may claim more than there is.
    'SlurmdParameters=config_overrides',
    'ReturnToService=2',
    // Jobs start as soon as they may, and not at the next of some seconds.
    'SchedulerType=sched/backfill',
    'SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU',
    'KillWait=5',
    'MaxArraySize=100001',
    'MaxJobCount=200000',
    ...names.map(
      (name, i) =>
        `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports.nodes[i]} CPUs=${cpus} RealMemory=4000`,
    ),
    'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
    ...lines,
  ].join('\n')}\n`;
}
