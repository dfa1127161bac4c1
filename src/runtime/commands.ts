/** What `make up`, `make down` and a sweep do: one thing for all nodes, side by side. */
import { join } from 'node:path';
import { HANDSHAKES } from './attend.ts';
import { bootstrap } from './bootstrap.ts';
import { type Context, controlFolder } from './context.ts';
import { type DownOptions, takeAllDown } from './down.ts';
import { closeMasters } from './masters.ts';
import { wantedResources } from './resources.ts';
import { sharedTree } from './tree.ts';
import { turnsOf } from './turns.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Brings all nodes up and leaves them warm, so that the next run finds what it needs there. */
export async function up(given: Context): Promise<number> {
  const context = { ...given, start: process.pid };
  const wanted = wantedResources(context);
  if (!wanted.ok) {
    print(wanted.text);
    return 2;
  }
  for (const line of wanted.notes) print(line);
  const control = controlFolder(context);
  const wishes = {
    context,
    tree: sharedTree([...context.shared, ...context.setups]),
    turn: turnsOf(HANDSHAKES),
    warm: true,
    interactive: process.stdin.isTTY === true,
    say: print,
    abort: new AbortController().signal,
  };
  const ups = await Promise.all(
    wanted.ssh.map(async (node, i) => {
      const outcome = await bootstrap(node, { ...wishes, control: join(control, `${i}.0`) });
      if (outcome.ok) {
        const { facts, transport } = outcome.ready;
        print(`up      ${node.name}: ${node.slots ?? facts.processors} slots, ${facts.memory} MiB`);
        await transport.close();
      } else print(`left out  ${node.name}: ${outcome.why}${outcome.hint ? ` (${outcome.hint})` : ''}`);
      return outcome.ok;
    }),
  );
  await closeMasters(control);
  if (wanted.ssh.length === 0) print('this machine needs no getting ready');
  return ups.every(Boolean) ? 0 : 1;
}

/** Takes down everything in this image's ledger. */
export async function down(given: Context): Promise<number> {
  const context = { ...given, start: process.pid };
  const control = controlFolder(context);
  const options = (_: string, number: number): DownOptions => ({
    control: join(control, `${number}.0`),
    interactive: process.stdin.isTTY === true,
    seconds: 20,
  });
  const { lines, clean, count } = await takeAllDown(options, turnsOf(HANDSHAKES));
  await closeMasters(control);
  for (const line of lines) print(line);
  if (count === 0 && clean) print('nothing is kept');
  else if (clean) print(`down    ${count} work ${count === 1 ? 'folder is' : 'folders are'} gone`);
  return clean ? 0 : 1;
}

export async function sweep(given: Context): Promise<number> {
  return down(given);
}
