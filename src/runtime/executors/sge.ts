/** Grid Engine: Son of Grid Engine 8.1 and what came of it. */
import { shWord } from '../../quote.ts';
import type { Executor, QueuedTask, Refusal, State } from './executor.ts';
import { requestWords } from './sge-requests.ts';

export const sge: Executor = {
  title: 'Grid Engine',
  programs: ['qsub', 'qstat', 'qdel', 'qconf'],
  log: 'sge.out',
  directive: '#$',
  // A site whose own defaults ask for what only shows when a job is to start would have all jobs refused.
  limits: 'qconf -sconf && { ! qsub -w v -b y true >/dev/null 2>&1 || echo foresees; }',
  limitsIn: lines => {
    const number = (key: string) => {
      const value = Number(lines.find(line => line.startsWith(`${key} `))?.split(/\s+/)[1]);
      return Number.isSafeInteger(value) && value > 0 ? value : undefined;
    };
    const [tasks, jobs] = [number('max_aj_tasks'), number('max_u_jobs')];
    return {
      ...(tasks !== undefined && { tasks }),
      // An array is one job there, however many tasks it has.
      ...(jobs !== undefined && { arrays: jobs }),
      foresees: lines.includes('foresees'),
    };
  },
  submission: array => [
    'qsub',
    '-terse',
    ...['-N', array.name],
    ...['-t', `1-${array.tasks}`],
    ...['-o', `${array.folder}/$TASK_ID/sge.out`],
    ...['-j', 'y'],
    ...(array.batch.own.includes('r') || 'r' in array.options ? [] : ['-r', 'n']),
    ...requestWords(array),
  ],
  idIn: answer => answer.map(line => /^(\d+)(\.\d+-\d+:\d+)?$/.exec(line)?.[1]).find(id => id !== undefined),
  refusalIn,
  idle: /^Exiting\.$/,
  queue: () => `qstat -xml -g d -u "$(id -un)"`,
  tasksIn: lines =>
    [...lines.join('\n').matchAll(/<job_list\b[^>]*>([\s\S]*?)<\/job_list>/g)].flatMap(([, text = '']) =>
      taskIn(text),
    ),
  // It looks whether the job could start now, and says of each queue and host why not.
  whyWaiting: id => `qalter -w p ${shWord(id)} 2>&1 | sed -n 's/^Job [0-9]* *//; s/"//g; /cannot run/{p;q;}'`,
  // What it says of a job in its error state stands with the queue; all else in the accounting file, if that can be read here.
  ends: ids =>
    ids
      .map(
        id =>
          `qacct -j ${shWord(id)} 2>/dev/null\necho errors ${shWord(id)}\nqstat -j ${shWord(id)} 2>/dev/null | grep -E '^(job_name|error reason)'`,
      )
      .join('\n'),
  endsIn,
  taskId: (array, task) => `${array}.${task}`,
  cancel: ids => `qdel ${ids.map(shWord).join(' ')} >/dev/null`,
};

function refusalIn(answer: string): Refusal {
  if (/more than \d+ tasks/i.test(answer)) return 'large';
  if (/only \d+ jobs are allowed/i.test(answer)) return 'full';
  if (/unable to (contact|send)|can't reach|got (read|send) error|commlib error|timeout/i.test(answer))
    return 'busy';
  return 'no';
}

/** One of `qstat -xml`. */
function taskIn(text: string): QueuedTask[] {
  const value = (key: string) => plain(new RegExp(`<${key}>([^<]*)</${key}>`).exec(text)?.[1] ?? '');
  const [id, name, index, words] = [value('JB_job_number'), value('JB_name'), value('tasks'), value('state')];
  if (!/^\d+$/.test(id)) return [];
  return [{ name, id, task: taskOf(index), state: stateOf(words), words }];
}

/** It writes `<` as `%lt;`. */
const plain = (xml: string) =>
  xml.replace(/[%&](lt|gt|amp|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? '');
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const taskOf = (index: string) => (/^\d+$/.test(index) ? Number(index) : undefined);

function stateOf(letters: string): State {
  if (letters.includes('E')) return 'stuck';
  if (letters.includes('d')) return 'running';
  return /[rtsST]/.test(letters.replace('qw', '')) ? 'running' : 'waiting';
}

/** For each id what `qacct` has of it, then `errors <id>` and what `qstat -j` says of it. A task may have run several times: the last one counts. */
function endsIn(lines: readonly string[]): QueuedTask[] {
  const blocks = lines.join('\n').split(/^(?==+$|errors )/m);
  const all = blocks.flatMap(block => (block.startsWith('errors ') ? errorsIn(block) : accountIn(block)));
  return [...new Map(all.map(each => [`${each.id} ${each.task}`, each])).values()];
}

/** What `qacct` prints: a line of `=`, then `key value` a line. */
function accountIn(block: string): QueuedTask[] {
  const value = (key: string) => new RegExp(`^${key} +(.*?) *$`, 'm').exec(block)?.[1] ?? '';
  const [id, name, failed] = [value('jobnumber'), value('jobname'), value('failed')];
  const number = Number.parseInt(failed, 10);
  if (!/^\d+$/.test(id) || Number.isNaN(number) || number === RESCHEDULED) return [];
  const words = number === 0 ? `exit ${value('exit_status')}` : failed.replace(/ +:/, ':');
  const state = endOf(number);
  return [{ name, id, task: taskOf(value('taskid')), state, words: `${words}${HINTS[number] ?? ''}` }];
}

/** What its words say to few. */
const HINTS: Readonly<Record<number, string>> = { 100: ' (qdel, or a signal)' };

/** `failed` of `qacct`: it goes on, elsewhere or later. */
const RESCHEDULED = 25;
/** A limit that was exceeded, and a signal; the latter is also what qdel leaves. */
const KILLED: readonly number[] = [37, 100];

/** The exit status alone means nothing: our script's is always 0. */
function endOf(failed: number): State {
  if (KILLED.includes(failed)) return 'killed';
  return failed === 0 ? 'over' : 'lost';
}

/** `error reason <task>: <date> <time> [<numbers>]: <words>`, a line each. */
function errorsIn(block: string): QueuedTask[] {
  const id = /^errors (\d+)$/m.exec(block)?.[1] ?? '';
  const name = /^job_name: +(.*)$/m.exec(block)?.[1] ?? '';
  return [...block.matchAll(/^error reason +(\d+): +(.*)$/gm)].map(([, task = '', said = '']) => {
    const words = said.replace(/^.*?\[[\d:]+\]: */, '').replace(/ KRB5CCNAME=.*$/, '');
    return { name, id, task: Number(task), state: 'stuck', words: `Eqw: ${words}` };
  });
}
