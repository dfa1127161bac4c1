/** How much a site takes: what it says, what the grid file says, and what its refusals have taught. */
import type { Limits } from '../executors/executor.ts';

/** More visits than this would burden the machine that waits for them. */
const MOST = 2000;
/** Seconds before more is tried again than a site took last. */
const PATIENCE = [5, 10, 20, 40, 60];

export class Room {
  /** Arrays in the queue at once. */
  readonly arrays: number;
  private readonly jobs: number;
  private largest: number;
  private ceiling: number | undefined;
  private until = 0;
  private refusals = 0;

  constructor(maxJobs: number, limits: Limits) {
    this.jobs = Math.min(maxJobs, MOST);
    this.arrays = limits.arrays ?? Number.POSITIVE_INFINITY;
    this.largest = Math.max(1, limits.tasks ?? Number.POSITIVE_INFINITY);
  }

  /** Tasks of one array. */
  get tasks(): number {
    return this.largest;
  }

  /** Tasks in the queue at once: as many as it took last, and after a while a try with more. */
  limit(now: number): number {
    if (this.ceiling === undefined) return this.jobs;
    if (now >= this.until) this.raise(now);
    return Math.min(this.ceiling, this.jobs);
  }

  /** An array of so many tasks was too large; true if that is news. */
  tooLarge(tasks: number): boolean {
    const smaller = Math.max(1, Math.floor(tasks / 2));
    if (smaller >= this.largest) return false;
    this.largest = smaller;
    return true;
  }

  /** No more than these were taken; true the first time. */
  full(outstanding: number, now: number): boolean {
    const isNews = this.ceiling === undefined;
    this.ceiling = Math.max(1, outstanding);
    this.until = now + this.patience;
    this.refusals++;
    return isNews;
  }

  /** An array was taken. */
  taken(): void {
    this.refusals = 0;
  }

  private raise(now: number): void {
    this.ceiling = 2 * (this.ceiling ?? 1);
    this.until = now + this.patience;
  }

  /** Seconds until it makes sense to try again. */
  get patience(): number {
    return PATIENCE[Math.min(this.refusals, PATIENCE.length - 1)] ?? 60;
  }
}
