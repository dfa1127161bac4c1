/** Says why tasks wait in the queue, in the scheduler's words: at once if they would wait for ever, else when none has begun for long. */
import { counted } from '../../counted.ts';
import { lastLine, runScript } from '../script.ts';
import type { Task } from './arrays.ts';
import type { ClusterListener } from './listener.ts';
import type { Site } from './site.ts';

export class Waiting {
  private readonly site: Site;
  private readonly listener: ClusterListener;
  private readonly said = new Set<string>();

  constructor(site: Site, listener: ClusterListener) {
    this.site = site;
    this.listener = listener;
  }

  /** After each answer of the scheduler. `now`: in seconds. */
  async look(tasks: readonly Task[], now: number): Promise<void> {
    const waiting = tasks.filter(({ queued, recalled }) => queued?.state === 'waiting' && !recalled);
    const isStuck = !tasks.some(({ queued }) => queued?.state === 'running');
    const long = waiting.filter(({ array }) => isStuck && now - array.since >= this.site.patience);
    const { hopeless } = this.site.executor;
    const tell = waiting.filter(task => long.includes(task) || hopeless?.test(task.queued?.reason ?? ''));
    for (const reason of new Set(tell.flatMap(({ queued }) => queued?.reason ?? [])))
      this.say(waiting.filter(({ queued }) => queued?.reason === reason).length, reason);
    const [mute] = long.filter(({ queued }) => queued?.reason === undefined);
    if (mute) await this.ask(mute, long.length);
  }

  private async ask({ array: { id } }: Task, count: number): Promise<void> {
    const { executor, transport } = this.site;
    if (!executor.whyWaiting || id === undefined || this.said.has(id)) return;
    this.said.add(id);
    const { ok, lines } = await runScript(transport, `${executor.whyWaiting(id)}\n:`);
    const reason = lastLine(lines.join('\n'));
    if (ok && reason !== '') this.say(count, reason);
  }

  private say(count: number, reason: string): void {
    if (this.said.has(reason)) return;
    this.said.add(reason);
    this.listener.say(
      `note    ${this.site.resource.name}: ${counted(count, 'task')} ${count === 1 ? 'waits' : 'wait'} in the queue: ${reason}`,
    );
  }
}
