/** Takes down what the ledger knows of: a connection a host, everything that was made there removed and seen to be gone. */
import { existsSync } from 'node:fs';
import type { Host, SshResource } from '../grid/model.ts';
import type { Connected, Transport, Wish } from '../transport/transport.ts';
import { cancelAll } from './cluster/cancel.ts';
import { strikeArrays } from './cluster/notes.ts';
import { arrayPrefix } from './cluster/site.ts';
import { EXECUTORS } from './executors/executors.ts';
import { type Entry, readLedger, strike } from './ledger.ts';
import { reach } from './reach.ts';
import { type Removed, removeWork } from './teardown.ts';
import type { Turn } from './turns.ts';

/** What became of taking something down. */
export interface Report {
  /** Lines for the person. */
  readonly lines: readonly string[];
  /** Nothing of ours is left there. */
  readonly clean: boolean;
}

/** How hosts are reached for that. */
export interface DownOptions {
  /** The path of a control socket for a connection of its own. */
  readonly control: string;
  /** Where the connection to a warm node may still be open. */
  readonly kept?: (node: { readonly name: string; readonly host: Host }) => string;
  readonly interactive: boolean;
  /** For the handshake. */
  readonly seconds: number;
}

/** Over the connection that is still open, if there is one. It is not closed here, but with all others at the end. */
export async function reachAgain(
  node: { readonly name: string; readonly host: Host; readonly transport: Wish },
  options: DownOptions,
): Promise<Connected> {
  const kept = options.kept?.(node) ?? '';
  return reach(node, existsSync(kept) ? { ...options, control: kept, shared: true } : options);
}

/** Takes down these work folders of one node. */
export async function takeDown(entries: readonly Entry[], options: DownOptions): Promise<Report> {
  const [first] = entries;
  if (!first) return { lines: [], clean: true };
  const connected = await reachAgain({ ...first, name: first.node }, options);
  if (!connected.ok)
    return { lines: entries.map(entry => leftLine(entry, connected.failure.message)), clean: false };
  const { transport } = connected;
  try {
    const reports: Report[] = [];
    for (const entry of entries) reports.push(await takeOneDown(transport, entry));
    return joined(reports);
  } finally {
    await transport.close({ keep: true });
  }
}

/** A cluster's goes when nothing in the queue needs it any more. */
async function takeOneDown(transport: Transport, entry: Entry): Promise<Report> {
  if (entry.queue) {
    const { why } = await cancelAll(transport, EXECUTORS[entry.queue], arrayPrefix());
    if (why !== undefined) return { lines: [leftLine(entry, why)], clean: false };
    strikeArrays(entry.node);
  }
  return reportOf(entry, await removeWork(transport, entry));
}

/** Strikes an entry off when its work folder is gone, and says what is to be said. */
export function reportOf(entry: Entry, removed: Removed): Report {
  if (!removed.ok) return { lines: [leftLine(entry, removed.why)], clean: false };
  strike(entry);
  const lines = removed.strays.map(
    stray =>
      `note    ${entry.node}: began during the run and is still there, perhaps a job's: process ${stray}`,
  );
  return { lines, clean: true };
}

/** One report of several; clean if all are. */
export function joined(reports: readonly Report[]): Report {
  return { lines: reports.flatMap(({ lines }) => lines), clean: reports.every(({ clean }) => clean) };
}

/** Takes down what lies on a storage: by way of the node that put it there, or of any other that sees it. */
export async function takeStorageDown(
  entry: Entry,
  nodes: readonly SshResource[],
  options: DownOptions,
): Promise<Report> {
  let report = await takeDown([entry], options);
  for (const { name, host, transport, remoteStorage } of nodes) {
    const mount = remoteStorage.find(each => each.name === entry.storage);
    if (report.clean) break;
    if (!mount || name === entry.node) continue;
    const work = `${mount.path}/${entry.work.split('/').at(-1)}`;
    const other = await takeDown([{ ...entry, node: name, host, transport, work }], options);
    if (!other.clean) continue;
    strike(entry);
    report = other;
  }
  return report;
}

/** Everything of this image: the nodes side by side, then what they had in common. */
export async function takeAllDown(
  nodes: readonly SshResource[],
  options: (number: number) => DownOptions,
  turn: Turn,
): Promise<Report & { readonly count: number }> {
  const { entries, damaged } = readLedger();
  const own = entries.filter(({ storage }) => storage === undefined);
  const names = [...new Set(own.map(({ node }) => node))];
  const reports = await Promise.all(
    names.map((name, i) => {
      const there = own.filter(({ node }) => node === name);
      return turn(() => takeDown(there, options(i)));
    }),
  );
  for (const entry of entries)
    if (entry.storage !== undefined) reports.push(await takeStorageDown(entry, nodes, options(names.length)));
  const unreadable = damaged.map(path => `left    ${path} cannot be read: what it names is not taken down`);
  const { lines, clean } = joined(reports);
  return {
    lines: [...unreadable, ...lines],
    clean: clean && unreadable.length === 0,
    count: entries.length,
  };
}

const leftLine = ({ node, work }: Entry, why: string) => `left    ${node}:${work}: ${why}; later: make down`;
