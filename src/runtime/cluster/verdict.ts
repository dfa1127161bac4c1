/** What became of jobs whose task is over and that left no result, in the scheduler's own words. */
import { isGoingOn, type QueuedTask, type State } from '../executors/executor.ts';

/** What its visit is told of a job. */
export type Verdict =
  /** Whoever asked for the job, or the job itself, is to blame: it has failed. */
  | { readonly kind: 'killed'; readonly words: string }
  /** It may run elsewhere. */
  | { readonly kind: 'lost'; readonly words: string };

export interface Evidence {
  /** What the scheduler said of the task at last. */
  readonly queued: QueuedTask | undefined;
  /** The last lines of its log. */
  readonly log: readonly string[];
  /** The task had begun. */
  readonly started: boolean;
  /** We ourselves have ended it. */
  readonly recalled: boolean;
}

/** `first`: it is the first of its task without a result, so it was the one that ran. */
export function verdictOf(evidence: Evidence, first: boolean): Verdict {
  if (evidence.recalled) return { kind: 'lost', words: 'it began when it was just taken out of the queue' };
  const { state, words } = judged(evidence);
  const cancelled = /^CANCELLED(?!.* DUE TO )|assumedly after job/.test(words);
  // What a time limit ended is one job; what a person ended is all of the task.
  if (state === 'killed' && (cancelled || (first && evidence.started))) return { kind: 'killed', words };
  const log = evidence.log.at(-1);
  return { kind: 'lost', words: state === 'over' && log !== undefined ? `${words}: ${log}` : words };
}

/** It took more than it had asked for; the queue may say no more than `FAILED`. */
const MEMORY = /exceeded .*memory limit|oom.kill event/i;

/** In the queue's words, or in those of the task's log where the queue has forgotten it. */
function judged({ queued, log, started }: Evidence): { readonly state: State; readonly words: string } {
  const memory = log.findLast(line => MEMORY.test(line))?.replace(/^slurmstepd\S*: (error: )?/, '');
  if (queued?.state === 'over' && memory !== undefined) return { state: 'killed', words: memory };
  if (queued && !isGoingOn(queued)) return queued;
  for (const line of log.toReversed()) {
    const [, words = ''] =
      /\*\*\* (?:JOB|STEP) \S+ ON \S+ (CANCELLED AT \S+(?: DUE TO .*?)?) \*\*\*/.exec(line) ?? [];
    if (words === '') continue;
    const lost = /NODE FAILURE|PREEMPT/.test(words);
    return { state: lost ? 'lost' : 'killed', words };
  }
  if (memory !== undefined) return { state: 'killed', words: memory };
  // No scheduler forgets what it has not begun: somebody has taken it out. Whatever is in its log, it had begun.
  return started || log.length > 0
    ? { state: 'lost', words: 'it is not in the queue any more and has left no result' }
    : { state: 'killed', words: 'CANCELLED: it was taken out of the queue before it began' };
}
