/** The lab's background processes: one a folder, known by the folder's pid file and by naming the folder in its arguments. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { end, processesOf } from './processes.ts';

/** Undefined when it does not run; a number that was given to another process since does not mislead. */
export function daemonOf(folder: string): number | undefined {
  const path = join(folder, 'pid');
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  const found = processesOf().find(each => each.pid === pid);
  return found?.args.includes(`${folder}/`) ? pid : undefined;
}

/** Ends it and, if so wished, what it has forked. */
export function endDaemon(folder: string, children: boolean): void {
  const pid = daemonOf(folder);
  if (pid === undefined) return;
  const forked = processesOf().filter(({ parent }) => parent === pid);
  end([pid, ...(children ? forked.map(each => each.pid) : [])]);
}
