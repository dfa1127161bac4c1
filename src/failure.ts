/** A machine that misbehaves: a full disk, a folder that may not be written. Not the user's mistake, and not ours. */
import { relative } from 'node:path';
import { visible } from './diagnostic.ts';

export interface Failure {
  readonly message: string;
  readonly hint: string;
}

/** Says what a system error means for the user; undefined for any other error, which is a mistake of ours. */
export function asFailure(error: unknown, root: string): Failure | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  const path = 'path' in error && typeof error.path === 'string' ? relative(root, error.path) || '.' : '';
  const at = path === '' ? '' : ` ${visible(path)}`;
  const known = REASONS.get(String(error.code));
  if (known) return { message: `cannot write${at}: ${known.why}`, hint: known.cure };
  return {
    message: `cannot go on${at === '' ? '' : ` at${at}`}: ${visible(error.message)}`,
    hint: UNCHANGED,
  };
}

const UNCHANGED = 'the Makefile is as it was; compile again when that is mended';

const REASONS: ReadonlyMap<string, { why: string; cure: string }> = new Map([
  ['ENOSPC', { why: 'no space left on the disk', cure: `make room; ${UNCHANGED}` }],
  ['EDQUOT', { why: 'your quota on this disk is used up', cure: `make room; ${UNCHANGED}` }],
  ['EROFS', { why: 'the disk is read-only', cure: `copy the image to where you may write; ${UNCHANGED}` }],
  ['EACCES', { why: 'you may not write there', cure: `give yourself the right (chmod u+w); ${UNCHANGED}` }],
  ['EPERM', { why: 'you may not write there', cure: `the folder's owner can; ${UNCHANGED}` }],
  ['EIO', { why: 'the disk reports an error', cure: `look at the system's log; ${UNCHANGED}` }],
  ['ENOTDIR', { why: 'a file stands where a folder should be', cure: `move it away; ${UNCHANGED}` }],
  ['EISDIR', { why: 'a folder stands where a file should be', cure: `move it away; ${UNCHANGED}` }],
  ['ENAMETOOLONG', { why: 'the path is too long', cure: `put the image into a shorter path; ${UNCHANGED}` }],
]);
