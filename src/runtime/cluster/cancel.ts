/** Takes everything of this image out of a cluster's queue, by name and in few calls, and waits until it is gone. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Transport } from '../../transport/transport.ts';
import { type Executor, isGoingOn } from '../executors/executor.ts';
import { runScript } from '../script.ts';

/** Seconds: a scheduler gives jobs half a minute to end well. */
const PATIENCE = 90;

/** What came of it, after how many queries. */
export interface Cancelled {
  /** Undefined: nothing of ours is in the queue any more. */
  readonly why: string | undefined;
  readonly queries: number;
}

/** `prefix`: of the names of our arrays. */
export async function cancelAll(
  transport: Pick<Transport, 'exec'>,
  executor: Executor,
  prefix: string,
): Promise<Cancelled> {
  const end = performance.now() + PATIENCE * 1000;
  const asked = new Set<string>();
  for (let queries = 1; ; queries++) {
    const said = await runScript(transport, executor.queue(prefix), 60);
    const late = performance.now() > end;
    if (!said.ok && late) return { why: `${executor.title} does not answer: ${said.why}`, queries };
    if (said.ok) {
      const left = executor
        .tasksIn(said.lines)
        .filter(task => task.name.startsWith(prefix) && (isGoingOn(task) || task.state === 'stuck'));
      if (left.length === 0) return { why: undefined, queries };
      const ids = [...new Set(left.map(({ id }) => id))];
      if (late) return { why: `still in the queue: ${ids.join(', ')}`, queries };
      const fresh = ids.filter(id => !asked.has(id));
      if (fresh.length > 0) await runScript(transport, `${executor.cancel(fresh)} || :`, 60);
      for (const id of fresh) asked.add(id);
    }
    await wait(Math.min(3000, 300 * queries));
  }
}
