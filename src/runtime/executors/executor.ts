/** How a scheduler is spoken with. What differs from one to the next is data and a few functions; all the rest of the runtime does not ask which it is. */
import type { ClusterResource } from '../../grid/model.ts';

/** One scheduler. What is shell runs on the login node; what reads lines passes over those that it does not know. */
export interface Executor {
  /** As people call it. */
  readonly title: string;
  /** Programs that the machine must have on which jobs are submitted. */
  readonly programs: readonly string[];
  /** What the scheduler and the script itself print goes to a file of this name in the task's folder. */
  readonly log: string;
  /** How lines of a script begin that the scheduler reads. */
  readonly directive: string;
  /** Shell that says what the site allows; what it prints is read by `limitsIn`. */
  readonly limits: string;
  readonly limitsIn: (lines: readonly string[]) => Limits;
  /** The words that hand an array to the scheduler, but for the script and its argument. */
  readonly submission: (array: ArrayWish) => readonly string[];
  /** The id among what it answered. */
  readonly idIn: (answer: readonly string[]) => string | undefined;
  /** What a refusal means. */
  readonly refusalIn: (answer: string) => Refusal;
  /** A line of a refusal that says nothing. */
  readonly idle?: RegExp;
  /** Shell that lists all tasks of the user whose names begin with `prefix`: one query, however many there are. */
  readonly queue: (prefix: string) => string;
  readonly tasksIn: (lines: readonly string[]) => readonly QueuedTask[];
  /** Reasons for which a task waits for ever. */
  readonly hopeless?: RegExp;
  /** Shell that says why an array waits, in a line, where the queue itself does not. */
  readonly whyWaiting?: (id: string) => string;
  /** Shell that says how these tasks ended, where the queue does not know any more; absent: nobody knows. */
  readonly ends?: (ids: readonly string[]) => string;
  readonly endsIn?: (lines: readonly string[]) => readonly QueuedTask[];
  /** The id of one task of an array. */
  readonly taskId: (array: string, task: number) => string;
  /** Shell that cancels arrays or tasks by their ids. */
  readonly cancel: (ids: readonly string[]) => string;
}

/** What a site says of itself; absent: nothing. */
export interface Limits {
  /** Tasks of one array. */
  readonly tasks?: number;
  /** Arrays that one user may have in the queue. */
  readonly arrays?: number;
  /** It can tell at once that it could never run what is asked for. */
  readonly foresees?: boolean;
}

/** A job array that is to be submitted. */
export interface ArrayWish {
  /** Which is how it is found again. */
  readonly name: string;
  readonly tasks: number;
  /** Absolute path of the array's folder; task i has the folder i in it. */
  readonly folder: string;
  readonly cpus: number;
  /** Of a task, in seconds; 0: the batch says none. */
  readonly time: number;
  /** Native options of the resource: they count where the batch says nothing. */
  readonly options: Readonly<Record<string, string>>;
  readonly batch: BatchWish;
  /** See `Limits`. */
  readonly foresees: boolean;
}

/** What a batch asks for, and how its script says that: what stands on the command line comes before that. */
export interface BatchWish {
  /** Of its largest job. */
  readonly cpus: number;
  /** Of a job, in MiB and in seconds; 0: unsaid. */
  readonly mem: number;
  readonly time: number;
  /** Names of the native options that it sets itself. */
  readonly own: readonly string[];
  /** The words of the script's directives, in their order. */
  readonly words: readonly string[];
}

/** `full`: no more for now; `large`: not so many at once; `busy`: it did not answer; `no`: never so. */
export type Refusal = 'full' | 'large' | 'busy' | 'no';

/** `killed`: the job is to blame, or whoever ended it; `lost`: nobody is, and it may run elsewhere. */
export type State = 'waiting' | 'running' | 'over' | 'killed' | 'lost' | 'stuck';

/** What a scheduler says of a task, or of an array of which nothing has begun. */
export interface QueuedTask {
  readonly name: string;
  readonly id: string;
  /** Its place in the array, from 1; undefined: all of it. */
  readonly task: number | undefined;
  readonly state: State;
  /** The scheduler's own: `TIMEOUT`, `NODE_FAIL`, `Eqw`. */
  readonly words: string;
  /** Why it waits, if the queue says so: `Priority`, `Resources`. */
  readonly reason?: string;
}

/** It may still begin, or end by itself: not what is over, and not what is stuck until somebody looks at it. */
export function isGoingOn({ state }: Pick<QueuedTask, 'state'>): boolean {
  return state === 'waiting' || state === 'running';
}

/** Names of schedulers, as the grid file has them. */
export type SchedulerKind = ClusterResource['kind'];
