/** The one poller of a cluster: looks what has become of the arrays, and brings results. */
import { runScript } from '../script.ts';
import type { Arrays, SentArray, SentJob } from './arrays.ts';
import type { Desk } from './desk.ts';
import { FETCHED_AT_ONCE, fetch } from './fetch.ts';
import { isUnheard, Judge } from './judge.ts';
import type { ClusterListener } from './listener.ts';
import { type End, look, type Seen } from './look.ts';
import type { Pace } from './pace.ts';
import { Recaller } from './recaller.ts';
import { arrayPrefix, type Site, seconds } from './site.ts';
import { Waiting } from './waiting.ts';

/** Seconds. After that long nobody will hear of a submission any more whose answer was lost, unless it is in the queue. */
const UNSURE = 15;
/** A job that a signal has ended: so long it is waited for what the scheduler has to say of it. */
const WORDS = 5;

export class Poller {
  private readonly site: Site;
  private readonly arrays: Arrays;
  private readonly desk: Desk;
  private readonly pace: Pace;
  private readonly listener: ClusterListener;
  private readonly endedAt = new Map<SentJob, number>();
  private readonly judge: Judge;
  private readonly recaller: Recaller;
  private readonly waiting: Waiting;
  private forget: string[] = [];

  constructor(site: Site, arrays: Arrays, desk: Desk, pace: Pace, listener: ClusterListener) {
    this.site = site;
    this.arrays = arrays;
    this.desk = desk;
    this.pace = pace;
    this.listener = listener;
    this.judge = new Judge(site, arrays, desk, pace);
    this.recaller = new Recaller(site, arrays, listener, desk.slots);
    this.waiting = new Waiting(site, listener);
  }

  /** When to look again, as far as is known. */
  get next(): number {
    return this.arrays.open.size > 0 ? this.pace.nextFiles : Number.POSITIVE_INFINITY;
  }

  /** Looks, if it is time for that. Why the cluster is out of reach, if it is. */
  async look(): Promise<{ readonly why: string } | undefined> {
    if (seconds() < this.next) return undefined;
    const { transport, executor, work } = this.site;
    const asked = seconds() >= this.pace.nextQueue;
    const open = [...this.arrays.open.values()];
    const unsure = open.filter(({ id }) => id === undefined).map(({ note }) => note.name);
    this.tidy();
    const forget = this.forget.splice(0);
    if (asked) this.listener.count('queries');
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
    await this.fetch();
    await this.judge.look(now);
    if (asked) {
      await this.waiting.look(this.arrays.tasks(), now);
      if (await this.recaller.look(now)) this.pace.stir(now);
    }
    await this.settleUnsure(seen, now);
    return undefined;
  }

  private heed({ ends, ids, queue }: Seen, now: number): void {
    for (const [name, id] of ids) this.arrays.learnId(name, id);
    if (queue && this.arrays.heed(queue, now)) this.pace.stir(now);
    for (const end of ends) {
      const job = this.arrays.jobOf(end);
      // What a scheduler has put back into its queue begins again.
      if (!job || (job.end && (job.end.note !== 'ended' || end.note === 'ended'))) continue;
      if (job.end) this.desk.hasToFetch(job);
      job.end = end;
      this.endedAt.set(job, now);
      this.pace.stir(now);
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
      const { name } = array.note;
      // Only then is nobody told to run its jobs elsewhere too early.
      const folder = `${this.site.work}/arrays/${name}`;
      const { ok } = await runScript(this.site.transport, `rm -rf -- '${folder}' '${folder}.new'`);
      if (!ok) continue;
      this.arrays.drop(name);
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

  /** Nothing more is to be heard of the job. */
  isDue(job: SentJob): boolean {
    if (this.desk.isJudged(job) || !job.end || job.end.code <= 128) return true;
    return seconds() - (this.endedAt.get(job) ?? 0) >= WORDS;
  }
}

const pathOf = ({ array, task, n }: End) => `${array}/${task}/${n}`;

function hasMore({ tasks }: Pick<SentArray, 'tasks'>): boolean {
  return tasks.some(({ jobs }) => jobs.some(isUnheard));
}
