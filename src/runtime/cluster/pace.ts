/** How often a cluster is asked: quickly while something is happening, seldom while long jobs wait or run. */

/** Seconds. */
const FILES = { shortest: 0.5, longest: 10 };
const QUEUE = { shortest: 2, longest: 60 };
/** After this part of the time in which nothing has happened, it is looked again. */
const PART = 0.1;

export class Pace {
  private news: number;
  private files = 0;
  private queue = 0;

  constructor(now: number) {
    this.news = now;
  }

  /** Something was submitted, began or ended. */
  stir(now: number): void {
    this.news = now;
  }

  /** Results were looked for; and the scheduler asked, or not. */
  looked(now: number, { queue }: { readonly queue: boolean }): void {
    this.files = now;
    if (queue) this.queue = now;
  }

  /** When to look for results, in the same seconds as `now`. */
  get nextFiles(): number {
    return this.files + this.stretch(FILES);
  }

  /** When to ask the scheduler itself: results show without it, so only what ends without any has to be found. */
  get nextQueue(): number {
    return this.queue + this.stretch(QUEUE);
  }

  private stretch({ shortest, longest }: { readonly shortest: number; readonly longest: number }): number {
    const quiet = Math.max(this.files, this.queue, this.news) - this.news;
    return Math.min(longest, Math.max(shortest, (quiet * PART * shortest) / FILES.shortest));
  }
}
