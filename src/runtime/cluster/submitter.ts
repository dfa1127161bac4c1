/** The one submitter of a cluster: gathers what visits have packed at about the same time into job arrays, as large as the site takes them. */
import { counted } from '../../counted.ts';
import * as board from '../board.ts';
import type { Arrays } from './arrays.ts';
import type { Desk } from './desk.ts';
import { gathered, type Load, timeOf } from './gather.ts';
import type { ClusterListener } from './listener.ts';
import type { Pace } from './pace.ts';
import type { Packet } from './packet.ts';
import { Room } from './room.ts';
import { newArrayName, type Sent, send } from './send.ts';
import { type Site, seconds } from './site.ts';

type Refused = Extract<Sent, { kind: 'refused' }>;

/** Seconds. Visits that have packed at about the same time go together. */
const GATHER = { quiet: 0.15, longest: 1 };
/** Seconds before a scheduler that did not answer, or had no room, is spoken with again. */
const AGAIN = { busy: 5, full: 2 };

export class Submitter {
  private readonly site: Site;
  private readonly arrays: Arrays;
  private readonly desk: Desk;
  private readonly pace: Pace;
  private readonly listener: ClusterListener;
  private readonly room: Room;
  /** See `askedBy`. */
  private readonly refusals = new Set<string>();
  private loads: Load[] = [];
  private firstLoad = 0;
  private lastLoad = 0;
  private retryAt = 0;
  private hasToldArrays = false;
  private fullInARow = 0;

  constructor(site: Site, arrays: Arrays, desk: Desk, pace: Pace, listener: ClusterListener) {
    this.site = site;
    this.arrays = arrays;
    this.desk = desk;
    this.pace = pace;
    this.listener = listener;
    this.room = new Room(site.resource.maxJobs, site.limits);
    this.loads = desk.unsent();
  }

  /** How many visits make sense at once. */
  get slots(): number {
    return Math.max(1, this.room.limit(seconds()));
  }

  /** When there is something to hand over, as far as is known. */
  get next(): number {
    return this.loads.length > 0 && !this.isFull() ? this.readyAt() : Number.POSITIVE_INFINITY;
  }

  /** Takes what visits have packed since. */
  take(): void {
    const now = seconds();
    this.loads = this.loads.filter(load => this.desk.isOpen(load));
    const fresh = this.desk.take();
    if (fresh.length === 0) return;
    if (this.loads.length === 0) this.firstLoad = now;
    this.lastLoad = now;
    this.loads.push(...fresh);
  }

  private readyAt(): number {
    const gatheredAt = Math.min(this.lastLoad + GATHER.quiet, this.firstLoad + GATHER.longest);
    return Math.max(this.retryAt, gatheredAt);
  }

  /** How many tasks more may be in the queue. */
  private space(): number {
    return this.room.limit(seconds()) - this.arrays.outstanding().length;
  }

  private isFull(): boolean {
    return this.space() <= 0 || this.arrays.open.size >= this.room.arrays;
  }

  /** Hands over one array, if it is time for that. */
  async submit(): Promise<void> {
    if (seconds() < this.next) {
      if (this.loads.length > 0 && this.arrays.open.size >= this.room.arrays) this.tellArrays();
      return;
    }
    const [group] = gathered(this.loads, { tasks: this.room.tasks, room: this.space() });
    const [first] = group ?? [];
    if (!group || !first) return;
    if (this.refusals.has(askedBy(first.packet))) this.turnAway(group);
    else await this.handOver(group, first.packet.batch);
  }

  private async handOver(group: readonly Load[], batch: string): Promise<void> {
    const { work, resource } = this.site;
    const name = newArrayName(batch);
    const tasks = group.map(({ jobs }) => jobs.map(({ n, job, meaning }) => ({ n, job, meaning })));
    const claims = group.map(({ packet, jobs }) => jobs.map(({ n }) => ({ packet, n })));
    const array = this.arrays.send({ name, work, batch, tasks }, claims, seconds());
    this.loads = this.loads.filter(load => !group.includes(load));
    this.listener.count('submissions');
    const sent = await send(this.site, name, group);
    this.pace.stir(seconds());
    if (sent.kind === 'refused') {
      this.arrays.drop(name);
      this.refused(sent, group);
      return;
    }
    this.fullInARow = 0;
    if (sent.kind === 'taken') {
      this.arrays.learnId(name, sent.id);
      this.room.taken();
      board.tellHad(
        resource.name,
        group.flatMap(({ packet }) => packet.marks),
      );
    } else
      this.listener.say(
        `note    ${resource.name}: no answer to a submission (${sent.words}): looking for it by its name`,
      );
    group.forEach((load, i) => {
      const task = array.tasks[i];
      if (task) this.desk.sent(load, task);
    });
  }

  /** Once. */
  private tellArrays(): void {
    if (this.hasToldArrays) return;
    this.hasToldArrays = true;
    const arrays = `${counted(this.room.arrays, 'array')} of ${counted(this.room.tasks, 'task')}`;
    this.listener.say(
      `note    ${this.site.resource.name}: the site allows ${arrays} at once: the others wait`,
    );
  }

  /** Their visits look elsewhere. */
  private turnAway(group: readonly Load[]): void {
    this.loads = this.loads.filter(load => !group.includes(load));
    for (const load of group) this.desk.refuse(load, 'refused');
  }

  private refused({ why, words }: Refused, group: readonly Load[]): void {
    const now = seconds();
    // There are no smaller arrays than of one task.
    if (why === 'no' || (why === 'large' && group.length === 1)) {
      this.bar(words, group);
      return;
    }
    this.loads = [...group, ...this.loads];
    // Where arrays are counted, those whose results are here count a little longer.
    const isOwnFault = this.arrays.open.size > 0 || this.fullInARow++ < 3;
    if (why === 'busy') this.retryAt = now + AGAIN.busy;
    else if (why === 'full' && Number.isFinite(this.room.arrays) && isOwnFault) {
      this.tellArrays();
      this.retryAt = now + AGAIN.full;
    } else if (!this.shrinks({ why, words }, group.length)) this.sendBack(words, now);
  }

  /** No such jobs are taken in this run. */
  private bar(words: string, group: readonly Load[]): void {
    const { resource, executor } = this.site;
    for (const { packet } of group) {
      const asked = askedBy(packet);
      if (this.refusals.has(asked)) continue;
      this.refusals.add(asked);
      const why = `${executor.title} does not take it: ${words}`;
      const { batch, cpus } = packet;
      board.tellRefused(resource.name, { batch, cpus, time: timeOf(packet), why });
    }
    this.turnAway(group);
  }

  /** True if smaller arrays are to be tried next. */
  private shrinks({ why, words }: Pick<Refused, 'why' | 'words'>, tasks: number): boolean {
    // With nothing else there it can only be the array itself.
    if (why !== 'large' && (tasks === 1 || this.arrays.outstanding().length > 0)) return false;
    const isNews = this.room.tooLarge(tasks);
    if (isNews && why === 'large')
      this.listener.say(
        `note    ${this.site.resource.name}: takes no array of ${tasks} tasks (${words}): trying ${this.room.tasks}`,
      );
    return isNews || why === 'large';
  }

  /** There is no room: the visits may find a place elsewhere meanwhile. */
  private sendBack(words: string, now: number): void {
    const outstanding = this.arrays.outstanding().length;
    if (this.room.full(outstanding, now))
      this.listener.say(
        `note    ${this.site.resource.name}: takes no more than ${counted(outstanding, 'job')} now (${words}): the others wait`,
      );
    this.listener.changed();
    this.listener.full(this.room.patience);
    for (const load of this.loads) this.desk.refuse(load, 'back');
    this.loads = [];
  }
}

/** Of two visits for which this is the same, a scheduler takes both or none. */
function askedBy(packet: Packet): string {
  return `${packet.batch} ${packet.cpus} ${timeOf(packet)}`;
}
