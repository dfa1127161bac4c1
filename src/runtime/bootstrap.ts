/** One node from nothing to ready: connected, looked at, with a work folder, what is shared in it, its setup done. */
import { join } from 'node:path';
import type { SshResource } from '../grid/model.ts';
import { shWord } from '../quote.ts';
import { connect } from '../transport/connect.ts';
import type { Transport } from '../transport/transport.ts';
import type { Context } from './context.ts';
import { type Entry, entriesOf, note, strike } from './ledger.ts';
import { type Facts, probe } from './probe.ts';
import { randomWord, runScript } from './script.ts';
import { stage } from './stage.ts';
import { removeWork } from './teardown.ts';
import type { TreeEntry } from './tree.ts';
import { adoptWork, isPlainPath, makeWork, newWorkName, type Work } from './work.ts';

export interface Ready {
  readonly transport: Transport;
  readonly facts: Facts;
  readonly work: Work;
  /** The folder there that is the image's root. */
  readonly root: string;
}

/** `again`: it may mend itself, so another try makes sense. */
export type Outcome =
  | { readonly ok: true; readonly ready: Ready }
  | { readonly ok: false; readonly why: string; readonly hint?: string; readonly again: boolean };

export interface Wishes {
  readonly context: Context;
  /** What is to be staged. */
  readonly tree: () => Promise<readonly TreeEntry[]>;
  /** At most so many handshakes at once. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly control: string;
  readonly warm: boolean;
  readonly interactive: boolean;
  /** Things worth knowing that stop nothing. */
  readonly say: (line: string) => void;
  readonly abort: AbortSignal;
}

const HANDSHAKE = 20;

export async function bootstrap(node: SshResource, wishes: Wishes): Promise<Outcome> {
  const { control, interactive, abort, turn } = wishes;
  const connected = await turn(() =>
    connect(node.host, node.transport, { control, seconds: HANDSHAKE, interactive, abort }),
  );
  if (!connected.ok) {
    const { failure, kind } = connected;
    return { ok: false, why: failure.message, hint: failure.hint, again: kind === 'unreachable' };
  }
  const { transport } = connected;
  const close = () => void transport.close();
  abort.addEventListener('abort', close, { once: true });
  try {
    const outcome = await prepare(node, transport, wishes);
    if (!outcome.ok) await transport.close();
    return outcome;
  } finally {
    abort.removeEventListener('abort', close);
  }
}

async function prepare(node: SshResource, transport: Transport, wishes: Wishes): Promise<Outcome> {
  const { context, say } = wishes;
  const probed = await probe(transport, { candidates: candidatesOf(node), requires: context.requires });
  if (!probed.ok) return { ok: false, why: probed.why, again: probed.again };
  const { facts } = probed;
  const found = await findWork(node, transport, facts, wishes);
  if ('ok' in found) return found;
  // A run that is taken over by another process goes on with what it began with.
  if (!found.continued) {
    const memory = join('.logobatch/ledger', `${node.name}.staged`);
    const staged = await stage(transport, found, await wishes.tree(), { memory, busybox: facts.busyboxTar });
    if (!staged.ok) return { ok: false, why: `staging failed: ${staged.why}`, again: true };
  }
  const root = join(found.entry.work, 'image');
  for (const script of found.continued ? [] : context.setups) {
    const failed = await setup(transport, root, script);
    if (failed === undefined) continue;
    for (const line of failed.slice(-10)) say(`    | ${line}`);
    return { ok: false, why: `setup ${script} failed`, again: false };
  }
  return { ok: true, ready: { transport, facts, work: found, root } };
}

/** The work folder of this run: one that may be taken over, or a new one. What else the ledger knows of this node is removed first. */
async function findWork(
  node: SshResource,
  transport: Transport,
  facts: Facts,
  { context, warm, say }: Wishes,
): Promise<Work | Extract<Outcome, { ok: false }>> {
  for (const entry of entriesOf(node.name).filter(({ storage }) => storage === undefined)) {
    if (entry.warm || entry.run === context.run) {
      const adopted = await adoptWork(transport, entry, context.run);
      if (adopted.ok) {
        const renewed = { ...adopted.work.entry, warm: entry.warm || warm };
        note(renewed);
        return { ...adopted.work, entry: renewed };
      }
      if (!adopted.said.ok) return { ok: false, why: adopted.said.why, again: adopted.said.lost };
    }
    const removed = await removeWork(transport, entry);
    if (removed.ok) strike(entry);
    else if (removed.lost) return { ok: false, why: removed.why, again: true };
    else say(`left    ${node.name}: an earlier run's ${removed.why}`);
  }
  const [above] = facts.usable;
  if (above === undefined)
    return {
      ok: false,
      why: `none of ${candidatesOf(node).join(', ')} can hold a work folder`,
      again: false,
    };
  const entry: Entry = {
    node: node.name,
    host: node.host,
    transport: node.transport,
    work: join(above, newWorkName()),
    token: randomWord(20),
    run: context.run,
    warm: warm || node.keep || context.keep,
  };
  note(entry);
  const made = await makeWork(transport, entry);
  if (made.ok) return made.work;
  const why = made.said.ok ? 'its work folder cannot be made' : made.said.why;
  return { ok: false, why, again: !made.said.ok && made.said.lost };
}

/** The last lines of what it printed, if it failed. */
async function setup(
  transport: Transport,
  root: string,
  script: string,
): Promise<readonly string[] | undefined> {
  const text = `cd ${shWord(root)} || exit\nsh ${shWord(`./${script}`)} 2>&1`;
  const said = await runScript(transport, text, 3600);
  return said.ok ? undefined : [...said.lines, said.why];
}

/** Where a work folder may be, best first. */
function candidatesOf(node: SshResource): string[] {
  return [...node.fastStorage.filter(isPlainPath), '/tmp', '$HOME'];
}
