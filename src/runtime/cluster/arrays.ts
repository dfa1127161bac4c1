/** What is known of the jobs that were handed to one cluster, by this run or by one that died: which wait, which have ended, and how. */
import { isGoingOn, type QueuedTask } from '../executors/executor.ts';
import type { End } from './look.ts';
import { type ArrayNote, arraysOf, noteArray, strikeArray } from './notes.ts';
import type { Packet, PacketJob } from './packet.ts';

/** Who waits for a job's result, and under which number. */
export interface Claim {
  readonly packet: Packet;
  readonly n: number;
}

/** A job of a task. */
export interface SentJob {
  readonly n: number;
  readonly job: string;
  readonly meaning: string;
  /** Nobody: it was handed over by a run that is gone. */
  claim: Claim | undefined;
  end: End | undefined;
  /** Nobody needs what is there of it. */
  settled: boolean;
}

/** A task of an array: what one visit, or one that is gone, has packed. */
export interface Task {
  readonly array: SentArray;
  /** From 1. */
  readonly index: number;
  readonly jobs: readonly SentJob[];
  /** What the scheduler said last; undefined: not asked yet. */
  queued: QueuedTask | undefined;
  /** How often in a row it did not know of it, and since when, in seconds. */
  missed: number;
  /** Since when it is over or gone. */
  overSince: number | undefined;
  /** We have taken it out of the queue: a slot was free elsewhere. */
  recalled: boolean;
}

/** An array that the scheduler has, or may have. */
export interface SentArray {
  note: ArrayNote;
  id: string | undefined;
  /** When it was handed over without an answer, in seconds. */
  readonly since: number;
  readonly tasks: readonly Task[];
}

export class Arrays {
  readonly node: string;
  readonly open = new Map<string, SentArray>();

  constructor(node: string) {
    this.node = node;
  }

  /** Takes up what an earlier run has handed over and what lies in this work folder. Notes of others are of no use any more. */
  takeUp(work: string, now: number): void {
    for (const note of arraysOf(this.node)) {
      if (note.work === work) this.add(note, now, () => undefined);
      else strikeArray(this.node, note.name);
    }
  }

  /** One that is about to be handed over; `packets[i]` is its task i + 1. */
  send(note: ArrayNote, packets: readonly (readonly Claim[])[], now: number): SentArray {
    noteArray(this.node, note);
    return this.add(note, now, (task, n) => packets[task]?.find(claim => claim.n === n));
  }

  private add(
    note: ArrayNote,
    since: number,
    claimOf: (task: number, n: number) => Claim | undefined,
  ): SentArray {
    const tasks: Task[] = [];
    const array: SentArray = { note, id: note.id, since, tasks };
    note.tasks.forEach((jobs, i) => {
      const sent = jobs.map(({ n, job, meaning }): SentJob => {
        return { n, job, meaning, claim: claimOf(i, n), end: undefined, settled: false };
      });
      const unknown = { queued: undefined, missed: 0, overSince: undefined };
      tasks.push({ array, index: i + 1, jobs: sent, ...unknown, recalled: false });
    });
    this.open.set(note.name, array);
    return array;
  }

  /** The scheduler has it under this id. */
  learnId(name: string, id: string): void {
    const array = this.open.get(name);
    if (!array || array.id !== undefined) return;
    array.id = id;
    array.note = { ...array.note, id };
    noteArray(this.node, array.note);
  }

  /** It is taken out of the queue: nobody is to look for it there later. */
  recall(task: Task): void {
    const { array, index } = task;
    task.recalled = true;
    const tasks = array.note.tasks.map((jobs, i) => (i === index - 1 ? [] : jobs));
    array.note = { ...array.note, tasks };
    noteArray(this.node, array.note);
  }

  /** It never was, or all of it has come back. */
  drop(name: string): void {
    this.open.delete(name);
    strikeArray(this.node, name);
  }

  tasks(): Task[] {
    return [...this.open.values()].flatMap(({ tasks }) => tasks);
  }

  /** Tasks of which something is still to come. */
  outstanding(): Task[] {
    return this.tasks().filter(({ jobs }) => jobs.some(({ settled, end }) => !settled && end === undefined));
  }

  /** Those that nobody has asked for. */
  unclaimedJobs(): { readonly batch: string; readonly job: string }[] {
    return this.tasks().flatMap(({ array, jobs }) =>
      jobs.flatMap(({ job, claim, settled }) => (claim || settled ? [] : [{ batch: array.note.batch, job }])),
    );
  }

  /** One that nobody waits for, of the very same things. */
  unclaimed(batch: string, { job, meaning }: PacketJob): SentJob | undefined {
    for (const { note, tasks } of this.open.values()) {
      if (note.batch !== batch) continue;
      for (const { jobs } of tasks)
        for (const sent of jobs)
          if (!sent.claim && !sent.settled && sent.job === job && sent.meaning === meaning) return sent;
    }
    return undefined;
  }

  /** Which job this result is of. */
  jobOf({ array, task, n }: End): SentJob | undefined {
    return this.open.get(array)?.tasks[task - 1]?.jobs.find(job => job.n === n);
  }

  /** Notes what the scheduler said of all that is ours; true if that is news. Silence is no news. */
  heed(queue: readonly QueuedTask[], now: number): boolean {
    const single = new Map(queue.map(each => [`${each.name} ${each.task ?? ''}`, each]));
    let news = false;
    for (const each of queue) this.learnId(each.name, each.id);
    for (const task of this.tasks()) {
      const { name } = task.array.note;
      const found = single.get(`${name} ${task.index}`) ?? single.get(`${name} `);
      if (found?.state !== task.queued?.state) news = true;
      if (found) task.queued = found;
      task.missed = found ? 0 : task.missed + 1;
      const over = found ? !isGoingOn(found) : task.missed >= 2;
      task.overSince = over ? (task.overSince ?? now) : undefined;
    }
    return news;
  }
}
