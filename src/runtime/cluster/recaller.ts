/** Takes tasks out of the queue again that have not begun while a host that could do them has slots to spare. */
import * as board from '../board.ts';
import { runScript } from '../script.ts';
import type { Arrays, Task } from './arrays.ts';
import type { ClusterListener } from './listener.ts';
import type { Packet } from './packet.ts';
import type { Site } from './site.ts';

/** Seconds. A visit that waits for a slot takes it sooner; and a queue may only have been slow. */
const IDLE = 3;
const WAITED = 10;
/** Until what was recalled has arrived. */
const ON_ITS_WAY = 10;

export class Recaller {
  private readonly site: Site;
  private readonly arrays: Arrays;
  private readonly listener: ClusterListener;
  private readonly slots: string;
  /** Hosts: since when they have had slots that nobody takes. */
  private readonly since = new Map<string, number>();

  private hasTold = false;

  /** `slots`: the folder that locks lie in. */
  constructor(site: Site, arrays: Arrays, listener: ClusterListener, slots: string) {
    this.site = site;
    this.arrays = arrays;
    this.listener = listener;
    this.slots = slots;
  }

  /** After each answer of the scheduler. `now`: in seconds. True if it has taken out any. */
  async look(now: number): Promise<boolean> {
    const { transport, executor, resource } = this.site;
    const due = this.due(now);
    const ids = due.flatMap(({ array, index }) =>
      array.id === undefined ? [] : [executor.taskId(array.id, index)],
    );
    if (ids.length === 0) return false;
    for (const task of due) this.arrays.recall(task);
    if (!this.hasTold)
      this.listener.say(`note    ${resource.name}: what waits there goes to slots that are free elsewhere`);
    this.hasTold = true;
    await runScript(transport, `${executor.cancel(ids)} || :`);
    return true;
  }

  /** The last in the queue first: the others may begin sooner. */
  private due(now: number): Task[] {
    const tasks = this.arrays.tasks();
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
