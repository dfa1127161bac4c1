/** One node during a run: brought up, kept, looked at when visits have lost jobs there, brought back when it was lost, taken down. */
import { setTimeout as wait } from 'node:timers/promises';
import type { SshResource } from '../grid/model.ts';
import { sshOptions } from '../transport/transport.ts';
import * as board from './board.ts';
import { bootstrap, type Outcome, type Ready, type Wishes } from './bootstrap.ts';
import { type Report, reportOf, takeDown } from './down.ts';
import { type Keeper, openKeeper } from './keeper.ts';
import { entriesOf } from './ledger.ts';
import { runScript } from './script.ts';
import { removeWork } from './teardown.ts';

/** Seconds between tries to bring it back; the last one again and again. */
const BACK_OFF = [2, 5, 10, 20, 40, 60];
/** Seconds before a node that visits have put aside gets jobs again. */
const REST = [2, 5, 15, 30, 60];
/** Sessions over one connection: sshd's own limit is 10, and the runtime needs some itself. */
const SESSIONS = 8;

/** `coming`: never was up; `away`: lost, and tried again; `out`: given up. */
export type Status = 'coming' | 'up' | 'away' | 'out';

/** What it tells whoever attends it. */
export interface Listener {
  /** A line for the person. */
  readonly say: (line: string) => void;
  /** It came up or went out. */
  readonly changed: () => void;
}

export class AttendedNode {
  readonly resource: SshResource;
  status: Status = 'coming';
  ready: Ready | undefined;
  private readonly control: string;
  private readonly wishes: Wishes;
  private readonly listener: Listener;
  private readonly ending = new AbortController();
  private keeper: Keeper | undefined;
  /** Why it is aside though its connection is fine: visits have lost jobs there, or its load is too high. */
  private resting: 'visits' | 'load' | undefined;
  private rests = 0;
  private living: Promise<void> = Promise.resolve();

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
    return this.status === 'up' && this.resting !== 'visits';
  }

  get slots(): number {
    return this.resource.slots ?? this.ready?.facts.processors ?? 0;
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
      this.living = this.live(settled).finally(settled);
    });
  }

  private async live(settled: () => void): Promise<void> {
    let failures = 0;
    let said = '';
    while (!this.ending.signal.aborted) {
      const outcome = await this.bringUp();
      let why = outcome.ok ? '' : outcome.why;
      if (outcome.ok) {
        if (said !== '') this.listener.say(`back    ${this.resource.name}`);
        settled();
        const since = Date.now();
        why = await this.keep(outcome.ready);
        if (Date.now() - since > 60_000) failures = 0;
        said = '';
      }
      if (this.ending.signal.aborted) return;
      if (!outcome.ok && !outcome.again) return this.giveUp(outcome);
      this.leave();
      const seconds = backOff(BACK_OFF, failures);
      if (why !== said)
        this.listener.say(`lost    ${this.resource.name}: ${why}; trying again in ${seconds} s`);
      said = why;
      failures++;
      settled();
      await this.pause(seconds);
    }
  }

  private async bringUp(): Promise<Outcome> {
    const outcome = await bootstrap(this.resource, this.wishes);
    if (!outcome.ok) return outcome;
    const { ready } = outcome;
    try {
      this.keeper = await openKeeper(ready.transport, ready.work.entry.work, load => this.onLoad(load));
    } catch (error) {
      await ready.transport.close();
      return { ok: false, why: error instanceof Error ? error.message : String(error), again: true };
    }
    this.ready = ready;
    this.status = 'up';
    this.resting = undefined;
    const { name, host, nice } = this.resource;
    board.tellReach(
      name,
      {
        host: host.hostname,
        options: sshOptions(host),
        work: ready.work.entry.work,
        root: ready.root,
        control: this.control,
        sessions: SESSIONS,
        masters: 0,
        nice,
      },
      { anew: !ready.continued },
    );
    board.takeBack(name);
    this.listener.changed();
    return outcome;
  }

  /** Until it is lost or the run is over; resolves with the reason. */
  private async keep({ transport }: Ready): Promise<string> {
    const look = setInterval(() => void this.mind(), 3_000);
    const ended = new Promise<string>(resolve => {
      this.ending.signal.addEventListener('abort', () => resolve('ended'), { once: true });
      // It may have ended while the node came up, and says so only once.
      if (this.ending.signal.aborted) resolve('ended');
    });
    const why = await Promise.race([transport.lost, this.keeper?.gone ?? transport.lost, ended]);
    clearInterval(look);
    return why;
  }

  /** Visits put a node aside when they have lost three times in a row there. It is looked at, and gets jobs again after a while. */
  private async mind(): Promise<void> {
    const { name } = this.resource;
    if (this.resting !== undefined || this.status !== 'up' || !board.isAside(name)) return;
    this.resting = 'visits';
    const seconds = backOff(REST, this.rests++);
    this.listener.say(`aside   ${name}: jobs were lost there; it is tried again in ${seconds} s`);
    await this.pause(seconds);
    while (this.status === 'up' && !this.ending.signal.aborted) {
      const why = await this.fault();
      if (why === undefined) break;
      this.listener.say(`aside   ${name}: ${why}`);
      await this.pause(backOff(REST, this.rests++));
    }
    if (this.status !== 'up' || this.ending.signal.aborted) return;
    this.resting = undefined;
    board.takeBack(name);
  }

  /** What is wrong with it, although it answers. */
  private async fault(): Promise<string | undefined> {
    if (!this.ready) return undefined;
    const { transport, work } = this.ready;
    const script = `cd '${work.entry.work}' && [ -f marker ] && echo try >try && rm -f try || { echo 'its work folder cannot be written to' >&2; exit 1; }`;
    const said = await runScript(transport, script, 20);
    return said.ok ? undefined : said.why;
  }

  private onLoad(load: number): void {
    const { name, maxLoad } = this.resource;
    if (maxLoad === undefined || this.status !== 'up' || this.resting === 'visits') return;
    if (load > maxLoad && this.resting === undefined && !board.isAside(name)) {
      this.resting = 'load';
      board.putAside(name);
    } else if (load <= maxLoad && this.resting === 'load') {
      this.resting = undefined;
      board.takeBack(name);
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

  private giveUp({ why, hint }: Extract<Outcome, { ok: false }>): void {
    this.leave();
    this.status = 'out';
    this.listener.say(`left out  ${this.resource.name}: ${why}${hint ? ` (${hint})` : ''}`);
    this.listener.changed();
  }

  private async pause(seconds: number): Promise<void> {
    await wait(seconds * 1000, undefined, { signal: this.ending.signal }).catch(() => {});
  }

  /** The run is over: ends what is left of it there, takes it down and looks that it is gone. */
  async end(): Promise<Report> {
    this.ending.abort();
    await this.living;
    const { keeper, ready, resource } = this;
    if (this.status === 'up' && keeper && ready) {
      const { entry } = ready.work;
      const said = await Promise.race([keeper.finish(entry.warm ? 'keep' : 'down'), this.limit(45)]);
      if (entry.warm && said === 'kept') {
        await ready.transport.close();
        return { lines: [], clean: true };
      }
      const removed = entry.warm ? undefined : await removeWork(ready.transport, entry, ready.work.born);
      await ready.transport.close();
      if (removed?.ok || (removed && !removed.lost)) return reportOf(entry, removed);
    }
    keeper?.drop();
    await ready?.transport.close();
    const left = entriesOf(resource.name).filter(({ storage }) => storage === undefined);
    return takeDown(
      left.filter(({ warm }) => !warm),
      { control: `${this.control}.0`, seconds: 15, interactive: false },
    );
  }

  private async limit(seconds: number): Promise<undefined> {
    await wait(seconds * 1000, undefined, { ref: false });
    return undefined;
  }
}

/** With some chance in it, so that many nodes do not come at once. */
function backOff(steps: readonly number[], n: number): number {
  const step = steps[Math.min(n, steps.length - 1)] ?? 60;
  return Math.max(1, Math.round(step * (0.8 + 0.4 * Math.random())));
}
