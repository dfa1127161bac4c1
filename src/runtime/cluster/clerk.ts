/** The one submitter and the one poller of a cluster: sends what visits have packed, looks what has become of it, and tells them. */
import { counted } from '../../counted.ts';
import type { ClusterResource } from '../../grid/model.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Executor, Limits } from '../executors/executor.ts';
import type { Arrays, SentJob, Task } from './arrays.ts';
import type { Desk } from './desk.ts';
import { evidenceOf } from './evidence.ts';
import { FETCHED_AT_ONCE, fetch } from './fetch.ts';
import { gathered, type Load } from './gather.ts';
import { type End, look, type Seen } from './look.ts';
import { Pace } from './pace.ts';
import { Room } from './room.ts';
import { arrayPrefix, newArrayName, type Sent, send } from './send.ts';
import { verdictOf } from './verdict.ts';

/** Seconds. Visits that have packed at about the same time go together. */
const GATHER = { quiet: 0.15, longest: 1 };
/** After that long nobody will hear of a submission any more whose answer was lost, unless it is in the queue. */
const UNSURE = 15;
/** What a task leaves may show a little after its end. */
const GRACE = 2;
/** A job that a signal has ended: so long it is waited for what the scheduler has to say of it. */
const WORDS = 5;

export interface Site {
  readonly transport: Transport;
  readonly executor: Executor;
  readonly resource: ClusterResource;
  readonly work: string;
  readonly limits: Limits;
}

export interface Told {
  readonly say: (line: string) => void;
  /** How many jobs it takes at once has changed. */
  readonly changed: () => void;
  /** Submissions or queries were made. */
  readonly count: (what: 'submissions' | 'queries') => void;
}

export class Clerk {
  private readonly site: Site;
  private readonly arrays: Arrays;
  private readonly desk: Desk;
  private readonly told: Told;
  private readonly room: Room;
  private readonly pace = new Pace(seconds());
  private loads: Load[] = [];
  private firstLoad = 0;
  private lastLoad = 0;
  private retryAt = 0;
  private readonly endedAt = new Map<SentJob, number>();
  private forget: string[] = [];

  constructor(site: Site, arrays: Arrays, desk: Desk, told: Told) {
    this.site = site;
    this.arrays = arrays;
    this.desk = desk;
    this.told = told;
    this.room = new Room(site.resource.maxJobs, site.limits);
  }

  /** How many visits make sense at once. */
  get slots(): number {
    return Math.max(1, this.room.limit(seconds()));
  }

  /** Does what there is to do now. Returns in how many seconds there is something to do again, or why the cluster is out of reach. */
  async turn(): Promise<number | { readonly why: string }> {
    this.take();
    if (this.isReady()) {
      const trouble = await this.submit();
      if (trouble) return trouble;
    }
    const now = seconds();
    if (this.arrays.open.size > 0 && now >= this.pace.nextFiles) {
      const trouble = await this.look();
      if (trouble) return trouble;
    }
    this.desk.tell(job => this.isDue(job));
    const next = Math.min(
      this.arrays.open.size > 0 ? this.pace.nextFiles : Number.POSITIVE_INFINITY,
      this.loads.length > 0 ? this.readyAt() : Number.POSITIVE_INFINITY,
    );
    return Math.min(1, Math.max(0.02, next - seconds()));
  }

  private take(): void {
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

  private isReady(): boolean {
    return this.loads.length > 0 && seconds() >= this.readyAt() && this.space() > 0;
  }

  /** How many tasks more may be in the queue. */
  private space(): number {
    return this.room.limit(seconds()) - this.arrays.outstanding().length;
  }

  private async submit(): Promise<{ readonly why: string } | undefined> {
    const [group] = gathered(this.loads, { tasks: this.room.tasks, room: this.space() });
    const [first] = group ?? [];
    if (!group || !first) return undefined;
    const { batch } = first.packet;
    const { work, resource } = this.site;
    const name = newArrayName(batch);
    const tasks = group.map(({ jobs }) =>
      jobs.map(({ n, job, attempt, meaning }) => ({ n, job, attempt, meaning })),
    );
    const claims = group.map(({ packet, jobs }) => jobs.map(({ n }) => ({ packet, n })));
    const array = this.arrays.send({ name, work, batch, tasks }, claims, seconds());
    this.loads = this.loads.filter(load => !group.includes(load));
    this.told.count('submissions');
    const sent = await send(this.site, name, group);
    this.pace.stir(seconds());
    if (sent.kind !== 'refused') {
      if (sent.kind === 'taken') this.arrays.learnId(name, sent.id);
      group.forEach((load, i) => {
        const task = array.tasks[i];
        if (task) this.desk.sent(load, task);
      });
      if (sent.kind === 'unsure')
        this.told.say(
          `note    ${resource.name}: no answer to a submission (${sent.words}): looking for it by its name`,
        );
      return undefined;
    }
    this.arrays.drop(name);
    this.refused(sent, group);
    return undefined;
  }

  private refused({ why, words }: Extract<Sent, { kind: 'refused' }>, group: readonly Load[]): void {
    const { resource, executor } = this.site;
    const now = seconds();
    if (why === 'no') {
      const [
        {
          packet: { batch },
        } = { packet: { batch: '' } },
      ] = group;
      this.told.say(`refused ${batch} on ${resource.name}: ${words}`);
      for (const load of group)
        this.desk.refuse(load, `refused ${executor.title} does not take it: ${words}`);
      return;
    }
    this.loads = [...group, ...this.loads];
    if (why === 'busy') {
      this.retryAt = now + 5;
      return;
    }
    if (why === 'large' || group.length > 1) {
      const isNews = this.room.tooLarge(group.length);
      if (why === 'large') {
        if (isNews)
          this.told.say(
            `note    ${resource.name}: takes no array of ${group.length} tasks (${words}): trying ${this.room.tasks}`,
          );
        return;
      }
      if (isNews) return;
    }
    const outstanding = this.arrays.outstanding().length;
    if (this.room.full(outstanding, now))
      this.told.say(
        `note    ${resource.name}: takes no more than ${counted(outstanding, 'job')} now (${words}): the others wait`,
      );
    this.retryAt = now + 2;
    this.told.changed();
    // Their visits may find a place elsewhere meanwhile.
    const kept = Math.max(0, this.space());
    for (const load of this.loads.slice(kept)) this.desk.refuse(load, 'back');
    this.loads = this.loads.slice(0, kept);
  }

  private async look(): Promise<{ readonly why: string } | undefined> {
    const { transport, executor, work } = this.site;
    const asked = seconds() >= this.pace.nextQueue;
    const open = [...this.arrays.open.values()];
    const unsure = open.filter(({ id }) => id === undefined).map(({ note }) => note.name);
    this.tidy();
    const forget = this.forget.splice(0);
    if (asked) this.told.count('queries');
    const seen = await look(transport, {
      work,
      executor,
      prefix: arrayPrefix(),
      forget,
      arrays: open.filter(hasMore).map(({ note }) => note.name),
      unknown: unsure,
      askQueue: asked,
    });
    const now = seconds();
    if ('why' in seen) {
      this.forget.push(...forget);
      return seen;
    }
    this.pace.looked(now, { queue: asked && seen.queue !== undefined });
    this.heed(seen, now);
    await this.judge(now);
    await this.fetch();
    await this.settleUnsure(seen, now);
    return undefined;
  }

  private heed({ ends, ids, queue }: Seen, now: number): void {
    for (const [name, id] of ids) this.arrays.learnId(name, id);
    if (queue && this.arrays.heed(queue, now)) this.pace.stir(now);
    for (const end of ends) {
      const job = this.arrays.jobOf(end);
      if (!job || job.end) continue;
      job.end = end;
      this.endedAt.set(job, now);
      this.pace.stir(now);
    }
    // A job that a signal has ended: the scheduler may have a word for that.
    for (const { queued, jobs } of this.arrays.tasks())
      for (const job of jobs)
        if (queued?.state === 'killed' && job.claim && job.end && job.end.code > 128)
          this.desk.judge(job, { kind: 'killed', words: queued.words });
  }

  /** Tasks that are over and have left jobs without a result. */
  private async judge(now: number): Promise<void> {
    const over = this.arrays
      .tasks()
      .filter(
        task => task.array.id !== undefined && task.overSince !== undefined && now - task.overSince >= GRACE,
      )
      .filter(({ jobs }) => jobs.some(job => isUnheard(job) && !this.desk.isJudged(job)));
    // What is over may show its results at the very next look.
    if (this.arrays.tasks().some(task => task.overSince !== undefined && task.jobs.some(isUnheard)))
      this.pace.stir(now);
    if (over.length === 0) return;
    const evidence = await evidenceOf(this.site, over);
    if (!evidence) return;
    for (const task of over) {
      const left = task.jobs.filter(isUnheard);
      left.forEach((job, i) => {
        const found = evidence.get(task) ?? { queued: task.queued, log: [], started: true };
        if (job.claim) this.desk.judge(job, verdictOf(found, i === 0));
        else job.settled = true;
      });
    }
  }

  private async fetch(): Promise<void> {
    const { transport, work } = this.site;
    const wanted = this.desk.wanted().slice(0, FETCHED_AT_ONCE);
    const small = wanted.filter(({ job, end }) => {
      if (end.bytes <= this.desk.mostOf(job)) return true;
      this.desk.judge(job, {
        kind: 'killed',
        words: `its result has ${end.bytes} bytes, more than max_output allows`,
      });
      return false;
    });
    if (small.length === 0) return;
    const whole = await fetch(
      transport,
      work,
      small.map(({ end, to }) => ({ from: `${pathOf(end)}.tar`, bytes: end.bytes, to })),
    );
    for (const { job } of small.slice(0, whole)) this.desk.hasFetched(job);
    if (whole > 0) this.pace.stir(seconds());
  }

  /** A submission without an answer that is not in the queue either never was; whatever comes late finds no folder. */
  private async settleUnsure({ queue }: Seen, now: number): Promise<void> {
    for (const array of this.arrays.open.values()) {
      if (array.id !== undefined || !queue || now - array.since < UNSURE) continue;
      if (array.tasks.some(({ missed }) => missed < 2)) continue;
      this.forget.push(array.note.name);
      this.arrays.drop(array.note.name);
      for (const { claim } of array.tasks.flatMap(({ jobs }) => jobs))
        if (claim) this.desk.refuse({ packet: claim.packet, jobs: [] }, 'lost the cluster has not got it');
    }
  }

  /** What nobody needs any more goes: there with the next look, here at once. */
  private tidy(): void {
    for (const { note, tasks } of this.arrays.open.values()) {
      if (!tasks.every(({ jobs }) => jobs.every(({ settled, claim }) => settled && !claim))) continue;
      this.forget.push(note.name);
      this.arrays.drop(note.name);
    }
  }

  private isDue(job: SentJob): boolean {
    if (this.desk.isJudged(job) || !job.end || job.end.code <= 128) return true;
    return seconds() - (this.endedAt.get(job) ?? 0) >= WORDS;
  }
}

export function seconds(): number {
  return performance.now() / 1000;
}

const pathOf = ({ array, task, n }: End) => `${array}/${task}/${n}`;

/** Nothing final has come of it. */
function isUnheard({ settled, end }: SentJob): boolean {
  return !settled && (end === undefined || end.note === 'ended');
}

function hasMore({ tasks }: { readonly tasks: readonly Task[] }): boolean {
  return tasks.some(({ jobs }) => jobs.some(({ settled, end }) => !settled && end === undefined));
}
