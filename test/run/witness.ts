/**
 * What must hold after any fault, seen from outside: which processes of an image are alive, and whether every folder
 * with a `.done` is what its record says.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from './rig.ts';

/** The pids of everything started from the image, whatever became of its parents: all of it has the image's own HOME. */
export function living({ home }: Project): number[] {
  return pids(pid => read(`/proc/${pid}/environ`).split('\0').includes(`HOME=${home}`));
}

/** Those of them whose command line holds all these words. */
export function called(project: Project, ...words: readonly string[]): number[] {
  return living(project).filter(pid => {
    const line = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    return words.every(word => line.includes(word));
  });
}

/** Ends everything of the image at once, as a power cut would; again until nothing new has been born meanwhile. */
export function killAll(project: Project): void {
  for (let left = living(project); left.length > 0; left = living(project)) {
    for (const pid of left) kill(pid, 'SIGKILL');
  }
}

/** A signal to what may be gone already; a negative pid is a process group. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone.
  }
}

/** Waits until `condition` gives something, asking often. Fails with `what` when it takes too long. */
export async function until<T>(
  what: string,
  condition: () => T | false | undefined,
  seconds = 30,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = condition();
    if (found !== false && found !== undefined) return found;
    if (performance.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await sleep(10);
  }
}

/** Waits until nothing of the image lives. */
export async function quiet(project: Project, seconds = 15): Promise<void> {
  const names = () => living(project).map(pid => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '));
  const end = performance.now() + seconds * 1000;
  while (living(project).length > 0 && performance.now() < end) await sleep(20);
  assert.deepEqual(names(), [], `still alive after ${seconds} s`);
}

/** What lies beside a result and is none. */
const BESIDE = new Set(['jobfile.sh', 'job.out', 'job.err', 'slurm.out', 'sge.out', '.done']);

/** What is wrong with folders that have a `.done`; empty when each of them is whole and what its record says. */
export function broken({ root }: Project): string[] {
  const wrong: string[] = [];
  for (const folder of jobFolders(root)) {
    const record = join(root, folder, '.done');
    if (!existsSync(record)) continue;
    const [meaning = '', outputs = '', , ...rest] = readFileSync(record, 'utf8').split('\n');
    const promised = rest.slice(0, -2);
    if (!meaning.startsWith('logobatch 1 ') || !outputs.startsWith('outputs ') || rest.at(-2) !== 'end') {
      wrong.push(`${folder}: the record is ${meaning ? 'cut' : 'empty'}`);
      continue;
    }
    const found = Object.entries(contents(join(root, folder)))
      .filter(([path]) => !BESIDE.has(path))
      .map(([path, text]) =>
        text.startsWith('-> ') ? `link ./${path} ${text.slice(3)}` : sumLine(path, text),
      );
    if (found.sort().join('\n') !== promised.sort().join('\n'))
      wrong.push(`${folder}: holds\n${found.join('\n')}\nbut its record says\n${promised.join('\n')}`);
    for (const log of ['job.out', 'job.err'])
      if (!existsSync(join(root, folder, log))) wrong.push(`${folder}: ${log} is missing`);
  }
  return wrong;
}

/** All that stands in data/processed but the records (they hold times): path → content. */
export function processed({ root }: Project): Record<string, string> {
  const all = Object.entries(contents(join(root, 'data/processed')));
  return Object.fromEntries(all.filter(([path]) => !path.endsWith('/.done')));
}

function jobFolders(root: string): string[] {
  return readdirSync(join(root, 'data/processed'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('/jobfile.sh') && path.split('/').length === 4)
    .map(path => join('data/processed', path, '..'));
}

function contents(folder: string): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry): [string, string] => {
    const path = join(entry.parentPath, entry.name);
    const text = entry.isSymbolicLink()
      ? `-> ${readlinkSync(path)}`
      : entry.isFile()
        ? readFileSync(path, 'latin1')
        : '';
    return [entry.isDirectory() ? `${relative(folder, path)}/` : relative(folder, path), text];
  });
  return Object.fromEntries(all.filter(([path]) => !path.endsWith('/')).sort());
}

/** As sha256sum writes it: names with backslashes or line breaks are escaped. */
function sumLine(path: string, latin1: string): string {
  const sum = createHash('sha256').update(latin1, 'latin1').digest('hex');
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `${escaped === path ? '' : '\\'}${sum}  ./${escaped}`;
}

function pids(accepts: (pid: number) => boolean): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(accepts);
}

/** Empty for what is gone or not ours to read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
