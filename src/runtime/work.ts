/** Makes the work folder on a node, or takes over one that is there: one script by standard input. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shWord } from '../quote.ts';
import type { Transport } from '../transport/transport.ts';
import { type Entry, imageId } from './ledger.ts';
import { randomWord, runScript, type Said } from './script.ts';
import { strangersOf, strangersScript } from './strangers.ts';

const SHELL = '.logobatch/shell';
/** Of the shell that this machine's jobs use, what nodes need, too. */
const COMMON = ['clock.sh', 'logs.sh', 'processes.sh', 'watch.sh'];

/** A work folder on a node. */
export interface Work {
  readonly entry: Entry;
  /** It was there already. */
  readonly adopted: boolean;
  /** It is this run's own and whole, so it is left as it is: another process of this run has begun with it. */
  readonly continued: boolean;
  /** When it was made, in ticks of that machine. */
  readonly born: number;
  /** Which staging has left `image/` as it is; undefined: nobody knows what is in it. */
  readonly staged: string | undefined;
}

/** What came of making or taking over one. */
export type Made =
  | {
      readonly ok: true;
      readonly work: Work;
      /** What it lies beside: work folders of this image that nobody needs any more. */
      readonly strangers: readonly Entry[];
    }
  | { readonly ok: false; readonly said: Said };

/** What a work folder may be called: nothing in it means anything to any shell. */
export function isPlainPath(path: string): boolean {
  return /^(\/[A-Za-z0-9._@%+=:, -]+)+$/.test(path) && !/\/\.{1,2}(\/|$)/.test(path);
}

/** Nobody else has it, and `remove.sh` knows it for one of ours. */
export function newWorkName(): string {
  return `lb.${randomWord(10)}`;
}

/** The node-side scripts by name, as they lie in the image. */
function nodeScripts(): Map<string, string> {
  const inNode = readdirSync(join(SHELL, 'node')).filter(name => !name.startsWith('.') && name !== 'probe');
  const paths = [...inNode.map(name => join('node', name)), ...COMMON];
  return new Map(
    paths.map(path => [path.replace(/^node\//, ''), readFileSync(join(SHELL, path), 'utf8')] as const),
  );
}

/** One file of it, for scripts that are to stand on their own. */
export function nodeScript(name: string): string {
  return nodeScripts().get(name) ?? '';
}

/** Makes it: a folder of exactly this name that nobody else has. It has to stand in the ledger before. */
export async function makeWork(transport: Transport, entry: Entry): Promise<Made> {
  const script = `
mkdir -m 700 -- ${shWord(entry.work)} && cd ${shWord(entry.work)} || exit 73
${marker(entry)}
mkdir slots stage image || exit 73
${install()}
. ./processes.sh
born $$ >born && read -r born <born && echo "made $born"
${strangersScript([shWord(entry.work.replace(/\/[^/]*$/, ''))])}`;
  const said = await runScript(transport, script);
  const answer = answerOf(said, 'made');
  if (!answer) return { ok: false, said };
  const work = { entry, adopted: false, continued: false, staged: undefined, born: Number(answer[0]) };
  return { ok: true, work, strangers: strangersOf(said.lines, entry, [entry.run]) };
}

/** Takes over the work folder that an earlier process of this run, or `make up`, has left; `ok: false` where it is none any more. */
export async function adoptWork(transport: Transport, entry: Entry, run: string): Promise<Made> {
  // A script that is just being read must not change: each is replaced by another file.
  const renewed = `
${entry.queue ? '' : silenced(entry)}
rm -rf ./new && mkdir new && cd new || exit 73
{ ${install()}
} && cd .. && mv -f new/* . && rmdir new || exit 73
[ -d image ] || mkdir image || exit 73
${marker({ ...entry, run })}`;
  const script = `
cd ${shWord(entry.work)} 2>/dev/null && [ ! -L ${shWord(entry.work)} ] && [ -O . ] && [ ! -e gone ] && [ ! -L marker ] &&
  read -r word _ token image _ <marker && [ "$word $token $image" = ${shWord(`logobatch ${entry.token} ${imageId()}`)} ] || { echo none; exit 0; }
${entry.run === run ? '' : renewed}
read -r staged 2>/dev/null <staged || staged=
read -r born 2>/dev/null <born || born=0
echo "adopted $born $staged"`;
  const said = await runScript(transport, script);
  const answer = answerOf(said, 'adopted');
  if (!answer) return { ok: false, said };
  const [born, staged] = answer;
  const continued = entry.run === run && staged !== undefined;
  const work = { entry: { ...entry, run }, adopted: true, continued, staged, born: Number(born) };
  return { ok: true, work, strangers: [] };
}

/** Nothing of an earlier run goes on there. In a cluster's queue it may. */
function silenced(entry: Entry): string {
  return `
${nodeScript('processes.sh')}
${nodeScript('remove.sh')}
silence ${entry.work.split('/').at(-1)} || { echo 'processes of an earlier run cannot be ended' >&2; exit 75; }
rm -rf ./stage ./slots && mkdir slots stage || exit 73`;
}

/** The words after a word that begins a line. */
function answerOf(said: Said, word: string): string[] | undefined {
  const line = said.ok ? said.lines.find(one => one.startsWith(`${word} `)) : undefined;
  return line?.split(' ').filter(Boolean).slice(1);
}

const marker = ({ token, run }: Entry) =>
  `echo ${shWord(`logobatch 1 ${token} ${imageId()} ${run}`)} >marker.new && mv -f marker.new marker || exit 73`;

/** Without a process for each: words of `printf`, which every shell has built in. */
function install(): string {
  return [...nodeScripts()]
    .map(([name, text]) => `printf '%s' ${shWord(text)} >${name} || exit 73\n`)
    .join('');
}
