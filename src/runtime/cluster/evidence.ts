/** What can be found out of tasks that are over and have left no result: the scheduler's words, and their logs. */
import { isGoingOn } from '../executors/executor.ts';
import { runScript } from '../script.ts';
import type { Task } from './arrays.ts';
import { type Site, seconds } from './site.ts';
import type { Evidence } from './verdict.ts';

/** Seconds. So long after a task's end its record may still be on its way to where it can be read. */
const RECORDED = 20;

/** None of a task of which the scheduler is still to say something. Undefined where the cluster is out of reach just now. */
export async function evidenceOf(
  { transport, executor, work }: Site,
  tasks: readonly Task[],
): Promise<ReadonlyMap<Task, Evidence> | undefined> {
  const forgotten = tasks.filter(
    // Of what is stuck the queue says no more than that.
    ({ missed, queued }) => missed > 0 || (queued && (isGoingOn(queued) || queued.state === 'stuck')),
  );
  const ids = [...new Set(forgotten.flatMap(({ array }) => (array.id === undefined ? [] : [array.id])))];
  const folders = tasks.map(folderOf);
  const said = await runScript(
    transport,
    `
cd '${work}/arrays' || exit 71
for task in ${folders.join(' ')}; do
  echo "task $task"
  [ ! -e "$task/started" ] || echo started
  tail -c 2000 "$task/${executor.log}" 2>/dev/null | tail -n 5 | sed 's/^/| /'
  echo
done
echo ends
${ids.length > 0 ? (executor.ends?.(ids) ?? '') : ''}
:`,
    120,
  );
  if (!said.ok) return undefined;
  const cut = said.lines.indexOf('ends');
  const ends = executor.endsIn?.(said.lines.slice(cut + 1)) ?? [];
  const blocks = said.lines
    .slice(0, cut)
    .join('\n')
    .split(/^task /m);
  const of = (task: Task) => blocks.find(block => block.startsWith(`${folderOf(task)}\n`))?.split('\n') ?? [];
  const evidence = new Map<Task, Evidence>();
  for (const task of tasks) {
    const { note, id } = task.array;
    const lines = of(task);
    // Numbers come again, some day.
    const found = ends.find(
      each => each.id === id && each.name === note.name && (each.task ?? 1) === task.index,
    );
    const started = lines.includes('started');
    const isLate = seconds() - (task.overSince ?? 0) > RECORDED;
    if (executor.ends && started && task.missed > 0 && !found && !isLate) continue;
    evidence.set(task, {
      queued: found ?? task.queued,
      started,
      recalled: task.recalled,
      log: lines.flatMap(line => (line.startsWith('| ') ? [line.slice(2)] : [])),
    });
  }
  return evidence;
}

const folderOf = ({ array, index }: Task) => `${array.note.name}/${index}`;
