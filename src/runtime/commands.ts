/** What `make up`, `make down` and a sweep do: one thing for all nodes, side by side. */
import { join } from 'node:path';
import { counted } from '../counted.ts';
import { HANDSHAKES } from './attend.ts';
import { bootstrap } from './bootstrap.ts';
import type { Context } from './context.ts';
import { controlFolder, keptFolder, keptSocket } from './control.ts';
import { type DownOptions, joined, takeAllDown } from './down.ts';
import { inWords } from './life.ts';
import { NOBODY } from './login.ts';
import { closeMasters } from './masters.ts';
import { loginNodeOf } from './reach.ts';
import { wantedResources } from './resources.ts';
import { randomWord } from './script.ts';
import { newStorages } from './storages.ts';
import { sweepNode } from './sweep.ts';
import { sharedTree } from './tree.ts';
import { turnsOf } from './turns.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Brings all nodes up and leaves them warm, so that the next run finds what it needs there. */
export async function up(given: Context): Promise<number> {
  const context = { ...given, start: process.pid, run: `up.${randomWord()}` };
  const wanted = wantedResources(context);
  if (!wanted.ok) {
    print(wanted.text);
    return 2;
  }
  const control = controlFolder(context);
  const wishes = {
    context,
    tree: sharedTree([...context.shared, ...context.setups.map(({ script }) => script)]),
    storages: newStorages(),
    turn: turnsOf(HANDSHAKES),
    warm: true,
    interactive: process.stdin.isTTY === true,
    logins: NOBODY,
    say: print,
    abort: new AbortController().signal,
  };
  const nodes = [
    ...wanted.ssh.map(node => ({ node, own: { kept: true, control: keptSocket(context, node) } })),
    ...wanted.clusters.map((queue, i) => ({
      node: loginNodeOf(queue),
      own: { queue, kept: false, control: join(control, `${i}.0`) },
    })),
  ];
  const ups = await Promise.all(
    nodes.map(async ({ node, own }) => {
      const outcome = await bootstrap(node, { ...wishes, ...own });
      if (outcome.ok) {
        const { facts, transport } = outcome.ready;
        print(`up      ${node.name}: ${node.slots ?? facts.processors} slots, ${facts.memory} MiB`);
        await transport.close({ keep: own.kept });
      } else print(`left out  ${node.name}: ${inWords(outcome)}`);
      return outcome.ok && outcome.ready.prepared;
    }),
  );
  await closeMasters(control);
  if (nodes.length === 0) print('this machine needs no getting ready');
  return ups.every(Boolean) ? 0 : 1;
}

/** Takes down everything in this image's ledger. */
export async function down(context: Context): Promise<number> {
  return takeDown(context, false);
}

/** The same, and looks on all nodes of the grid for what no ledger knows of. */
export async function sweep(context: Context): Promise<number> {
  return takeDown(context, true);
}

async function takeDown(given: Context, everywhere: boolean): Promise<number> {
  const context = { ...given, start: process.pid, wanted: [] };
  const wanted = context.grid === '' ? undefined : wantedResources(context);
  if (wanted && !wanted.ok) print(wanted.text);
  const nodes = wanted?.ok ? [...wanted.ssh, ...wanted.clusters.map(loginNodeOf)] : [];
  const control = controlFolder(context);
  const turn = turnsOf(HANDSHAKES);
  const options = (number: number): DownOptions => ({
    control: join(control, `${number}.0`),
    kept: node => keptSocket(context, node),
    interactive: process.stdin.isTTY === true,
    seconds: 20,
  });
  const { count, ...known } = await takeAllDown(nodes, options, turn);
  const swept = everywhere
    ? await Promise.all(nodes.map((node, i) => turn(() => sweepNode(node, options(i)))))
    : [];
  await closeMasters(control);
  await closeMasters(keptFolder(context));
  const { lines, clean } = joined([known, ...swept]);
  for (const line of lines) print(line);
  if (clean && count > 0) print(`down    ${counted(count, 'work folder')}`);
  if (clean && count === 0 && lines.length === 0) print('nothing is kept');
  return clean ? 0 : 1;
}
