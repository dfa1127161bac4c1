/** Images written as a map of batches, for tests of what the keys of a batch do. */
import assert from 'node:assert/strict';
import { type Files, type MakeOptions, note, type Project, type ProjectOptions, project } from './rig.ts';

const opened: Project[] = [];
/** For `afterEach`: removes every image made since. */
export function removeImages(): void {
  for (const made of opened.splice(0)) made.remove();
}

/** An image with one bbatch `b` of these batches: name → its YAML; each job leaves a note. */
export async function image(
  batches: Readonly<Record<string, string>>,
  files: Files = {},
  options: Omit<ProjectOptions, 'files'> = {},
): Promise<Project> {
  const list = Object.entries(batches).map(
    ([name, yaml]) =>
      `  - name: ${name}\n${yaml.trim().replace(/^ */gm, '    ').replaceAll('$NOTE', note(name))}\n`,
  );
  const made = await project({
    files: { 'batch_info/b.yml': `batches:\n${list.join('')}`, ...files },
    ...options,
  });
  opened.push(made);
  return made;
}

export async function succeeds(
  of: Project,
  args: readonly string[] = [],
  options: MakeOptions = {},
): Promise<string> {
  const { code, out } = await of.make(args, options);
  assert.equal(code, 0, out);
  return out;
}

export async function fails(
  of: Project,
  args: readonly string[] = [],
  options: MakeOptions = {},
): Promise<string> {
  const { code, out } = await of.make(args, options);
  assert.equal(code, 2, out);
  return out;
}

/** Names of jobs: `jobs('sim', 1, 3)`. */
export const jobs = (batch: string, ...numbers: readonly number[]) =>
  numbers.map(n => `${batch}/Job${n}`); /** Six jobs. */
export const DIGITS = 'inputs: ["1", "2", "3", "4", "5", "6"]';
