/** What whoever has a cluster served is told meanwhile. */
import type { Listener } from '../attended.ts';

/** Beside what every node tells. */
export interface ClusterListener extends Listener {
  /** It has no room: no more jobs for so many seconds. */
  readonly full: (seconds: number) => void;
  /** Another one was made. */
  readonly count: (what: 'submissions' | 'queries') => void;
  /** So many tasks wait in its queue. */
  readonly waiting: (tasks: number) => void;
}
