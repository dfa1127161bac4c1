/**
 * What is to be staged: the shared folders of the image as they are on this machine. Names are taken as bytes (one character
 * a byte), so that all of them travel as they are and sort as the nodes sort them.
 */
import { type BigIntStats, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** A file, folder or link of the image. */
export interface TreeEntry {
  readonly path: string;
  /** As `inventory` on the node describes it. */
  readonly line: string;
  /** Changes whenever the entry may have changed. */
  readonly stamp: string;
}

/** What programs and editors leave in a folder of code: the same as in stamps.sh. */
const JUNK = /^(__pycache__|\.git|\.ipynb_checkpoints|\.DS_Store|.*~|\..*\.swp)$/s;

/**
 * All that is in these paths, and the folders above them, sorted; links as links. A path may itself be a link within the image:
 * then what it leads to is taken, too. What is missing is left out; what may not be read rejects with
 * the system's error. Gives way to others now and then.
 */
export async function treeOf(paths: readonly string[]): Promise<TreeEntry[]> {
  const found = new Map<string, TreeEntry>();
  const open: string[] = [];
  for (const path of paths) {
    const way = wayTo(bytes(path));
    for (const step of way) look(step, found);
    open.push(...way.slice(-1));
  }
  const walked = new Set<string>();
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (walked.has(path)) continue;
    walked.add(path);
    if (walked.size % 500 === 0) await setImmediate();
    if (!look(path, found)?.isDirectory()) continue;
    for (const name of namesIn(path)) if (!JUNK.test(name)) open.push(`${path}/${name}`);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Adds one entry. What is neither file, folder nor link stays at home. */
function look(path: string, found: Map<string, TreeEntry>): BigIntStats | undefined {
  const stats = lstatSync(buffer(path), { bigint: true, throwIfNoEntry: false });
  if (!stats) return undefined;
  const mode = (stats.mode & 0o777n).toString(8);
  const stamp = `${stats.mtimeNs}.${stats.ctimeNs}.${stats.ino}`;
  const seconds = stats.mtimeNs / 1_000_000_000n - (stats.mtimeNs < 0n ? 1n : 0n);
  if (stats.isDirectory()) found.set(path, { path, line: `d ${mode} ./${path}`, stamp: mode });
  else if (stats.isSymbolicLink()) found.set(path, { path, line: `l ${stats.size} ./${path}`, stamp });
  else if (stats.isFile())
    found.set(path, { path, line: `f ${mode} ${stats.size} ${seconds} ./${path}`, stamp });
  return stats;
}

/** The folders from the root to a path, and it, with links on the way and what these lead to. Links out of the image are not followed. */
function wayTo(path: string): string[] {
  const parts = path.split('/').filter(part => part !== '.' && part !== '');
  const steps: string[] = [];
  for (let i = 1; i <= parts.length; i++) {
    const step = parts.slice(0, i).join('/');
    const stats = lstatSync(buffer(step), { throwIfNoEntry: false });
    if (!stats) break;
    steps.push(step);
    if (!stats.isSymbolicLink()) continue;
    const inside = targetOf(step);
    return inside === undefined ? steps : [...steps, ...wayTo([inside, ...parts.slice(i)].join('/'))];
  }
  return steps;
}

function targetOf(link: string): string | undefined {
  try {
    const root = `${bytes(realpathSync('.'))}/`;
    const real = realpathSync(buffer(link), 'latin1');
    return real.startsWith(root) ? real.slice(root.length) : undefined;
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(buffer(folder), 'latin1');
  } catch (error) {
    // It has just been removed.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** One character a byte, and back. */
export const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
export const buffer = (path: string) => Buffer.from(path, 'latin1');

/** Looks once for all nodes that come up together; what comes later is looked at anew. */
export function sharedTree(paths: readonly string[]): () => Promise<readonly TreeEntry[]> {
  let last: { readonly at: number; readonly tree: Promise<readonly TreeEntry[]> } | undefined;
  return () => {
    const now = Date.now();
    if (!last || now - last.at > 30_000) last = { at: now, tree: treeOf(paths) };
    return last.tree;
  };
}
