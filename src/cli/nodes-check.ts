/** `logobatch nodes`: looks at all machines side by side, and says what there is. */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diagnosticToJson, nearest, renderDiagnostics, visible } from '../diagnostic.ts';
import { templatesFolder } from '../emit/template.ts';
import type { Resource } from '../grid/model.ts';
import { gridPath } from '../grid/path.ts';
import { type ReadGrid, readGrid, THIS_MACHINE } from '../grid/read.ts';
import { HANDSHAKES } from '../runtime/attend.ts';
import { closeMasters } from '../runtime/masters.ts';
import { turnsOf } from '../runtime/turns.ts';
import { type Look, type LookOptions, look } from './nodes-look.ts';
import { lookToJson, nodesTable } from './nodes-table.ts';
import { pathSources, wantsColour } from './print.ts';

export interface CheckArguments {
  readonly names: readonly string[];
  readonly grid: string | undefined;
  /** With commas. */
  readonly requires: string | undefined;
  readonly format: 'text' | 'json';
}

/** Exit code: 0 all are fine, 1 some are not or the grid file is wrong, 2 wrong use, 130 the user gave up. */
export async function checkNodes({ names, grid, requires, format }: CheckArguments): Promise<number> {
  const programs = (requires ?? '').split(',').flatMap(name => (name.trim() === '' ? [] : [name.trim()]));
  const odd = programs.find(name => !/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name));
  if (odd !== undefined) return usage(`--requires: ${JSON.stringify(visible(odd))} is no name of a program`);
  const path = gridPath(process.env, grid);
  const read: ReadGrid = path === undefined ? { ok: true, grid: THIS_MACHINE, warnings: [] } : readGrid(path);
  const diagnostics = read.ok ? read.warnings : read.diagnostics;
  if (format === 'text' || (!read.ok && format !== 'json'))
    process.stderr.write(
      renderDiagnostics(diagnostics, pathSources(), { colour: wantsColour(process.stderr) }),
    );
  const print = (nodes: readonly Look[]) =>
    process.stdout.write(
      format === 'text'
        ? nodesTable(nodes)
        : `${JSON.stringify({ grid: path ?? null, diagnostics: diagnostics.map(diagnosticToJson), nodes: nodes.map(lookToJson) })}\n`,
    );
  if (!read.ok) {
    if (format === 'json') print([]);
    return 1;
  }
  const known = read.grid.resources;
  const stranger = names.find(name => !known.some(one => one.name === name));
  if (stranger !== undefined) return usage(unknown(stranger, known));
  const wanted = known.filter(({ name }) => names.length === 0 || names.includes(name));
  const looks = await lookAtAll(wanted, programs);
  if (looks === undefined) return 130;
  print(looks);
  return looks.every(({ failure }) => failure === undefined) ? 0 : 1;
}

/** Undefined: the user has interrupted it. Whatever happens, no connection of ours is left. */
async function lookAtAll(
  wanted: readonly Resource[],
  requires: readonly string[],
): Promise<Look[] | undefined> {
  const ending = new AbortController();
  // Each connection listens.
  setMaxListeners(0, ending.signal);
  const end = () => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // Paths of sockets are short.
  const parent = tmpdir().length < 50 ? tmpdir() : '/tmp';
  const folder = mkdtempSync(join(parent, 'logobatch-'));
  const script = readFileSync(join(templatesFolder(), 'shell/node/probe'), 'utf8');
  const turn = turnsOf(HANDSHAKES);
  const options = (i: number): LookOptions => ({
    requires,
    script,
    control: join(folder, `${i}.0`),
    interactive: false,
    abort: ending.signal,
  });
  try {
    const looks = await Promise.all(wanted.map((resource, i) => turn(() => look(resource, options(i)))));
    if (process.stdin.isTTY && process.stderr.isTTY) await askPerson(looks, options);
    return ending.signal.aborted ? undefined : looks;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end);
    await closeMasters(folder);
  }
}

/** Those that want a passphrase or a code are tried once more, one after another, so that a person can answer. */
async function askPerson(looks: Look[], options: (i: number) => LookOptions): Promise<void> {
  for (const [i, { resource, refusal }] of looks.entries()) {
    const given = options(i);
    if (refusal !== 'auth' || given.abort.aborted) continue;
    process.stderr.write(`${resource.name}: may ask for something\n`);
    looks[i] = await look(resource, { ...given, interactive: true });
  }
}

function unknown(name: string, known: readonly Resource[]): string {
  const names = known.map(one => one.name);
  const meant = nearest(name, names);
  return `no node is called ${JSON.stringify(visible(name))}: ${meant ? `did you mean ${meant}?` : `there are ${names.join(', ')}`}`;
}

function usage(mistake: string): number {
  process.stderr.write(`logobatch: ${mistake}\nlogobatch nodes --help says more\n`);
  return 2;
}
