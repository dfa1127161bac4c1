/** Looks on the nodes of the grid for work folders of this image that no ledger knows of, and removes those of runs that are over. */
import { readFileSync } from 'node:fs';
import type { SshResource } from '../grid/model.ts';
import { shWord } from '../quote.ts';
import type { Transport } from '../transport/transport.ts';
import { type DownOptions, joined, type Report, reportOf } from './down.ts';
import { type Entry, imageId, readLedger } from './ledger.ts';
import { reach } from './reach.ts';
import { runScript } from './script.ts';
import { removeWork } from './teardown.ts';

/** One node. A node that cannot be reached is said, but it need not have anything of ours. */
export async function sweepNode(node: SshResource, options: DownOptions): Promise<Report> {
  const connected = await reach(node, options);
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
    await transport.close();
  }
}

/** Work folders with this image's marker that are of no run that lives, nor in the ledger. */
async function strangers(node: SshResource, transport: Transport): Promise<Entry[] | string> {
  const folders = [...node.fastStorage, ...node.remoteStorage.map(({ path }) => path), '/tmp'];
  const script = `
for above in ${folders.map(onNode).join(' ')} "\${HOME-/tmp}"; do
  for work in "$above"/lb.??????????; do
    [ ! -L "$work" ] && [ -O "$work" ] && [ -f "$work/marker" ] && [ ! -L "$work/marker" ] || continue
    read -r word _ token image run <"$work/marker" && [ "$word $image" = ${shWord(`logobatch ${imageId()}`)} ] || continue
    printf '%s %s %s\\n' "$token" "$run" "$work"
  done
done`;
  const said = await runScript(transport, script);
  if (!said.ok) return said.why;
  const known = new Set(readLedger().entries.map(({ work }) => work));
  const living = livingRun();
  const { name, host, transport: wish } = node;
  return said.lines.flatMap(line => {
    const [, token = '', run = '', work = ''] = /^(\S+) (\S+) (\/.*)$/.exec(line) ?? [];
    if (work === '' || known.has(work) || run === living) return [];
    known.add(work);
    return [{ node: name, host, transport: wish, work, token, run, warm: false }];
  });
}

/** A folder of the grid file as a word of sh there. */
function onNode(folder: string): string {
  return folder.startsWith('~/') ? `"\${HOME-/tmp}"/${shWord(folder.slice(2))}` : shWord(folder);
}

/** The run that make leads here at the moment: `pid birth run since` in `run/owner`. */
function livingRun(): string | undefined {
  try {
    const [pid = '', birth, run] = readFileSync('.logobatch/run/owner', 'utf8').trim().split(' ');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === birth ? run : undefined;
  } catch {
    return undefined;
  }
}
