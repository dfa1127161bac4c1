/** One cluster during a run: brought up, its queue served, brought back when the connection was lost, cleared at the end. */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { counted } from '../../counted.ts';
import type { ClusterResource } from '../../grid/model.ts';
import { shWord } from '../../quote.ts';
import { announce } from '../announce.ts';
import type { Attended, Ending, Listener, Status } from '../attended.ts';
import * as board from '../board.ts';
import { bootstrap, type Ready, type Wishes } from '../bootstrap.ts';
import { type Report, reportOf, takeDown } from '../down.ts';
import type { Limits } from '../executors/executor.ts';
import { EXECUTORS } from '../executors/executors.ts';
import { entriesOf } from '../ledger.ts';
import { type Failure, inWords, live } from '../life.ts';
import { hostOf, loginNodeOf } from '../reach.ts';
import { lossOf, Rest } from '../rest.ts';
import { runScript } from '../script.ts';
import { removeWork } from '../teardown.ts';
import { Arrays } from './arrays.ts';
import { cancelAll } from './cancel.ts';
import { Clerk } from './clerk.ts';
import { Desk } from './desk.ts';
import { arraysOf, strikeArrays } from './notes.ts';
import { arrayPrefix } from './site.ts';

export class AttendedCluster implements Attended {
  readonly resource: ClusterResource;
  status: Status = 'coming';
  private ready: Ready | undefined;
  private clerk: Clerk | undefined;
  private rest: Rest | undefined;
  private living: Promise<void> = Promise.resolve();
  private readonly arrays: Arrays;
  private readonly desk: Desk;
  private readonly spool: string;
  private readonly control: string;
  private readonly wishes: Wishes;
  private readonly listener: Listener;
  private readonly ending = new AbortController();
  private readonly counts = { submissions: 0, queries: 0, waiting: 0 };

  constructor(
    resource: ClusterResource,
    control: string,
    wishes: Omit<Wishes, 'control' | 'abort' | 'say'>,
    listener: Listener,
  ) {
    this.resource = resource;
    this.control = control;
    this.listener = listener;
    const { signal: abort } = this.ending;
    this.wishes = { ...wishes, control: `${control}.0`, abort, say: listener.say, queue: resource };
    this.spool = board.spoolOf(resource.name);
    this.arrays = new Arrays(resource.name);
    this.desk = new Desk(this.arrays, { slots: wishes.context.slots, spool: this.spool });
    // Visits of jobs that wait there already are to come here, and must know that before they begin.
    for (const { batch, tasks } of arraysOf(resource.name))
      for (const { job } of tasks.flat()) board.tellAttached(batch, job, resource.name);
  }

  get usable(): boolean {
    return this.status === 'up' && !this.rest?.isUnusable;
  }

  get slots(): number {
    return this.clerk?.slots ?? this.resource.maxJobs;
  }

  get listed(): board.Listed | undefined {
    if (!this.ready || !this.clerk || this.status === 'out') return undefined;
    const { kind, name, tags } = this.resource;
    const { programs } = this.ready.facts;
    // How much memory and what devices its machines have is the scheduler's own business.
    return { node: name, kind, slots: this.slots, memory: 0, gpus: 1024, tags, programs };
  }

  start(): Promise<void> {
    return new Promise(settled => {
      const { resource, listener, ending } = this;
      const living = {
        name: resource.name,
        solace: ' (its jobs go on)',
        say: listener.say,
        abort: ending.signal,
        bringUp: () => this.bringUp(),
        serve: () => this.serve(),
        leave: () => this.leave(),
        giveUp: (failure: Failure) => this.giveUp(inWords(failure)),
      };
      this.living = live(living, settled)
        .catch(error => this.fail(error))
        .finally(settled);
    });
  }

  private async bringUp(): Promise<{ readonly ok: true } | Failure> {
    const { resource, wishes, listener } = this;
    const { name, kind } = resource;
    const outcome = await bootstrap(loginNodeOf(resource), wishes);
    if (!outcome.ok) return outcome;
    const { ready } = outcome;
    const { transport } = ready;
    const { work } = ready.work.entry;
    const limits = await this.furnish(ready);
    if ('why' in limits) {
      await transport.close();
      return { ok: false, ...limits, again: true };
    }
    const now = performance.now() / 1000;
    if (this.arrays.open.size === 0) this.arrays.takeUp(work, now);
    this.ready = ready;
    this.rest = new Rest(resource, {
      fault: async () => undefined,
      say: listener.say,
      abort: AbortSignal.any([this.ending.signal, lossOf(transport)]),
    });
    this.clerk = new Clerk(
      { transport, executor: EXECUTORS[kind], resource, work, limits, patience: wishes.context.wait },
      this.arrays,
      this.desk,
      {
        say: listener.say,
        changed: listener.changed,
        full: seconds => this.rest?.pause(seconds),
        count: what => {
          this.counts[what]++;
          board.tellCounts(name, this.counts);
        },
        waiting: tasks => {
          if (this.counts.waiting === tasks) return;
          this.counts.waiting = tasks;
          board.tellCounts(name, this.counts);
        },
      },
    );
    this.status = 'up';
    announce(name, hostOf(resource), ready, { control: this.control, nice: 0 });
    listener.changed();
    return { ok: true };
  }

  /** What tasks read, and what the site allows. */
  private async furnish({ transport, work }: Ready): Promise<Limits | { readonly why: string }> {
    const executor = EXECUTORS[this.resource.kind];
    const fast = this.resource.fastStorage.map(shWord).join(' ');
    const said = await runScript(
      transport,
      `
cd ${shWord(work.entry.work)} || exit 71
for fast in ${fast}; do echo "$fast"; done >fast.new && mv -f fast.new fast || exit 73
${executor.limits}`,
    );
    if (said.ok) return executor.limitsIn(said.lines);
    return { why: `${executor.title} does not answer: ${said.why}` };
  }

  /** Until the run is over or the connection lost; resolves with the reason. */
  private async serve(): Promise<string> {
    const { signal } = this.ending;
    const { clerk, ready } = this;
    if (!clerk || !ready) return 'it is not up';
    let wake: () => void = () => {};
    const orders: FSWatcher = watch(this.spool, () => wake());
    const ended = () => wake();
    signal.addEventListener('abort', ended, { once: true });
    const lost = ready.transport.lost.then(why => ({ why }));
    const look = setInterval(() => void this.rest?.look(), 3_000);
    try {
      while (!signal.aborted) {
        const turn = clerk.turn();
        const next = await Promise.race([turn, lost]);
        if (typeof next === 'object') {
          // What is under way has to end before another connection goes on with it.
          await ready.transport.close();
          await turn;
          return next.why;
        }
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, next * 1000);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (signal.aborted) wake();
        });
      }
      return 'ended';
    } finally {
      orders.close();
      signal.removeEventListener('abort', ended);
      clearInterval(look);
    }
  }

  /** A disk of this machine that is full stops the run; results stay where they are. */
  private fail(error: unknown): void {
    if (!(error instanceof Error && 'syscall' in error)) {
      this.giveUp(String(error));
      return;
    }
    this.listener.say(`stopped  this machine cannot write results: ${error.message}`);
    process.kill(this.wishes.context.start, 'SIGUSR2');
  }

  /** Its jobs go on by themselves, so visits keep waiting; only new ones do not come. */
  private leave(): void {
    if (this.status === 'up') this.status = 'away';
    board.putAside(this.resource.name);
    void this.ready?.transport.close();
  }

  private giveUp(why: string): void {
    void this.ready?.transport.close();
    this.status = 'out';
    this.desk.refuseAll(`lost ${why}`);
    board.putAside(this.resource.name);
    board.forgetAttached(this.resource.name);
    this.listener.say(`left out  ${this.resource.name}: ${why}`);
    this.listener.changed();
  }

  /** `end`: what this run has handed over is done with; `cancel`: nothing of the image is to go on; `leave`: all of it is to go on. */
  async end(how: Ending): Promise<Report> {
    this.ending.abort();
    await this.living;
    const { name } = this.resource;
    const entries = entriesOf(name).filter(({ warm }) => !warm);
    const waiting = this.arrays.outstanding();
    // This run was about other batches.
    const later = this.arrays.unclaimedJobs().filter(isWanted);
    if (this.status !== 'up' || !this.ready) {
      const isLeft = this.ready ? waiting.length > 0 : arraysOf(name).length > 0;
      if (how !== 'cancel' && isLeft) return { lines: [leftLine(name, 'jobs')], clean: true };
      return takeDown(entries, { control: `${this.control}.0`, seconds: 15, interactive: false });
    }
    const { transport, work } = this.ready;
    try {
      if (how === 'leave' && this.arrays.open.size > 0)
        return { lines: [leftLine(name, 'jobs')], clean: true };
      if (how === 'end' && later.length > 0)
        return { lines: [leftLine(name, counted(later.length, 'job'))], clean: true };
      const { why, queries } = await cancelAll(transport, EXECUTORS[this.resource.kind], arrayPrefix());
      this.counts.queries += queries;
      board.tellCounts(name, this.counts);
      if (why !== undefined) return { lines: [`left    ${name}: ${why}; later: make down`], clean: false };
      strikeArrays(name);
      if (work.entry.warm) {
        await runScript(transport, `cd ${shWord(work.entry.work)} && rm -rf ./arrays`);
        return { lines: [], clean: true };
      }
      const removed = await removeWork(transport, work.entry);
      return reportOf(work.entry, removed);
    } finally {
      await transport.close();
    }
  }
}

const leftLine = (name: string, jobs: string) =>
  `note    ${name}: it still has ${jobs} of this image; make collects them, make cancel ends them`;

/** There is still a row for it, and no result. */
function isWanted({ batch, job }: { readonly batch: string; readonly job: string }): boolean {
  const folder = join('data/processed', batch, job);
  return existsSync(join(folder, 'jobfile.sh')) && !existsSync(join(folder, '.done'));
}
