/** Which orders of visits go together into one array. */
import type { Packet, PacketJob } from './packet.ts';

/** What is to be sent of a packet: its jobs but for those that are there already. */
export interface Load {
  readonly packet: Packet;
  readonly jobs: readonly PacketJob[];
}

/** Of one batch, and alike in what each task needs: one array can hold them. At most so many each, and so many in all. */
export function gathered(
  loads: readonly Load[],
  { tasks, room }: { readonly tasks: number; readonly room: number },
): Load[][] {
  const groups = new Map<string, Load[]>();
  for (const load of loads.slice(0, Math.max(0, room))) {
    const { batch, cpus } = load.packet;
    const key = `${batch} ${cpus} ${timeOf(load)}`;
    const group = groups.get(key);
    if (group) group.push(load);
    else groups.set(key, [load]);
  }
  return [...groups.values()].flatMap(group => cut(group, tasks));
}

/** The time that all jobs of a task, or of a visit, may take together, in seconds; 0: no limit is known. */
export function timeOf({ jobs }: Pick<Load, 'jobs'>): number {
  return jobs.reduce((sum, { time }) => sum + time, 0);
}

function cut<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let i = 0; i < list.length; i += size) parts.push(list.slice(i, i + size));
  return parts;
}
