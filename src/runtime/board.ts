/** What visits read of the nodes, under `.logobatch/run`: which there are, how to reach them, which are put aside, and what is said meanwhile. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Resource } from '../grid/model.ts';
import { insideSingle } from '../quote.ts';

const RUN = '.logobatch/run';

/** A line of `run/grid`. */
export interface Listed {
  readonly node: string;
  readonly kind: Resource['kind'];
  readonly slots: number;
  /** MiB that come with a slot, 0: unknown. */
  readonly memory: number;
  readonly gpus: number;
  readonly tags: readonly string[];
  /** Those of the programs asked for that it has. */
  readonly programs: readonly string[];
}

/** How visits reach a node. */
export interface Reach {
  readonly host: string;
  readonly options: readonly string[];
  readonly work: string;
  readonly root: string;
  readonly control: string;
  readonly sessions: number;
  readonly masters: number;
  readonly nice: number;
}

/** What a scheduler does not take, and its words. */
export interface Refused {
  readonly batch: string;
  /** What a visit asks for: processors, and the seconds that all its jobs may take together. */
  readonly cpus: number;
  readonly time: number;
  readonly why: string;
}

/** Replaces the list of nodes that visits choose from. */
export function listNodes(nodes: readonly Listed[]): void {
  const words = (list: readonly string[]) => list.join(',') || '-';
  const lines = nodes.map(
    ({ node, kind, slots, memory, gpus, tags, programs }) =>
      `${node} ${kind} ${slots} ${memory} ${gpus} ${words(tags)} ${words(programs)}\n`,
  );
  replace(join(RUN, 'grid'), lines.join(''));
}

/** How many slots of each host nobody holds just now. `slots`: the folder that their locks lie in. */
export function freeSlots(slots: string): Map<string, number> {
  const free = new Map<string, number>();
  for (const line of textOf(join(RUN, 'grid')).split('\n')) {
    const [node = '', kind, count] = line.split(' ');
    if ((kind !== 'local' && kind !== 'ssh') || isAside(node)) continue;
    const holders = Array.from({ length: Number(count) }, (_, i) =>
      textOf(join(slots, `${node}.${i + 1}.by`)),
    );
    free.set(node, holders.filter(holder => holder.trim() === '').length);
  }
  return free;
}

/** Whether nodes may still join that were not tried to the end yet: a job that fits none of those listed waits for them. */
export function expectMore(yes: boolean): void {
  if (yes) writeFileSync(join(RUN, 'coming'), '');
  else rmSync(join(RUN, 'coming'), { force: true });
}

/** `anew`: what was sent to its last work folder is not in this one. */
export function tellReach(node: string, reach: Reach, { anew }: { anew: boolean }): void {
  const folder = folderOf(node);
  mkdirSync(folder, { recursive: true });
  if (anew) rmSync(join(folder, 'have'), { recursive: true, force: true });
  const { options, ...rest } = reach;
  const lines = Object.entries({ ...rest, options: options.join(' ') }).map(
    ([key, value]) => `${key}='${insideSingle(String(value))}'\n`,
  );
  replace(join(folder, 'connect'), lines.join(''));
}

/** Who is told how batches end whose image names nobody. */
export function tellEmail(address: string): void {
  replace(join(RUN, 'email'), `${address}\n`);
}

/** These are in its view of the image by now: nobody has to send them again. */
export function tellHad(node: string, marks: readonly string[]): void {
  const folder = join(folderOf(node), 'have');
  mkdirSync(folder, { recursive: true });
  for (const mark of marks) writeFileSync(join(folder, mark), '');
}

/** How jobs on this machine are niced. */
export function tellNice(node: string, nice: number): void {
  mkdirSync(folderOf(node), { recursive: true });
  writeFileSync(join(folderOf(node), 'nice'), `${nice}\n`);
}

/** Where visits lay their orders for a cluster. */
export function spoolOf(node: string): string {
  const folder = join(folderOf(node), 'spool');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** How often a cluster's scheduler was spoken with, and how many tasks wait there: for whoever says so. */
export function tellCounts(
  node: string,
  counts: { readonly submissions: number; readonly queries: number; readonly waiting: number },
): void {
  replace(join(folderOf(node), 'counts'), `${counts.submissions} ${counts.queries} ${counts.waiting}\n`);
}

/** These scripts have failed there: whoever needs one of them looks for another node. */
export function tellUnprepared(node: string, scripts: readonly string[]): void {
  const folder = join(folderOf(node), 'unprepared');
  rmSync(folder, { recursive: true, force: true });
  for (const script of scripts) {
    mkdirSync(dirname(join(folder, script)), { recursive: true });
    writeFileSync(join(folder, script), '');
  }
}

/** Its scheduler takes no such jobs of this batch, in this run: whoever has some looks for another node. */
export function tellRefused(node: string, { batch, cpus, time, why }: Refused): void {
  const folder = join(folderOf(node), 'refused', batch);
  mkdirSync(folder, { recursive: true });
  replace(join(folder, `${cpus}.${time}`), `${why}\n`);
}

/** The job was handed to this cluster by an earlier run: whoever wants it has to ask there. */
export function tellAttached(batch: string, job: string, node: string): void {
  mkdirSync(join(ATTACHED, batch), { recursive: true });
  writeFileSync(join(ATTACHED, batch, job), `${node}\n`);
}

/** Somebody has asked for it. */
export function forgetAttachedJob(batch: string, job: string): void {
  rmSync(join(ATTACHED, batch, job), { force: true });
}

/** It is out of reach for this run. */
export function forgetAttached(node: string): void {
  for (const path of filesBelow(ATTACHED))
    if (readFileSync(path, 'utf8').trim() === node) rmSync(path, { force: true });
}

/** No job starts there until it is taken back. */
export function putAside(node: string): void {
  mkdirSync(folderOf(node), { recursive: true });
  writeFileSync(join(folderOf(node), 'aside'), '');
}

/** Jobs may start there again; what was lost there counts no more. */
export function takeBack(node: string): void {
  rmSync(join(folderOf(node), 'lost'), { force: true });
  rmSync(join(folderOf(node), 'aside'), { force: true });
}

/** Whether no jobs may start there for now: visits say so, too. */
export function isAside(node: string): boolean {
  return statSync(join(folderOf(node), 'aside'), { throwIfNoEntry: false }) !== undefined;
}

/** A line for the person, among those of the visits. */
export function addMessage(line: string): void {
  appendFileSync(join(RUN, 'messages'), `${line}\n`);
}

const ATTACHED = join(RUN, 'attached');

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap(entry =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const folderOf = (node: string) => join(RUN, 'nodes', node);

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
