/** One node during a run: brought up, kept, brought back when it was lost, taken down. */
import { setTimeout as wait } from 'node:timers/promises';
import type { SshResource } from '../grid/model.ts';
import { announce, SESSIONS } from './announce.ts';
import type { Attended, Listener, Status } from './attended.ts';
import * as board from './board.ts';
import { bootstrap, type Ready, type Wishes } from './bootstrap.ts';
import { type Report, reportOf, takeDown } from './down.ts';
import { type Keeper, openKeeper } from './keeper.ts';
import { entriesOf } from './ledger.ts';
import { type Failure, inWords, live } from './life.ts';
import { lossOf, Rest } from './rest.ts';
import { runScript } from './script.ts';
import { type Removed, removeWork, straysOf } from './teardown.ts';

export class AttendedNode implements Attended {
  readonly resource: SshResource;
  status: Status = 'coming';
  private ready: Ready | undefined;
  private keeper: Keeper | undefined;
  private rest: Rest | undefined;
  private living: Promise<void> = Promise.resolve();
  private readonly control: string;
  private readonly wishes: Wishes;
  private readonly listener: Listener;
  private readonly ending = new AbortController();

  constructor(
    resource: SshResource,
    control: string,
    wishes: Omit<Wishes, 'control' | 'abort' | 'say'>,
    listener: Listener,
  ) {
    this.resource = resource;
    this.control = control;
    this.listener = listener;
    const { signal: abort } = this.ending;
    this.wishes = { ...wishes, control: `${control}.0`, abort, say: listener.say };
  }

  /** Jobs can start there now, or could but for its load. */
  get usable(): boolean {
    return this.status === 'up' && !this.rest?.isUnusable;
  }

  get slots(): number {
    const slots = this.resource.slots ?? this.ready?.facts.processors ?? 0;
    return this.ready?.byPerson ? Math.min(slots, SESSIONS) : slots;
  }

  /** As visits are told of it, once it was up. */
  get listed(): board.Listed | undefined {
    if (!this.ready || this.status === 'out') return undefined;
    const { memory, gpus, programs } = this.ready.facts;
    const { name, tags } = this.resource;
    const share = Math.floor(memory / this.slots);
    return { node: name, kind: 'ssh', slots: this.slots, memory: share, gpus, tags, programs };
  }

  /** Brings it up and keeps it until `end`; resolves when the first try has ended, however. */
  start(): Promise<void> {
    return new Promise(settled => {
      const { resource, listener, ending } = this;
      const living = {
        name: resource.name,
        say: listener.say,
        abort: ending.signal,
        bringUp: () => this.bringUp(),
        serve: () => this.keep(),
        leave: () => this.leave(),
        giveUp: (failure: Failure) => this.giveUp(failure),
      };
      this.living = live(living, settled)
        .catch(error => this.giveUp({ ok: false, why: String(error), again: false }))
        .finally(settled);
    });
  }

  private async bringUp(): Promise<{ readonly ok: true } | Failure> {
    const outcome = await bootstrap(this.resource, this.wishes);
    if (!outcome.ok) return outcome;
    const { ready } = outcome;
    const why = await this.takeKeeper(ready);
    if (why !== undefined) {
      await ready.transport.close();
      return { ok: false, why, again: true };
    }
    const { name, host, nice } = this.resource;
    this.ready = ready;
    this.rest = new Rest(this.resource, {
      fault: () => faultOf(ready),
      say: this.listener.say,
      abort: AbortSignal.any([this.ending.signal, lossOf(ready.transport)]),
    });
    this.status = 'up';
    announce(name, host, ready, { control: this.control, nice });
    this.listener.changed();
    return { ok: true };
  }

  /** Why there is none, if there is none. */
  private async takeKeeper({ transport, work }: Ready): Promise<string | undefined> {
    try {
      this.keeper = await openKeeper(transport, work.entry.work, load => this.rest?.takeLoad(load));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Until it is lost or the run is over; resolves with the reason. A keeper alone that is gone is replaced. */
  private async keep(): Promise<string> {
    const { ready } = this;
    if (!ready) return 'it is not up';
    const look = setInterval(() => void this.rest?.look(), 3_000);
    const { signal } = this.ending;
    const ended = new Promise<'ended'>(resolve => {
      signal.addEventListener('abort', () => resolve('ended'), { once: true });
      // It may have ended while the node came up, and says so only once.
      if (signal.aborted) resolve('ended');
    });
    const lost = ready.transport.lost.then(why => ({ why, again: false }));
    try {
      while (this.keeper) {
        const gone = this.keeper.gone.then(({ why, silent }) => ({ why, again: !silent }));
        const first = await Promise.race([ended, lost, gone]);
        if (first === 'ended') return first;
        if (!first.again || (await this.takeKeeper(ready)) !== undefined) return first.why;
      }
      return 'ended';
    } finally {
      clearInterval(look);
    }
  }

  private leave(): void {
    if (this.status === 'up') {
      this.status = 'away';
      board.putAside(this.resource.name);
    }
    this.keeper?.drop();
    this.keeper = undefined;
    void this.ready?.transport.close();
  }

  private giveUp(failure: Failure): void {
    this.leave();
    this.status = 'out';
    this.listener.say(`left out  ${this.resource.name}: ${inWords(failure)}`);
    this.listener.changed();
  }

  /** The run is over: ends what is left of it there, takes it down and looks that it is gone. */
  async end(): Promise<Report> {
    this.ending.abort();
    await this.living;
    const { keeper, ready, resource } = this;
    if (this.status === 'up' && keeper && ready) {
      const { entry } = ready.work;
      const said = (await Promise.race([keeper.finish(entry.warm ? 'keep' : 'down'), limit(45)])) ?? [];
      if (entry.warm && said.at(-1) === 'kept') {
        await ready.transport.close({ keep: this.wishes.kept });
        return { lines: [], clean: true };
      }
      const removed = entry.warm ? undefined : await removalOf(ready, said);
      await ready.transport.close();
      if (removed?.ok || (removed && !removed.lost)) return reportOf(entry, removed);
    }
    keeper?.drop();
    await ready?.transport.close();
    const left = entriesOf(resource.name).filter(({ storage, warm }) => storage === undefined && !warm);
    return takeDown(left, { control: `${this.control}.0`, seconds: 15, interactive: false });
  }
}

/** Keeper says `clean` when it has seen the work folder gone; without that it is looked at anew. */
async function removalOf({ transport, work }: Ready, said: readonly string[]): Promise<Removed> {
  if (said.at(-1) === 'clean') return { ok: true, strays: straysOf(said) };
  return removeWork(transport, work.entry, work.born);
}

async function faultOf({ transport, work }: Ready): Promise<string | undefined> {
  const script = `
cd '${work.entry.work}' && [ -f marker ] && echo try >try && rm -f try || { echo 'its work folder cannot be written to' >&2; exit 1; }`;
  const said = await runScript(transport, script, 20);
  return said.ok ? undefined : said.why;
}

async function limit(seconds: number): Promise<undefined> {
  await wait(seconds * 1000, undefined, { ref: false });
  return undefined;
}
