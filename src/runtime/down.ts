/** Takes down what the ledger knows of: a connection a host, everything that was made there removed and seen to be gone. */
import { connect } from '../transport/connect.ts';
import { type Entry, readLedger, strike } from './ledger.ts';
import { type Removed, removeWork } from './teardown.ts';

export interface Report {
  /** Lines for the person. */
  readonly lines: readonly string[];
  /** Nothing of ours is left there. */
  readonly clean: boolean;
}

export interface DownOptions {
  /** The path of a control socket for a connection of its own. */
  readonly control: string;
  readonly interactive: boolean;
  /** For the handshake. */
  readonly seconds: number;
}

/** Takes down these work folders of one node. */
export async function takeDown(entries: readonly Entry[], options: DownOptions): Promise<Report> {
  const [first] = entries;
  if (!first) return { lines: [], clean: true };
  const { control, seconds, interactive } = options;
  const connected = await connect(first.host, first.transport, { control, seconds, interactive });
  if (!connected.ok)
    return { lines: entries.map(entry => leftLine(entry, connected.failure.message)), clean: false };
  const { transport } = connected;
  try {
    const reports: Report[] = [];
    for (const entry of entries) reports.push(reportOf(entry, await removeWork(transport, entry)));
    return joined(reports);
  } finally {
    await transport.close();
  }
}

/** Strikes an entry off when its work folder is gone, and says what is to be said. */
export function reportOf(entry: Entry, removed: Removed): Report {
  if (!removed.ok) return { lines: [leftLine(entry, removed.why)], clean: false };
  strike(entry);
  const lines = removed.strays.map(
    stray =>
      `note    ${entry.node}: started during the run and still there, perhaps by a job: process ${stray}`,
  );
  return { lines, clean: true };
}

export function joined(reports: readonly Report[]): Report {
  return { lines: reports.flatMap(({ lines }) => lines), clean: reports.every(({ clean }) => clean) };
}

/** Everything of this image, side by side. */
export async function takeAllDown(
  options: (node: string, number: number) => DownOptions,
  turn: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Report & { readonly count: number }> {
  const { entries, damaged } = readLedger();
  const nodes = [...new Set(entries.map(({ node }) => node))];
  const reports = await Promise.all(
    nodes.map((name, i) => {
      const ofNode = entries.filter(({ node }) => node === name);
      return turn(() => takeDown(ofNode, options(name, i)));
    }),
  );
  const unreadable = damaged.map(path => `left    ${path} cannot be read: what it names is not taken down`);
  const { lines, clean } = joined(reports);
  return {
    lines: [...unreadable, ...lines],
    clean: clean && unreadable.length === 0,
    count: entries.length,
  };
}

const leftLine = ({ node, work }: Entry, why: string) => `left    ${node}:${work}: ${why}; later: make down`;
