/** Why a node that is up gets no jobs for a while: visits have put it aside, or whoever sits there needs it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Transport } from '../transport/transport.ts';
import * as board from './board.ts';

/** Seconds before a node that visits have put aside gets jobs again. */
const STEPS = [2, 5, 15, 30, 60];

export interface RestOptions {
  /** What is wrong with the node, although it answers. */
  readonly fault: () => Promise<string | undefined>;
  readonly say: (line: string) => void;
  readonly abort: AbortSignal;
}

/** What is asked of a node about that. */
interface Rested {
  readonly name: string;
  readonly maxLoad?: number;
}

/** From the node's coming up until it is lost or the run is over. */
export class Rest {
  private readonly node: Rested;
  private readonly options: RestOptions;
  private reason: 'visits' | 'load' | undefined;
  private times = 0;

  constructor(node: Rested, options: RestOptions) {
    this.node = node;
    this.options = options;
  }

  /** Jobs are lost there, so nobody should count on it. */
  get isUnusable(): boolean {
    return this.reason === 'visits';
  }

  /** Visits put a node aside when they have lost three times in a row there. It is looked at, and gets jobs again after a while. */
  async look(): Promise<void> {
    const { name } = this.node;
    const { say, fault, abort } = this.options;
    if (this.reason !== undefined || !board.isAside(name)) return;
    this.reason = 'visits';
    let why: string | undefined = 'jobs were lost there';
    while (why !== undefined) {
      const seconds = backOff(STEPS, this.times++);
      say(`aside   ${name}: ${why}; trying again in ${seconds} s`);
      await wait(seconds * 1000, undefined, { signal: abort }).catch(() => {});
      if (abort.aborted) return;
      why = await fault();
      if (abort.aborted) return;
    }
    this.reason = undefined;
    board.takeBack(name);
  }

  /** It has no room: no more jobs for so many seconds. */
  pause(seconds: number): void {
    const { name } = this.node;
    if (this.reason !== undefined || this.options.abort.aborted) return;
    this.reason = 'load';
    board.putAside(name);
    const end = () => {
      this.reason = undefined;
      if (!this.options.abort.aborted) board.takeBack(name);
    };
    setTimeout(end, seconds * 1000).unref();
  }

  /** Gets the load of the last minute. */
  takeLoad(load: number): void {
    const { name, maxLoad } = this.node;
    if (maxLoad === undefined || this.options.abort.aborted) return;
    if (load > maxLoad && this.reason === undefined && !board.isAside(name)) {
      this.reason = 'load';
      board.putAside(name);
    } else if (load <= maxLoad && this.reason === 'load') {
      this.reason = undefined;
      board.takeBack(name);
    }
  }
}

/** Aborted when the connection is lost. */
export function lossOf({ lost }: Pick<Transport, 'lost'>): AbortSignal {
  const loss = new AbortController();
  void lost.then(() => loss.abort());
  return loss.signal;
}

/** With some chance in it, so that many nodes do not come at once. */
export function backOff(steps: readonly number[], n: number): number {
  const step = steps[Math.min(n, steps.length - 1)] ?? 60;
  return Math.max(1, Math.round(step * (0.8 + 0.4 * Math.random())));
}
