/** Chooses tasks that are to be taken out of the queue again: they have not begun, and a host that could do them has slots to spare. */
import * as board from '../board.ts';
import type { Task } from './arrays.ts';
import type { Packet } from './packet.ts';

/** Seconds. A visit that waits for a slot takes it sooner; and a queue may only have been slow. */
const IDLE = 3;
const WAITED = 10;
/** Until what was recalled has arrived. */
const ON_ITS_WAY = 10;

export class Recaller {
  private readonly slots: string;
  /** Hosts: since when they have had slots that nobody takes. */
  private readonly since = new Map<string, number>();

  /** `slots`: the folder that locks lie in. */
  constructor(slots: string) {
    this.slots = slots;
  }

  /** The last in the queue first: the others may begin sooner. `now`: in seconds. */
  due(tasks: readonly Task[], now: number): Task[] {
    const waiting = tasks.filter(task => isWaiting(task) && now - task.array.since >= WAITED).reverse();
    if (waiting.length === 0) return [];
    const due: Task[] = [];
    for (const [host, count] of board.freeSlots(this.slots)) {
      if (count === 0) this.since.delete(host);
      else if (!this.since.has(host)) this.since.set(host, now);
      if (count === 0 || now - (this.since.get(host) ?? now) < IDLE) continue;
      const taken = waiting.filter(task => !due.includes(task) && packetOf(task)?.hosts.includes(host));
      due.push(...taken.slice(0, count));
      if (taken.length > 0) this.since.set(host, now + ON_ITS_WAY);
    }
    return due;
  }
}

/** In the queue, for one visit that wants nothing else, and known to have left nothing. */
function isWaiting(task: Task): boolean {
  const { queued, recalled, jobs, array } = task;
  if (recalled || array.id === undefined || queued?.state !== 'waiting') return false;
  return packetOf(task)?.jobs.length === jobs.length && jobs.every(({ end, settled }) => !end && !settled);
}

/** Of the visit that waits for all of it. */
function packetOf({ jobs }: Task): Packet | undefined {
  const packets = new Set(jobs.map(({ claim }) => claim?.packet));
  return packets.size === 1 ? [...packets][0] : undefined;
}
