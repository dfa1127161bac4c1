/** `logobatch nodes add`: writes hosts into the grid file, which is never left in a state that would not be read. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { renderDiagnostics, visible } from '../diagnostic.ts';
import { replaceFile } from '../emit/put.ts';
import { asFailure } from '../failure.ts';
import { addResources, type NewResource } from '../grid/add.ts';
import type { Grid } from '../grid/model.ts';
import { namedGridPath, usualGridPath } from '../grid/path.ts';
import { type ReadGrid, readGrid, readGridText } from '../grid/read.ts';
import { nameFor, resourceOf, type TypedResource } from '../grid/typed.ts';
import { shWord } from '../quote.ts';
import { newReport } from '../read/report.ts';
import { decode } from '../read/text.ts';
import type { AddArguments } from './nodes-ask.ts';
import { explain, pathSources, wantsColour } from './print.ts';

/** Readable for its owner alone: it tells which machines somebody may enter. */
const MODE = 0o600;

/** Exit code: 0 written, 1 it could not be, 2 the command line is wrong, 130 the user gave up. */
export async function addNodes(given: AddArguments): Promise<number> {
  const path = namedGridPath(process.env, given.grid) ?? usualGridPath(process.env);
  if (path === undefined || path === 'local')
    return usage(path === undefined ? 'there is no HOME: --grid FILE says where' : '"local" is no grid file');
  const mistake = mistakeIn(given);
  if (mistake !== undefined) return usage(visible(mistake));
  let asked = given;
  if (given.hosts.length === 0 && given.type === 'ssh') {
    if (!process.stdin.isTTY || !process.stdout.isTTY)
      return usage('say which hosts: logobatch nodes add HOST …');
    const answers = await (await import('./nodes-ask.ts')).askForNode(given);
    if (!answers) {
      process.stderr.write('logobatch: given up; nothing was written\n');
      return 130;
    }
    asked = answers;
  }
  const additions: NewResource[] = [];
  for (const host of asked.hosts.length > 0 ? asked.hosts : [undefined]) {
    const addition = resourceOf(typedOf(host, asked), said);
    if ('fault' in addition) return usage(visible(addition.fault));
    additions.push(addition);
  }
  try {
    return add(path, additions);
  } catch (error) {
    const failure = asFailure(error, process.cwd());
    if (!failure) throw error;
    return explain({ message: failure.message, hint: 'the grid file is as it was' });
  }
}

/** What cannot be said together, or that way. */
function mistakeIn({ hosts, type, name, user, slots, maxJobs }: AddArguments): string | undefined {
  if (name !== undefined && hosts.length > 1) return '--name is for one host at a time';
  if (user !== undefined && hosts.some(host => host.includes('@')))
    return 'the user is said twice, with --user and before an @';
  for (const typed of hosts) {
    const [, host, port] = /^([^:]+):(\d+)$/.exec(typed) ?? [];
    if (host) return `the port is said with an option: ${host} --port ${port}`;
  }
  if (type === 'ssh')
    return maxJobs === undefined ? undefined : '--max-jobs is for clusters; a machine has --slots';
  if (slots !== undefined) return '--slots is for machines; a cluster has --max-jobs';
  if (hosts.length === 0 && name === undefined)
    return `say its login node, or what to call it: logobatch nodes add --type ${type} --name NAME`;
  return undefined;
}

function add(path: string, additions: readonly NewResource[]): number {
  const there = existsSync(path);
  const before: ReadGrid = there
    ? readGrid(path)
    : { ok: true, grid: { storages: [], resources: [] }, warnings: [] };
  if (!before.ok) {
    process.stderr.write(
      renderDiagnostics(before.diagnostics, pathSources(), { colour: wantsColour(process.stderr) }),
    );
    return explain({
      message: `${visible(path)} has mistakes in it`,
      hint: 'mend them first; nothing was written',
    });
  }
  const twin = twinOf(before.grid, additions);
  if (twin !== undefined)
    return explain({ message: twin, hint: 'edit its lines there; nothing was written' });
  const old = there ? (decode(readFileSync(path), path, newReport()) ?? '') : '';
  const text = addResources(old, additions);
  const after = readGridText(text, path);
  if (!after.ok) {
    process.stderr.write(
      renderDiagnostics(after.diagnostics, () => text, { colour: wantsColour(process.stderr) }),
    );
    return explain({ message: 'the file would not be valid with that', hint: 'nothing was written' });
  }
  const kept = before.grid.resources;
  if (!isDeepStrictEqual(after.grid.resources.slice(0, kept.length), kept))
    return explain({
      message: `${visible(path)} is written in a form that cannot be added to`,
      hint: 'add by hand',
    });
  const real = there ? realpathSync(path) : path;
  replaceFile(real, [text], there ? statSync(real).mode & 0o777 : MODE, true);
  const names = additions.map(({ name }) => name);
  process.stdout.write(
    `${there ? 'added to' : 'made'} ${visible(path)}: ${names.join(', ')}\nNext: ${check(path, names)}\n`,
  );
  return 0;
}

/** Somebody who adds a host twice would have its slots counted twice. */
function twinOf({ resources }: Grid, additions: readonly NewResource[]): string | undefined {
  const same = (one?: string, other?: string) => one?.toLowerCase() === other?.toLowerCase();
  for (const [i, { type, hostname, port }] of additions.entries()) {
    const known = resources.find(
      one =>
        one.kind !== 'local' &&
        one.kind === type &&
        same(one.host?.hostname, hostname) &&
        one.host?.port === port,
    );
    if (known) return `${hostname ?? `${type} of this machine`} is there already, as ${known.name}`;
    const said = additions.findIndex(other => same(other.hostname, hostname));
    if (said < i) return `${hostname} is said twice`;
  }
  return undefined;
}

/** `[user@]host` and what was said besides; without a host, a cluster that is submitted to from here. */
function typedOf(host: string | undefined, given: AddArguments): TypedResource {
  const at = host?.lastIndexOf('@') ?? -1;
  const hostname = host?.slice(at + 1);
  return {
    name: given.name ?? nameFor(hostname ?? ''),
    type: given.type,
    hostname,
    username: at >= 0 ? host?.slice(0, at) : given.user,
    port: given.port,
    slots: given.slots,
    fast_storage: given.fastStorage,
    tags: given.tags,
    nice: given.nice,
    max_load: given.maxLoad,
    max_jobs: given.maxJobs,
  };
}

function said(key: keyof TypedResource): string {
  if (key === 'hostname') return 'a host';
  return key === 'username'
    ? 'the user'
    : `--${key.replace(/s$/, '').replace('slot', 'slots').replace('job', 'jobs').replace('_', '-')}`;
}

/** How to look at what was added. */
function check(path: string, names: readonly string[]): string {
  const grid =
    path === usualGridPath(process.env) || path === process.env.LOGOBATCH_GRID
      ? ''
      : ` --grid ${shWord(path)}`;
  return `logobatch nodes ${names.join(' ')}${grid}`;
}

function usage(mistake: string): number {
  process.stderr.write(`logobatch: ${mistake}\nlogobatch nodes add --help says more\n`);
  return 2;
}
