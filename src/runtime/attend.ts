/**
 * The process that attends the nodes of one run: brings them up side by side, tells the visits of them, keeps them, brings lost ones
 * back, and takes all down when its standard input ends, which is when `start` ends, however that comes.
 */
import { fstatSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Attended, Ending } from './attended.ts';
import * as board from './board.ts';
import { AttendedCluster } from './cluster/cluster.ts';
import { arraysOf } from './cluster/notes.ts';
import type { Context } from './context.ts';
import { controlFolder, keptFolder, keptSocket, readKept } from './control.ts';
import { joined, takeStorageDown } from './down.ts';
import { mindHere } from './here.ts';
import { readLedger } from './ledger.ts';
import { loginsBy, NOBODY } from './login.ts';
import { closeMasters, closeOthers } from './masters.ts';
import { AttendedNode } from './node.ts';
import { listedHere, wantedResources } from './resources.ts';
import { newStorages } from './storages.ts';
import { sharedTree } from './tree.ts';
import { turnsOf } from './turns.ts';

/** Jobs begin after so many seconds with the nodes that are up by then; others join later. */
const HURRY = 5;
/** Slots of a node that is still to come and whose processors are not known. */
const GUESS = 8;
/** Handshakes at once: a jump host or a firewall may take more for an attack. */
export const HANDSHAKES = 16;

/** Exit code: 0 all is clean, 1 something failed or was left, 2 the grid file is wrong. */
export async function attend(context: Context, told: Promise<Ending>): Promise<number> {
  // `start` decides when the run is over.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => {});
  process.stdout.on('error', () => {});
  const print = (line: string) => {
    process.stdout.write(`${line}\n`);
  };
  let how: Ending | undefined;
  const over = told.then(ending => {
    how = ending;
  });
  const wanted = wantedResources(context);
  if (!wanted.ok) {
    print(wanted.text);
    return 2;
  }
  let say: (line: string) => void = print;
  const here = wanted.local && listedHere(wanted.local, context);
  if (wanted.local) mindHere(wanted.local);
  if (wanted.email !== undefined) board.tellEmail(wanted.email);
  const control = controlFolder(context);
  // Until it can be said who is there, visits go by what an earlier process of this run has said.
  let begun = false;
  const changed = () => {
    if (!begun) return;
    const listed = nodes.flatMap(node => node.listed ?? []);
    board.listNodes(here ? [here, ...listed] : listed);
  };
  const logins = context.terminal ? loginsBy(print, () => begun) : NOBODY;
  const turn = turnsOf(HANDSHAKES);
  const wishes = {
    context,
    logins,
    tree: sharedTree([...context.shared, ...context.setups.map(({ script }) => script)]),
    storages: newStorages(),
    turn,
    warm: false,
    kept: false,
    interactive: false,
  };
  const listener = { say: (line: string) => say(line), changed };
  const alone = here !== undefined && context.breadth !== undefined && context.breadth <= here.slots;
  const controlOf = (i: number) => join(control, String(i));
  const hosts = alone ? [] : wanted.ssh;
  // Jobs that wait in a queue already are not to be computed once more.
  const clusters = alone ? wanted.clusters.filter(({ name }) => arraysOf(name).length > 0) : wanted.clusters;
  const nodes: Attended[] = [
    ...hosts.map((resource, i) => {
      const socket = keptSocket(context, resource);
      const kept = readKept(socket) !== undefined;
      return new AttendedNode(
        resource,
        kept ? socket.slice(0, -2) : controlOf(i),
        { ...wishes, kept },
        listener,
      );
    }),
    ...clusters.map(
      (resource, i) => new AttendedCluster(resource, controlOf(hosts.length + i), wishes, listener),
    ),
  ];
  board.expectMore(nodes.length > 0);
  // It takes long for many files: the connections come meanwhile.
  if (nodes.length > 0) void wishes.tree().catch(() => {});

  const settled = Promise.all(nodes.map(node => node.start()));
  void settled.then(() => board.expectMore(false));
  const usable = () => here !== undefined || nodes.some(node => node.usable);
  await Promise.race([over, settled, untilInAHurry(() => usable() && !logins.pending())]);
  begun = true;
  changed();
  const up = nodes.filter(({ status }) => status === 'up');
  if (usable()) {
    const slots = up.reduce((sum, node) => sum + node.slots, here?.slots ?? 0);
    const coming = nodes.filter(({ status }) => status === 'coming' || status === 'away');
    const later = coming.reduce((sum, { resource }) => sum + (resource.slots ?? GUESS), 0);
    // Where they go to the messages, nobody waits for them: another process of this run has said so before.
    if (later > 0 && !fstatSync(1).isFile()) print(`coming ${later}`);
    if (!fstatSync(1).isFile()) print(`ready ${up.length + (here ? 1 : 0)} ${slots}`);
    say = board.addMessage;
    await Promise.race([over, patience(usable, context, board.addMessage)]);
    await over;
  } else if (how === undefined) print('no node can be used');
  say = print;

  const reports = await Promise.all(nodes.map(node => node.end(how ?? 'end')));
  // What several nodes see goes when none of them uses it any more.
  const stored = readLedger().entries.filter(({ storage, warm }) => storage !== undefined && !warm);
  const options = { control: join(control, `${nodes.length}.0`), seconds: 15, interactive: false };
  for (const entry of stored) reports.push(await takeStorageDown(entry, wanted.ssh, options));
  const { lines, clean } = joined(reports);
  await closeMasters(control);
  await closeOthers(keptFolder(context));
  for (const line of lines) print(line);
  return clean && up.length + (here ? 1 : 0) > 0 ? 0 : 1;
}

async function untilInAHurry(usable: () => boolean): Promise<void> {
  await wait(HURRY * 1000, undefined, { ref: false });
  while (!usable()) await wait(100, undefined, { ref: false });
}

/** A run without any node is given up after a while: jobs would wait for ever. */
async function patience(usable: () => boolean, context: Context, say: (line: string) => void): Promise<void> {
  let since = Date.now();
  while (Date.now() - since < context.patience * 1000) {
    await wait(1000, undefined, { ref: false });
    if (usable()) since = Date.now();
  }
  say(`no node could be used for ${context.patience} s: giving up`);
  process.kill(context.start, 'SIGUSR2');
}
