/** Images of one batch `b/a`, for tests that are about what its jobs do. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type MakeOptions, type Project, project } from './rig.ts';
import { broken, killAll, quiet } from './witness.ts';

const opened: Project[] = [];
/** Where tests have mounted something in an image. */
export const mounted: string[] = [];

/** For `afterEach`. */
export function removeImages(): void {
  for (const path of mounted.splice(0)) spawnSync('umount', ['-l', path]);
  for (const each of opened.splice(0)) {
    killAll(each);
    each.remove();
  }
}

/** One batch `a`: its keys, and its command. */
export async function image(keys: readonly string[], command: string): Promise<Project> {
  const indented = command.trim().replaceAll('\n', '\n      ');
  const text = `batches:\n  - name: a\n${keys.map(key => `    ${key}\n`).join('')}    command: |\n      ${indented}\n`;
  const made = await project({ files: { 'batch_info/b.yml': text } });
  opened.push(made);
  return made;
}

/** What one job comes to: the exit code of make, what it said, and the why of a job that failed. */
export async function outcome(command: string, keys: readonly string[] = [], options: MakeOptions = {}) {
  const of = await image(keys, command);
  const { code, out } = await of.make([], options);
  await quiet(of);
  assert.deepEqual(broken(of), []);
  return { of, code, out, why: /^failed {2}b\/a\/Job1: (.*)$/m.exec(out)?.[1] };
}
