/** The schedulers that we can speak with, a row each. */
import type { Executor, SchedulerKind } from './executor.ts';
import { sge } from './sge.ts';
import { slurm } from './slurm.ts';

export const EXECUTORS: Readonly<Record<SchedulerKind, Executor>> = { slurm, sge };
