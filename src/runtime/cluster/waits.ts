/** Why tasks wait in the queue: said once, in the scheduler's words, where they wait long or can never start. */
import { counted } from '../../counted.ts';
import { runScript } from '../script.ts';
import type { Task } from './arrays.ts';
import { type Site, seconds, type Told } from './site.ts';

/** Arrays that a scheduler is asked about which does not say it in its queue. */
const ASKED = 10;

export class Waits {
  private readonly site: Site;
  private readonly told: Told;
  /** Since when tasks of ours wait and none runs. */
  private since: number | undefined;
  private isSaid = false;
  private readonly hopeless = new Set<string>();

  constructor(site: Site, told: Told) {
    this.site = site;
    this.told = told;
  }

  /** The queue was asked, and this is still to come. */
  async heed(tasks: readonly Task[]): Promise<void> {
    const waiting = tasks.filter(({ queued }) => queued?.state === 'waiting');
    const never = waiting.filter(task => this.site.executor.never?.test(reasonOf(task)));
    for (const reason of new Set(never.map(reasonOf))) {
      if (this.hopeless.has(reason)) continue;
      this.hopeless.add(reason);
      this.say(never.filter(task => reasonOf(task) === reason).length, [reason]);
    }
    const others = waiting.filter(task => !never.includes(task));
    const isIdle = others.length > 0 && !tasks.some(({ queued }) => queued?.state === 'running');
    this.since = isIdle ? (this.since ?? seconds()) : undefined;
    if (this.isSaid || this.since === undefined || seconds() - this.since < this.site.patience) return;
    this.isSaid = true;
    this.say(others.length, await this.reasons(others));
  }

  private async reasons(tasks: readonly Task[]): Promise<readonly string[]> {
    const { executor, transport } = this.site;
    if (!executor.reasons) return tasks.map(reasonOf);
    const ids = [...new Set(tasks.flatMap(({ array }) => array.id ?? []))].slice(0, ASKED);
    const { lines } = await runScript(transport, executor.reasons.ask(ids));
    return executor.reasons.in(lines);
  }

  private say(tasks: number, reasons: readonly string[]): void {
    const { resource, executor } = this.site;
    const known = [...new Set(reasons)].filter(reason => reason !== '').slice(0, 3);
    const why = known.length > 0 ? known.join('; ') : `${executor.title} does not say why`;
    const line = `${counted(tasks, 'task')} ${tasks === 1 ? 'waits' : 'wait'}: ${why}`;
    this.told.say(`note    ${resource.name}: ${line.replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 300)}`);
  }
}

const reasonOf = ({ queued }: Task) => queued?.reason ?? '';
