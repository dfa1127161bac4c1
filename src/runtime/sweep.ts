/** Looks on the nodes of the grid for work folders of this image that no ledger knows of, and removes those of runs that are over. */
import type { SshResource } from '../grid/model.ts';
import { shWord } from '../quote.ts';
import type { Transport } from '../transport/transport.ts';
import { type DownOptions, joined, type Report, reachAgain, reportOf } from './down.ts';
import type { Entry } from './ledger.ts';
import { runScript } from './script.ts';
import { strangersOf, strangersScript } from './strangers.ts';
import { removeWork } from './teardown.ts';

/** One node. A node that cannot be reached is said, but it need not have anything of ours. */
export async function sweepNode(node: SshResource, options: DownOptions): Promise<Report> {
  const connected = await reachAgain(node, options);
  if (!connected.ok)
    return { lines: [`note    ${node.name} was not looked at: ${connected.failure.message}`], clean: true };
  const { transport } = connected;
  try {
    const found = await strangers(node, transport);
    if (typeof found === 'string')
      return { lines: [`note    ${node.name} was not looked at: ${found}`], clean: true };
    const reports: Report[] = [];
    for (const entry of found) {
      const removed = await removeWork(transport, entry);
      const said = removed.ok ? [`down    ${node.name}:${entry.work}, of a run that is over`] : [];
      reports.push({ lines: said, clean: true }, reportOf(entry, removed));
    }
    return joined(reports);
  } finally {
    await transport.close({ keep: true });
  }
}

/** Work folders with this image's marker that are of no run that lives, nor in the ledger. */
async function strangers(node: SshResource, transport: Transport): Promise<Entry[] | string> {
  const folders = [...node.fastStorage, ...node.remoteStorage.map(({ path }) => path), '/tmp'].map(onNode);
  const said = await runScript(transport, strangersScript([...folders, '"${HOME-/tmp}"']));
  return said.ok ? strangersOf(said.lines, { ...node, node: node.name }) : said.why;
}

/** A folder of the grid file as a word of sh there. */
function onNode(folder: string): string {
  return folder.startsWith('~/') ? `"\${HOME-/tmp}"/${shWord(folder.slice(2))}` : shWord(folder);
}
