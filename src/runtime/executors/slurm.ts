/** Slurm, 20 and newer, with or without an accounting database. */
import { shWord } from '../../quote.ts';
import type { ArrayWish, Executor, QueuedTask, Refusal, State } from './executor.ts';

export const slurm: Executor = {
  title: 'Slurm',
  programs: ['sbatch', 'squeue', 'scancel', 'scontrol'],
  log: 'slurm.out',
  directive: '#SBATCH',
  limits: 'scontrol show config',
  limitsIn: lines => {
    const number = (key: string) => {
      const line = lines.find(each => each.split('=')[0]?.trim() === key);
      const value = Number(line?.split('=')[1]);
      return Number.isSafeInteger(value) && value > 0 ? value : undefined;
    };
    // The largest index is one less.
    const size = number('MaxArraySize');
    return { ...(size !== undefined && { tasks: Math.max(1, size - 1) }) };
  },
  submission: array => [
    'sbatch',
    '--parsable',
    `--job-name=${array.name}`,
    `--array=1-${array.tasks}`,
    `--output=${array.folder}/%a/slurm.out`,
    '--input=/dev/null',
    ...(array.batch.own.includes('requeue') ? [] : ['--no-requeue']),
    ...needs(array),
    ...unsaid(array).map(([name, value]) =>
      value === '' || value === 'true' ? `--${name}` : `--${name}=${value}`,
    ),
  ],
  idIn: answer => answer.map(line => /^(\d+)(;.*)?$/.exec(line)?.[1]).find(id => id !== undefined),
  refusalIn,
  // Those that ended are listed for some minutes, too, and how they did.
  queue: prefix => `
said=$(squeue -h -r -t all -u "$(id -un)" -o '%j|%F|%K|%T|%r') || exit 1
printf '%s\\n' "$said" | grep '^${prefix}' || :`,
  tasksIn: lines => lines.flatMap(taskIn),
  taskId: (array, task) => `${array}_${task}`,
  hopeless:
    /^(BadConstraints|PartitionTimeLimit|PartitionNodeLimit|DependencyNeverSatisfied|InvalidAccount|InvalidQOS|AccountNotAllowed|QOSNotAllowed)$/,
  cancel: ids => `scancel -Q ${ids.map(shWord).join(' ')}`,
};

/** What a task needs, where that is not what the script says already: it speaks of one job, and of the largest. */
function needs({ cpus, time, batch }: ArrayWish): string[] {
  const isOwn = (...names: readonly string[]) => names.some(name => batch.own.includes(name));
  const isParallel = cpus > 1 || batch.cpus > 1;
  return [
    ...(isParallel && !isOwn('cpus-per-task', 'cpus-per-gpu') ? [`--cpus-per-task=${cpus}`] : []),
    // Slurm counts in minutes.
    ...(time > 0 && !isOwn('time') ? [`--time=${Math.ceil(time / 60) + 1}`] : []),
  ];
}

/** Options that mean the same, or that sbatch does not take together. */
const ALIKE = [
  /^cpus-per-(task|gpu)$/,
  /^mem(-per-cpu|-per-gpu)?$/,
  /^(gpus(-per-\w+)?|gres|tres-per-\w+)$/,
  /^(no-)?requeue$/,
];

/** The resource's options of which the batch says nothing, be it by its own or by `cpus`, `mem`, `gpus` and `time`. */
function unsaid(array: ArrayWish): [string, string][] {
  const { own, words } = array.batch;
  const said = [...words, ...needs(array)].map(word => /^--([\w-]+)/.exec(word)?.[1] ?? '');
  // That the script says so is our own wish, and no one else's.
  const meant = [...own, ...said.filter(name => name !== 'no-requeue')];
  return Object.entries(array.options).filter(
    ([name]) => !meant.some(each => each === name || ALIKE.some(kind => kind.test(each) && kind.test(name))),
  );
}

function refusalIn(answer: string): Refusal {
  if (/Invalid job array specification/i.test(answer)) return 'large';
  if (
    /temporarily unable|job submit limit|MaxSubmit|AssocGrpSubmit|job_count|resource temporarily/i.test(
      answer,
    )
  )
    return 'full';
  if (/unable to contact|timed out|connection refused|communication|Socket|not responding/i.test(answer))
    return 'busy';
  return 'no';
}

const STATES: Readonly<Record<string, State>> = {
  PENDING: 'waiting',
  CONFIGURING: 'waiting',
  REQUEUED: 'waiting',
  REQUEUE_FED: 'waiting',
  REQUEUE_HOLD: 'waiting',
  SPECIAL_EXIT: 'waiting',
  RUNNING: 'running',
  COMPLETING: 'running',
  STAGE_OUT: 'running',
  SIGNALING: 'running',
  STOPPED: 'running',
  SUSPENDED: 'running',
  RESIZING: 'running',
  COMPLETED: 'over',
  FAILED: 'over',
  TIMEOUT: 'killed',
  DEADLINE: 'killed',
  OUT_OF_MEMORY: 'killed',
  CANCELLED: 'killed',
  NODE_FAIL: 'lost',
  BOOT_FAIL: 'lost',
  PREEMPTED: 'lost',
  REVOKED: 'lost',
};

function taskIn(line: string): QueuedTask[] {
  const [name = '', id = '', index = '', words = '', reason = 'None'] = line.split('|');
  const state = STATES[words.split(' ')[0] ?? ''];
  if (!/^\d+$/.test(id) || state === undefined) return [];
  // Tasks that have not begun may come as one line, `1-10`, in spite of -r.
  const task = /^\d+$/.test(index) ? Number(index) : undefined;
  return [{ name, id, task, state, words, ...(state === 'waiting' && reason !== 'None' && { reason }) }];
}
