/** Judges jobs that have left no result, or that a signal has ended: the scheduler may have a word for that. */
import { runScript } from '../script.ts';
import type { Arrays, SentJob, Task } from './arrays.ts';
import type { Desk } from './desk.ts';
import { evidenceOf } from './evidence.ts';
import type { Pace } from './pace.ts';
import type { Site } from './site.ts';
import { verdictOf } from './verdict.ts';

/** Seconds. What a task leaves may show a little after its end. */
const GRACE = 2;

export class Judge {
  private readonly site: Site;
  private readonly arrays: Arrays;
  private readonly desk: Desk;
  private readonly pace: Pace;

  constructor(site: Site, arrays: Arrays, desk: Desk, pace: Pace) {
    this.site = site;
    this.arrays = arrays;
    this.desk = desk;
    this.pace = pace;
  }

  /** After each look for results. `now`: in seconds. */
  async look(now: number): Promise<void> {
    this.putInItsWords();
    await this.judgeOver(now);
  }

  /** A job that a signal has ended: the scheduler may have a word for that. */
  private putInItsWords(): void {
    for (const { queued, jobs, recalled } of this.arrays.tasks()) {
      if (queued?.state !== 'killed' || recalled) continue;
      const signalled = jobs.filter(job => job.claim && job.end && job.end.code > 128);
      for (const job of signalled)
        if (this.desk.hasLog(job)) this.desk.judge(job, { kind: 'killed', words: queued.words });
    }
  }

  /** Tasks that are over and have left jobs without a result. */
  private async judgeOver(now: number): Promise<void> {
    const over = this.arrays
      .tasks()
      .filter(
        task => task.array.id !== undefined && task.overSince !== undefined && now - task.overSince >= GRACE,
      )
      .filter(({ jobs }) => jobs.some(job => isUnheard(job) && !this.desk.isJudged(job)))
      .filter(({ jobs }) => jobs.every(job => this.desk.hasLog(job)));
    // What is over may show its results at the very next look.
    if (this.arrays.tasks().some(task => task.overSince !== undefined && task.jobs.some(isUnheard)))
      this.pace.stir(now);
    if (over.length === 0) return;
    const evidence = await evidenceOf(this.site, over);
    if (!evidence) return;
    for (const [task, found] of evidence) {
      const ran = task.jobs.find(isUnfinished);
      if (task.recalled && !found.started) this.giveBack(task);
      for (const job of task.jobs.filter(isUnheard)) {
        if (job.claim) this.desk.judge(job, verdictOf(found, job === ran));
        else job.settled = true;
      }
    }
    await this.release([...evidence.keys()].filter(({ queued }) => queued?.state === 'stuck'));
  }

  /** It has not begun, so its visit looks for another place. */
  private giveBack({ jobs }: Task): void {
    const [claim] = jobs.flatMap(job => job.claim ?? []);
    for (const job of jobs) job.settled = true;
    if (claim) this.desk.refuse({ packet: claim.packet, jobs: [] }, 'back');
  }

  /** What the scheduler holds back until somebody looks at it would be in its queue for ever. */
  private async release(stuck: readonly Task[]): Promise<void> {
    const { transport, executor } = this.site;
    const ids = stuck.map(({ array, index }) => executor.taskId(`${array.id}`, index));
    if (ids.length > 0) await runScript(transport, `${executor.cancel(ids)} || :`);
  }
}

/** Its task has left no result of it, or a part. */
function isUnfinished({ end }: SentJob): boolean {
  return end === undefined || end.note === 'ended';
}

/** The same, and somebody is still to be told of it. */
export function isUnheard(job: SentJob): boolean {
  return !job.settled && isUnfinished(job);
}
