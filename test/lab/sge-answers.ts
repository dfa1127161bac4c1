/** What Grid Engine's commands answer, read. */
import type { QueuedJob } from './cluster.ts';

/** What `qacct` has of one run of a job or task: its keys, such as `failed` and `exit_status`, with the words after them. */
export type Account = Readonly<Record<string, string>>;

/** Of `qstat -g d -xml`. */
export function parseQueue(xml: string): QueuedJob[] {
  return [...xml.matchAll(/<job_list[^>]*>(.*?)<\/job_list>/gs)].map(([, entry = '']) => {
    const value = (name: string) => plain(new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(entry)?.[1] ?? '');
    const job = value('JB_job_number');
    const task = value('tasks') || undefined;
    return {
      id: task ? `${job}.${task}` : job,
      job,
      task,
      name: value('JB_name'),
      user: value('JB_owner'),
      state: value('state'),
      node: value('queue_name').split('@')[1] ?? '',
    };
  });
}

/** Of `qacct -j`, in the order in which they ended. */
export function parseAccounts(text: string): Account[] {
  return text
    .split(/^=+$/m)
    .map(block =>
      Object.fromEntries(
        block
          .split('\n')
          .filter(Boolean)
          .map(line => [line.split(/\s/)[0], line.replace(/^\S+\s*/, '').trim()]),
      ),
    )
    .filter(account => 'jobnumber' in account);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

const plain = (xml: string) => xml.replace(/&(\w+);/g, (entity, name: string) => ENTITIES[name] ?? entity);
