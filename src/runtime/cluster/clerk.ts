/** Serves the queue of one cluster as long as the connection lasts: hands over, looks, and tells the visits. */
import type { Arrays } from './arrays.ts';
import type { Desk } from './desk.ts';
import type { ClusterListener } from './listener.ts';
import { Pace } from './pace.ts';
import { Poller } from './poller.ts';
import { type Site, seconds } from './site.ts';
import { Submitter } from './submitter.ts';

export class Clerk {
  private readonly arrays: Arrays;
  private readonly desk: Desk;
  private readonly listener: ClusterListener;
  private readonly submitter: Submitter;
  private readonly poller: Poller;

  constructor(site: Site, arrays: Arrays, desk: Desk, listener: ClusterListener) {
    const pace = new Pace(seconds());
    this.arrays = arrays;
    this.desk = desk;
    this.listener = listener;
    this.submitter = new Submitter(site, arrays, desk, pace, listener);
    this.poller = new Poller(site, arrays, desk, pace, listener);
  }

  /** How many visits make sense at once. */
  get slots(): number {
    return this.submitter.slots;
  }

  /** Does what there is to do now. Returns in how many seconds there is something to do again, or why the cluster is out of reach. */
  async turn(): Promise<number | { readonly why: string }> {
    this.submitter.take();
    await this.submitter.submit();
    const trouble = await this.poller.look();
    if (trouble) return trouble;
    this.desk.tell(job => this.poller.isDue(job));
    this.listener.waiting(
      this.arrays.outstanding().filter(({ queued }) => queued?.state !== 'running').length,
    );
    const next = Math.min(this.submitter.next, this.poller.next);
    return Math.min(1, Math.max(0.02, next - seconds()));
  }
}
