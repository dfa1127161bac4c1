/** Where visits and results of one cluster meet: who waits for what, and who has been told what. */
import { join } from 'node:path';
import * as board from '../board.ts';
import type { Arrays, SentJob, Task } from './arrays.ts';
import type { Load } from './gather.ts';
import type { End } from './look.ts';
import { answer, isAwaited, type Packet, packetsIn } from './packet.ts';
import type { Verdict } from './verdict.ts';

interface Open {
  readonly packet: Packet;
  /** By the numbers of the visit, in its order; undefined until it was sent. */
  readonly jobs: Map<number, SentJob | undefined>;
  /** Nothing more is to be said to it. */
  answered: boolean;
  /** Lines for which its FIFO had no room. */
  unsaid: string[];
}

export class Desk {
  private readonly arrays: Arrays;
  readonly slots: string;
  private readonly spool: string;
  private readonly open = new Map<string, Open>();
  private readonly fetched = new Set<SentJob>();
  private readonly verdicts = new Map<SentJob, Verdict>();

  /** `slots`: the folder that holds the FIFOs of visits; `spool`: the one that their orders lie in. */
  constructor(arrays: Arrays, { slots, spool }: { readonly slots: string; readonly spool: string }) {
    this.arrays = arrays;
    this.slots = slots;
    this.spool = spool;
  }

  /** Takes new orders, and notes which visits have ended; what has to be sent for the new ones. */
  take(): Load[] {
    const now = new Map(packetsIn(this.spool).map(packet => [packet.word, packet]));
    for (const [word, open] of this.open)
      if (!now.has(word) || !isAwaited(open.packet)) this.close(word, open, !now.has(word));
    const loads: Load[] = [];
    for (const [word, packet] of now) {
      if (this.open.has(word) || !isAwaited(packet)) continue;
      const jobs = new Map<number, SentJob | undefined>();
      this.open.set(word, { packet, jobs, answered: false, unsaid: [] });
      for (const job of packet.jobs) {
        const sent = this.arrays.unclaimed(packet.batch, job);
        if (sent) sent.claim = { packet, n: job.n };
        board.forgetAttachedJob(packet.batch, job.job);
        jobs.set(job.n, sent);
      }
      const missing = packet.jobs.filter(({ n }) => !jobs.get(n));
      if (missing.length > 0) loads.push({ packet, jobs: missing });
    }
    return loads;
  }

  /** What was taken and not handed over yet: by somebody who lost the connection. */
  unsent(): Load[] {
    return [...this.open.values()].flatMap(({ packet, jobs, answered }) => {
      const missing = answered ? [] : packet.jobs.filter(({ n }) => !jobs.get(n));
      return missing.length > 0 ? [{ packet, jobs: missing }] : [];
    });
  }

  /** The visit of these still waits for them. */
  isOpen({ packet }: Load): boolean {
    const open = this.open.get(packet.word);
    return open !== undefined && !open.answered;
  }

  /** They were handed over as this task. */
  sent({ packet }: Load, task: Task): void {
    const open = this.open.get(packet.word);
    for (const job of task.jobs) if (job.claim) open?.jobs.set(job.claim.n, job);
  }

  /** Ends the waiting of whoever has packed these: `back`: there is no place for them now; `refused`: nor will there be; `lost`: in vain. */
  refuse({ packet }: Load, line: string): void {
    const open = this.open.get(packet.word);
    if (!open || open.answered) return;
    open.answered = true;
    this.say(open, line);
  }

  /** The same for all of them. */
  refuseAll(line: string): void {
    for (const { packet } of this.open.values()) this.refuse({ packet, jobs: [] }, line);
  }

  /** Results that somebody waits for and that are still to be fetched: each with the file that it goes to. */
  wanted(): { readonly job: SentJob; readonly end: End; readonly to: string }[] {
    return [...this.open.values()].flatMap(({ packet, jobs, answered }) =>
      answered
        ? []
        : [...jobs].flatMap(([n, job]) =>
            job?.end && !this.fetched.has(job) && !this.verdicts.has(job)
              ? [{ job, end: job.end, to: join(packet.base, `${n}.tar`) }]
              : [],
          ),
    );
  }

  /** The largest result that is taken for this job, in bytes. */
  mostOf(job: SentJob): number {
    return job.claim?.packet.most ?? Number.POSITIVE_INFINITY;
  }

  hasFetched(job: SentJob): void {
    this.fetched.add(job);
  }

  /** There is another result of it than the one that was fetched. */
  hasToFetch(job: SentJob): void {
    this.fetched.delete(job);
  }

  /** All that it has left, its log above all, is here as far as somebody waits for it. */
  hasLog(job: SentJob): boolean {
    return !job.end || !job.claim || this.fetched.has(job) || this.verdicts.has(job);
  }

  judge(job: SentJob, verdict: Verdict): void {
    this.verdicts.set(job, verdict);
  }

  isJudged(job: SentJob): boolean {
    return this.verdicts.has(job);
  }

  /** Says all that can be said by now, to each visit in the order of its jobs. `isDue`: nothing more is to be heard of the job. */
  tell(isDue: (job: SentJob) => boolean): void {
    for (const open of this.open.values()) {
      this.say(open);
      if (open.answered) continue;
      let left = open.jobs.size;
      for (const [n, job] of open.jobs) {
        if (!job) break;
        if (job.settled) {
          left--;
          continue;
        }
        const line = isDue(job) ? this.lineOf(n, job) : undefined;
        if (line === undefined) break;
        this.say(open, line);
        job.settled = true;
        left--;
        if (line.startsWith('lost ')) left = 0;
      }
      if (left === 0) open.answered = true;
    }
  }

  /** A line, after those that were left: a visit with many jobs reads more slowly than they may be known. */
  private say(open: Open, ...lines: readonly string[]): void {
    const all = [...open.unsaid, ...lines];
    const at = all.findIndex(line => !answer(this.slots, open.packet, line));
    open.unsaid = at < 0 ? [] : all.slice(at);
  }

  /** Nothing of it can come any more. */
  private lineOf(n: number, job: SentJob): string | undefined {
    const verdict = this.verdicts.get(job);
    if (verdict?.kind === 'lost') return `lost ${verdict.words}`;
    const { end } = job;
    if (verdict) {
      const figures = end && this.fetched.has(job) ? `${end.code} ${end.elapsed} ${end.spent}` : '0 0 0';
      return `end ${n} ${figures} killed ${verdict.words}`;
    }
    if (!end || !this.fetched.has(job) || end.note === 'ended') return undefined;
    return `end ${n} ${end.code} ${end.elapsed} ${end.spent} ${end.note}`;
  }

  /** `done`: the visit has finished with it, and not only died. */
  private close(word: string, { jobs }: Open, done: boolean): void {
    this.open.delete(word);
    for (const job of jobs.values()) {
      if (!job) continue;
      // A result that was told to somebody who died before he could publish it is told to the next who asks.
      if (!done) job.settled = false;
      if (this.verdicts.has(job)) job.settled = true;
      job.claim = undefined;
      this.fetched.delete(job);
    }
  }
}
