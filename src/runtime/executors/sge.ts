/** Grid Engine: Son of Grid Engine 8.1 and what came of it. */
import { shWord } from '../../quote.ts';
import type { ArrayWish, Executor, QueuedTask, Refusal, State } from './executor.ts';

export const sge: Executor = {
  title: 'Grid Engine',
  programs: ['qsub', 'qstat', 'qdel', 'qconf'],
  log: 'sge.out',
  limits: 'qconf -sconf',
  limitsIn: lines => {
    const number = (key: string) => {
      const value = Number(lines.find(line => line.startsWith(`${key} `))?.split(/\s+/)[1]);
      return Number.isSafeInteger(value) && value > 0 ? value : undefined;
    };
    const [tasks, jobs] = [number('max_aj_tasks'), number('max_u_jobs')];
    return { ...(tasks !== undefined && { tasks }), ...(jobs !== undefined && { jobs }) };
  },
  submission: array => [
    'qsub',
    '-terse',
    ...['-N', array.name],
    ...['-t', `1-${array.tasks}`],
    ...['-o', `${array.folder}/$TASK_ID/sge.out`],
    ...['-j', 'y'],
    ...(array.own.includes('r') ? [] : ['-r', 'n']),
    ...needs(array),
    ...Object.entries(array.options).flatMap(([name, value]) =>
      value === '' ? [`-${name}`] : [`-${name}`, ...value.split(' ').filter(Boolean)],
    ),
  ],
  idIn: answer => answer.map(line => /^(\d+)(\.\d+-\d+:\d+)?$/.exec(line)?.[1]).find(id => id !== undefined),
  refusalIn,
  queue: () => `qstat -xml -g d -u "$(id -un)"`,
  tasksIn: lines =>
    [...lines.join('\n').matchAll(/<job_list\b[^>]*>([\s\S]*?)<\/job_list>/g)].flatMap(([, text = '']) =>
      taskIn(text),
    ),
  ends: ids => ids.map(id => `qacct -j ${shWord(id)} 2>/dev/null`).join('\n'),
  endsIn,
  cancel: ids => `qdel ${ids.map(shWord).join(' ')} >/dev/null`,
};

function needs({ cpus, time, own }: ArrayWish): string[] {
  return [
    ...(cpus > 1 && !own.includes('pe') ? ['-pe', 'smp', String(cpus)] : []),
    ...(time > 0 ? ['-l', `h_rt=${time + 60}`] : []),
  ];
}

function refusalIn(answer: string): Refusal {
  if (/more than \d+ tasks/i.test(answer)) return 'large';
  if (/only \d+ jobs are allowed/i.test(answer)) return 'full';
  if (/unable to (contact|send)|can't reach|got (read|send) error|commlib error|timeout/i.test(answer))
    return 'busy';
  return 'no';
}

/** One of `qstat -xml`. */
function taskIn(text: string): QueuedTask[] {
  const value = (key: string) => new RegExp(`<${key}>([^<]*)</${key}>`).exec(text)?.[1] ?? '';
  const [id, name, index, words] = [value('JB_job_number'), value('JB_name'), value('tasks'), value('state')];
  if (!/^\d+$/.test(id)) return [];
  const task = /^\d+$/.test(index) ? Number(index) : undefined;
  return [{ name, id, task, state: stateOf(words), words }];
}

function stateOf(letters: string): State {
  if (letters.includes('E')) return 'stuck';
  if (letters.includes('d')) return 'running';
  return /[rtsST]/.test(letters.replace('qw', '')) ? 'running' : 'waiting';
}

/** What `qacct` prints: `key value` a line, after a line of `=` each. */
function endsIn(lines: readonly string[]): QueuedTask[] {
  const blocks = lines.join('\n').split(/^=+$/m);
  return blocks.flatMap(block => {
    const value = (key: string) => new RegExp(`^${key} +(.*?) *$`, 'm').exec(block)?.[1] ?? '';
    const [id, name, failed] = [value('jobnumber'), value('jobname'), value('failed')];
    if (!/^\d+$/.test(id)) return [];
    const index = value('taskid');
    const task = /^\d+$/.test(index) ? Number(index) : undefined;
    const words = failed === '0' || failed === '' ? `exit ${value('exit_status')}` : failed;
    return [{ name, id, task, state: failed === '0' ? 'over' : endOf(failed, value('exit_status')), words }];
  });
}

/** `failed` is a number and its meaning, such as `37  : qmaster enforced h_rt, h_cpu, or h_vmem limit`. */
function endOf(failed: string, exit: string): State {
  const number = Number.parseInt(failed, 10);
  if (number === 37 || number === 100) return 'killed';
  return number === 0 && exit === '137' ? 'killed' : 'lost';
}
