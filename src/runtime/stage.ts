/**
 * Brings `image/` of a work folder in line with the shared folders of the image. What is there is asked of the node, what was sent last is
 * remembered here: only what changed is sent, and whatever else is there goes. The node's note that it is whole comes last in the stream.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transport } from '../transport/transport.ts';
import { lastLine, randomWord, runProgram, type Said } from './script.ts';
import { buffer, bytes, type TreeEntry } from './tree.ts';
import { turnsOf } from './turns.ts';
import type { Work } from './work.ts';

/** `sent`: how many files, folders and links. */
export type Staged =
  | { readonly ok: true; readonly sent: number }
  | { readonly ok: false; readonly why: string };

/** How long a transfer may take in all, in seconds: a day. What hangs is noticed by the connection's own beats. */
const LONGEST = 86_400;

/** More at once would only share the same wire, and want a `tar` each. */
const transfer = turnsOf(8);

/**
 * `memory`: the file that remembers what this work folder got last. `busybox`: the node's tar knows no sparse files. `only`: what is
 * not wanted goes in these folders alone.
 */
export async function stage(
  transport: Transport,
  work: Work,
  tree: readonly TreeEntry[],
  { memory, busybox, only }: { memory: string; busybox: boolean; only?: readonly string[] | undefined },
): Promise<Staged> {
  const changes = work.adopted
    ? await changesThere(transport, work, tree, { memory, only })
    : { gone: [], tree };
  if ('why' in changes) return { ok: false, why: changes.why };
  if (changes.gone.length === 0 && changes.tree.length === 0 && work.staged !== undefined)
    return { ok: true, sent: 0 };
  rmSync(memory, { force: true });
  const id = randomWord(20);
  const said = await transfer(() =>
    send(transport, work.entry.work, id, changes, `${memory}.sending`, busybox),
  );
  if (!said.ok) return { ok: false, why: said.why };
  remember(memory, id, tree);
  return { ok: true, sent: changes.tree.length };
}

interface Changes {
  /** Paths there that are to go, before anything is sent. */
  readonly gone: readonly string[];
  readonly tree: readonly TreeEntry[];
}

async function changesThere(
  transport: Transport,
  { entry, staged }: Work,
  tree: readonly TreeEntry[],
  { memory, only }: { memory: string; only: readonly string[] | undefined },
): Promise<Changes | { why: string }> {
  const lines = tree.map(({ line }) => line);
  const digest = createHash('sha256')
    .update(sortedLines(lines.map(line => `${line}${END}`).join('')), 'latin1')
    .digest('hex');
  const said = await runProgram(transport, `${entry.work}/inventory`, [digest], { seconds: 600 });
  if (!said.ok) return { why: said.why };
  const sent = remembered(memory, staged);
  const same = said.lines[0] === 'same';
  const there = new Set(same ? lines : bytes(`${said.lines.join('\n')}\n`).split(END));
  const changed = tree.filter(({ path, line, stamp }) => !there.has(line) || sent?.get(path) !== stamp);
  const wanted = new Map(tree.map(({ path, line }) => [path, line.charAt(0)]));
  const folders = only?.map(folder => `${bytes(folder)}/`);
  const gone = (same ? [] : [...there].flatMap(line => goneOf(line, wanted))).filter(
    path => folders?.some(folder => `${path}/`.startsWith(folder)) ?? true,
  );
  return { gone, tree: changed };
}

/** What ends an entry of the inventory: a path may have line ends in it, but not this. */
const END = '//\n';

/** As `sort` of the node does it, which knows nothing of entries. */
function sortedLines(text: string): string {
  const lines = text.split('\n').slice(0, -1).sort();
  return lines.map(line => `${line}\n`).join('');
}

/** The path of a line of the inventory that is not wanted, or not as what it is. */
function goneOf(line: string, wanted: ReadonlyMap<string, string>): string[] {
  const match = /^([dflo]) (?:\d+ ){0,3}?\.\/(.*)$/s.exec(line);
  if (!match) return [];
  const [, kind, path = ''] = match;
  return wanted.get(path) === kind ? [] : [path];
}

async function send(
  transport: Transport,
  work: string,
  id: string,
  { gone, tree }: Changes,
  folder: string,
  busybox: boolean,
): Promise<Said> {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, '.digest'), `${id}\n`);
    const { TAR_OPTIONS: _, ...env } = process.env;
    const tar = spawn('tar', tarWords(folder, busybox), { env, stdio: ['pipe', 'pipe', 'pipe'] });
    tar.stdin
      .on('error', () => {})
      .end(buffer((busybox ? closedLast(tree) : tree).map(({ path }) => `${path}\0`).join('')));
    const ended = endOf(tar);
    const lead = buffer(`${gone.map(path => `${escaped(path)}\n`).join('')}\n`);
    const said = await runProgram(transport, `${work}/receive`, [], {
      lead,
      input: tar.stdout,
      seconds: LONGEST,
    });
    tar.kill();
    const { code, stderr } = await ended;
    // 1: a file was written to while it was read; it will look changed the next time.
    if (said.ok && code !== 0 && code !== 1)
      return { ok: false, why: lastLine(stderr.replace(/^tar: Exiting .*$/m, '')), lines: [], lost: false };
    return said;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Into folders that their owner may not write into busybox could put nothing: they are made for what is in them, and stay open. */
function closedLast(tree: readonly TreeEntry[]): TreeEntry[] {
  const isClosed = ({ line }: TreeEntry) => /^d (\d{1,2}|[0145]\d\d) /.test(line);
  return [...tree.filter(entry => !isClosed(entry)), ...tree.filter(isClosed)];
}

/** Setuid and sticky bits stay at home. Written in few large pieces: each passes through here. */
function tarWords(folder: string, busybox: boolean): string[] {
  const gnu = isGnuTar() ? ['--format=gnu', '--mode=a-st', '-b', '128', ...(busybox ? [] : ['-S'])] : [];
  return ['-cf', '-', '--no-recursion', ...gnu, '--null', '-T', '-', '-C', folder, '.digest'];
}

let gnu: boolean | undefined;
function isGnuTar(): boolean {
  gnu ??= /GNU tar/.test(spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout ?? '');
  return gnu;
}

function endOf(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', text => {
    stderr = (stderr + text).slice(-4096);
  });
  return new Promise(resolve => {
    child.on('error', ({ message }) => resolve({ code: null, stderr: message }));
    child.on('close', code => resolve({ code, stderr }));
  });
}

const escaped = (path: string) => path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function remember(memory: string, id: string, tree: readonly TreeEntry[]): void {
  mkdirSync(join(memory, '..'), { recursive: true });
  const stamps = tree.map(({ path, stamp }) => [path, stamp]);
  writeFileSync(memory, JSON.stringify({ id, stamps }));
}

/** What was sent last, if that is what is there. */
function remembered(memory: string, id: string | undefined): ReadonlyMap<unknown, unknown> | undefined {
  try {
    const found = JSON.parse(readFileSync(memory, 'utf8'));
    return id !== undefined && found.id === id ? new Map(found.stamps) : undefined;
  } catch {
    return undefined;
  }
}
