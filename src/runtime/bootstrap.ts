/** One node from nothing to ready: connected, looked at, with a work folder, what is shared in it, its setup done. */
import { join } from 'node:path';
import type { ClusterResource, SshResource } from '../grid/model.ts';
import { shWord } from '../quote.ts';
import type { Connected, ConnectOptions, Transport } from '../transport/transport.ts';
import { tellUnprepared } from './board.ts';
import { arraysOf } from './cluster/notes.ts';
import type { Context } from './context.ts';
import { KEPT, readKept, tellKept } from './control.ts';
import { EXECUTORS } from './executors/executors.ts';
import { type Entry, entriesOf, note, strike } from './ledger.ts';
import type { Failure } from './life.ts';
import type { Logins } from './login.ts';
import { candidatesOn, type Facts, probe } from './probe.ts';
import { reach } from './reach.ts';
import { randomWord, runScript } from './script.ts';
import { stage } from './stage.ts';
import type { Placed, Storages } from './storages.ts';
import { removeWork } from './teardown.ts';
import type { TreeEntry } from './tree.ts';
import { type Turn, turnsOf } from './turns.ts';
import { adoptWork, isPlainPath, makeWork, newWorkName, type Work } from './work.ts';

/** A node on which jobs can start. */
export interface Ready {
  readonly transport: Transport;
  readonly facts: Facts;
  /** A person has logged in: there will be no second connection. */
  readonly byPerson: boolean;
  readonly work: Work;
  /** The folder there that is the image's root. */
  readonly root: string;
  /** All that batches want to be run there has succeeded. */
  readonly prepared: boolean;
  /** What visits have sent to the root is still there. */
  readonly continued: boolean;
}

/** A failure says whether another try makes sense. */
export type Outcome = { readonly ok: true; readonly ready: Ready } | Failure;

/** What bringing a node up needs to know beside the node. */
export interface Wishes {
  readonly context: Context;
  /** What is to be staged. */
  readonly tree: () => Promise<readonly TreeEntry[]>;
  readonly storages: Storages;
  /** At most so many handshakes at once. */
  readonly turn: Turn;
  /** Path of the socket for a connection of the runtime's own. */
  readonly control: string;
  /** It is this cluster's login node: what is made there has to be seen by all its machines. */
  readonly queue?: ClusterResource;
  /** What is made is to stay when the run is over. */
  readonly warm: boolean;
  /** The connection, too. */
  readonly kept: boolean;
  readonly interactive: boolean;
  /** Whom to ask where a login needs a person. */
  readonly logins: Logins;
  /** Things worth knowing that stop nothing. */
  readonly say: (line: string) => void;
  readonly abort: AbortSignal;
}

/** Seconds. */
const HANDSHAKE = 20;
const PERSON = 180;
const SETUP = 3600;

/** Brings it up. Where that fails no connection stays; what was made there is in the ledger. */
export async function bootstrap(node: SshResource, wishes: Wishes): Promise<Outcome> {
  const { control, abort, turn, queue, kept } = wishes;
  // Visits to a host share the runtime's connection; those to a cluster seldom need one.
  const shared = { control, abort, shared: !queue, idle: kept ? KEPT : undefined };
  const options = { ...shared, seconds: HANDSHAKE, interactive: false };
  let connected = await turn(() => reach(node, options, wishes.context.secrets));
  let byPerson = readKept(control)?.byPerson ?? false;
  if (!connected.ok && connected.kind === 'auth') {
    connected = (await withPerson(node, options, wishes)) ?? connected;
    byPerson = connected.ok;
  }
  if (!connected.ok) {
    const { failure, kind } = connected;
    return { ok: false, why: failure.message, hint: failure.hint, again: kind === 'unreachable' };
  }
  if (kept) tellKept(control, { byPerson });
  const { transport } = connected;
  const close = () => void transport.close();
  abort.addEventListener('abort', close, { once: true });
  try {
    const outcome = await prepare(node, transport, byPerson, wishes);
    if (!outcome.ok || abort.aborted) await transport.close();
    return outcome;
  } finally {
    abort.removeEventListener('abort', close);
  }
}

/** Logs in once more where somebody can answer: at our own terminal, one host after another, or at that of `start`. */
async function withPerson(
  node: SshResource,
  options: ConnectOptions,
  { interactive, logins, control, abort }: Wishes,
): Promise<Connected | undefined> {
  const bySsh = { ...node, transport: 'openssh' } as const;
  if (interactive) return inTurn(() => reach(bySsh, { ...options, seconds: PERSON, interactive }));
  return (await logins.ask(node.host, control, abort)) ? reach(bySsh, options) : undefined;
}

const inTurn = turnsOf(1);

async function prepare(
  node: SshResource,
  transport: Transport,
  byPerson: boolean,
  wishes: Wishes,
): Promise<Outcome> {
  const { context, queue } = wishes;
  const candidates = candidatesOn(queue ?? node);
  const programs = queue ? EXECUTORS[queue.kind].programs : [];
  const probed = await probe(transport, { candidates, requires: [...programs, ...context.requires] });
  if (!probed.ok) return probed;
  const missing = programs.filter(program => !probed.facts.programs.includes(program));
  if (missing.length > 0)
    return {
      ok: false,
      why: `no ${missing.join(', ')} there: is it a machine to submit from?`,
      again: false,
    };
  const { facts } = probed;
  const known = entriesOf(node.name).filter(({ storage }) => storage === undefined);
  const [above = '/tmp'] = facts.usable;
  const own = await obtain(transport, known, newEntry(node, above, wishes), wishes);
  if (!own.ok) return own;
  const view = await viewOf(node, transport, own.work, facts, wishes);
  if ('why' in view) return { ok: false, why: `staging failed: ${view.why}`, again: true };
  // A run that is taken over by another process goes on with what it began with.
  const prepared = own.work.continued || (await setUp(node.name, transport, view.root, wishes));
  return { ok: true, ready: { transport, facts, byPerson, work: own.work, prepared, ...view } };
}

/** The view of the image: on a storage, if the node mounts one, else in its work folder. */
async function viewOf(
  node: SshResource,
  transport: Transport,
  own: Work,
  { busyboxTar: busybox }: Facts,
  wishes: Wishes,
): Promise<{ readonly root: string; readonly continued: boolean } | { readonly why: string }> {
  const place = async (known: Entry | undefined, above: string): Promise<Placed> => {
    const [{ name: storage } = { name: '' }] = node.remoteStorage;
    if (!isPlainPath(above)) return { ok: false, why: `${above} has odd characters in it` };
    const here = { node: node.name, host: node.host, transport: node.transport };
    const moved = known && { ...known, ...here, work: join(above, known.work.split('/').at(-1) ?? '') };
    const fresh = { ...newEntry(node, above, wishes), storage };
    const got = await obtain(transport, moved ? [moved] : [], fresh, wishes);
    if (!got.ok) return got;
    if (known && known.node !== node.name) strike(known);
    const memory = join('.logobatch/ledger/storage', `${storage}.staged`);
    const staged = await bringUp(transport, got.work, memory, busybox, wishes);
    return staged.ok ? got : staged;
  };
  const shared = await wishes.storages.rootOn(node, transport, place);
  if (shared && 'root' in shared) return shared;
  if (shared) wishes.say(`note    ${node.name}: has a view of its own: ${shared.why}`);
  const memory = join('.logobatch/ledger', `${node.name}.staged`);
  const staged = await bringUp(transport, own, memory, busybox, wishes);
  if (!staged.ok) return staged;
  return { root: join(own.entry.work, 'image'), continued: own.continued };
}

async function bringUp(
  transport: Transport,
  work: Work,
  memory: string,
  busybox: boolean,
  { context, tree, queue }: Wishes,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly why: string }> {
  if (work.continued) return { ok: true };
  // Jobs of an earlier run that still wait in the queue build on what that has sent and set up.
  const only = queue && arraysOf(queue.name).length > 0 ? context.shared : undefined;
  try {
    return await stage(transport, work, await tree(), { memory, busybox, only });
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return { ok: false, why: error.message };
    throw error;
  }
}

/** A work folder: one of those known that may be taken over, or a new one. The others that are known are removed first. */
async function obtain(
  transport: Transport,
  known: readonly Entry[],
  fresh: Entry,
  { context, say }: Wishes,
): Promise<{ readonly ok: true; readonly work: Work } | Failure> {
  for (const entry of known) {
    if (entry.warm || entry.queue || entry.run === context.run) {
      const adopted = await adoptWork(transport, entry, context.run);
      if (adopted.ok) {
        const { work } = adopted;
        const renewed = { ...work.entry, warm: entry.warm || fresh.warm };
        note(renewed);
        return { ok: true, work: { ...work, entry: renewed } };
      }
      if (!adopted.said.ok) return { ok: false, why: adopted.said.why, again: adopted.said.lost };
    }
    const removed = await removeWork(transport, entry);
    if (removed.ok) strike(entry);
    else if (removed.lost) return { ok: false, why: removed.why, again: true };
    else say(`left    ${entry.node}:${entry.work}, of an earlier run: ${removed.why}`);
  }
  note(fresh);
  const made = await makeWork(transport, fresh);
  if (made.ok) {
    // A run that was killed may have made it after its ledger was looked at last.
    for (const stranger of made.strangers) await removeWork(transport, stranger);
    return { ok: true, work: made.work };
  }
  const why = made.said.ok ? 'its work folder cannot be made' : made.said.why;
  return { ok: false, why, again: !made.said.ok && made.said.lost };
}

function newEntry(node: SshResource, above: string, { context, warm, queue }: Wishes): Entry {
  return {
    node: node.name,
    host: node.host,
    transport: node.transport,
    work: join(above, newWorkName()),
    token: randomWord(20),
    run: context.run,
    warm: warm || node.keep || context.keep,
    ...(queue && { queue: queue.kind }),
  };
}

/** Runs what batches want to be run. Jobs of those whose script has failed do not run there. */
async function setUp(
  node: string,
  transport: Transport,
  root: string,
  { context, say }: Wishes,
): Promise<boolean> {
  const failed: string[] = [];
  for (const { script, batches } of context.setups) {
    const text = `cd ${shWord(root)} || exit\nsh ${shWord(`./${script}`)} 2>&1`;
    const said = await runScript(transport, text, SETUP);
    if (said.ok) continue;
    failed.push(script);
    const quoted = said.lines.slice(-10).map(line => `\n    | ${line}`);
    say(`setup   ${node}: ${script} failed (${said.why}), no jobs of ${batches} run there${quoted.join('')}`);
  }
  tellUnprepared(node, failed);
  return failed.length === 0;
}
