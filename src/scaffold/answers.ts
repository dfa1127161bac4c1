/** What an image says of itself: what was given, what is known of the user, and what is asked on a terminal. */
import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { nameFault } from '../validate/names.ts';
import { bbatchSchema } from '../validate/schema.ts';

/** Undefined: not given. */
export interface Given {
  readonly name: string | undefined;
  readonly title: string | undefined;
  readonly author: string | undefined;
  readonly email: string | undefined;
}

export interface Answers {
  readonly name: string;
  readonly title: string;
  readonly author: string;
  readonly email: string;
}

/** What is wrong with an answer, with its cure; undefined for a good one. */
export const faultOf = {
  name: (text: string) => {
    const fault = nameFault(text);
    return fault && `${fault.why} (${text.includes('/') ? 'for another folder: --dir' : fault.hint})`;
  },
  title: oneLine,
  author: oneLine,
  email: (text: string) => {
    if (text === '' || bbatchSchema.shape.email.safeParse(text).success) return undefined;
    return `${JSON.stringify(text)} is no e-mail address (like me@example.org)`;
  },
} as const;

function oneLine(text: string): string | undefined {
  return /[\u0000-\u001f\u007f]/.test(text) ? 'it must be one line, without control characters' : undefined;
}

/** What stands in for what was not said: git and the system know who is there. */
export function defaults(name: string): Answers {
  return {
    name,
    title: name,
    author: fromGit('user.name') || user() || `the authors of ${name}`,
    // git's address is for commits: mail goes only to whom somebody has named.
    email: '',
  };
}

function fromGit(key: string): string {
  const { status, stdout } = spawnSync('git', ['config', '--get', key], { encoding: 'utf8' });
  const text = status === 0 ? stdout.trim() : '';
  return oneLine(text) === undefined ? text : '';
}

/** In a container the user may have no name. */
function user(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
