/** What a node is and has: asked with one script that makes nothing there (`probe` among the node's scripts), read into facts. */
import { readFileSync } from 'node:fs';
import type { Resource } from '../grid/model.ts';
import { lastLine, type Runner, randomWord, runScript } from './script.ts';
import { isPlainPath } from './work.ts';

/** A folder that may hold the work folder. */
export interface Candidate {
  /** As the node knows it: `~` and `$HOME` filled in. */
  readonly path: string;
  /** Free space in MiB; undefined: its file system does not say. */
  readonly free: number | undefined;
  /** Programs in it may be run; jobfiles need not be, `sh` reads them. */
  readonly executable: boolean;
}

/** What a node has told of itself. */
export interface Facts {
  /** The login shell, such as `/bin/tcsh`. */
  readonly shell: string;
  /** `Linux 6.1.0 x86_64` */
  readonly system: string;
  /** Those we may use; at least 1. */
  readonly processors: number;
  /** Of the last minute; undefined where it cannot be told. */
  readonly load: number | undefined;
  /** MiB; 0: unknown. */
  readonly memory: number;
  readonly gpus: number;
  /** Undefined: there is none. */
  readonly home: string | undefined;
  readonly candidates: readonly Candidate[];
  /** Why each of the others cannot: `/scratch: it is not there`. */
  readonly refused: readonly string[];
  /** Paths of the candidates in the order asked for: the first is the best. */
  readonly usable: readonly string[];
  /** Those asked for that are there. */
  readonly programs: readonly string[];
  /** What our own scripts need and do not find. */
  readonly lacks: readonly string[];
  readonly busyboxTar: boolean;
}

/** Where a work folder may lie, the best first: of a cluster, what all its machines see. */
export function candidatesOn(resource: Resource): string[] {
  if (resource.kind === 'local') return [];
  if (resource.kind === 'ssh') return [...resource.fastStorage, '/tmp', '$HOME'];
  return [...resource.remoteStorage.map(({ path }) => path), '$HOME'];
}

export interface Questions {
  /** Folders, the best first; also `$HOME` and `~/…`. */
  readonly candidates: readonly string[];
  /** Programs to look for. */
  readonly requires: readonly string[];
  /** The text of the script; absent: the image's own. */
  readonly script?: string;
}

/** `again`: the connection was lost, so another try makes sense. The facts, where the node told them and they are not enough. */
export type Probed =
  | { readonly ok: true; readonly facts: Facts }
  | { readonly ok: false; readonly why: string; readonly again: boolean; readonly facts?: Facts };

/** A folder that does not answer within a minute would stop jobs as well. */
const SECONDS = 60;

/** Asks it, for a minute at most. */
export async function probe(transport: Runner, questions: Questions): Promise<Probed> {
  const { candidates, requires, script = readFileSync('.logobatch/shell/node/probe', 'utf8') } = questions;
  const end = `lb-end-${randomWord()}`;
  const asked = [
    ...candidates.map(folder => `candidate ${folder}\n`),
    ...requires.map(name => `program ${name}\n`),
  ];
  const said = await runScript(
    transport,
    `lb_probe() {\n${script}}\nlb_probe <<'${end}'\n${asked.join('')}${end}\n`,
    SECONDS,
  );
  const facts = parseFacts(said.lines);
  if (facts) {
    const fault = faultOf(facts);
    return fault === undefined ? { ok: true, facts } : { ok: false, why: fault, again: false, facts };
  }
  if (said.ok) return { ok: false, why: 'the connection ended early', again: true };
  const stuck = said.lost ? said.lines.at(-1)?.replace(/^trying /, '') : undefined;
  const where = stuck?.startsWith('/') ? ` (it was looking at ${lastLine(stuck)})` : '';
  return { ok: false, why: `${said.why}${where}`, again: said.lost };
}

/** Undefined unless the node told all, to the end. */
export function parseFacts(lines: readonly string[]): Facts | undefined {
  if (lines.at(-1) !== 'end') return undefined;
  const all = (key: string) =>
    lines.flatMap(line => (line.startsWith(`${key} `) ? [shown(line.slice(key.length + 1))] : []));
  const number = (key: string) => {
    const [text = ''] = all(key);
    return /^\d{1,12}(\.\d+)?$/.test(text) ? Number(text) : undefined;
  };
  const candidates = all('usable').flatMap(candidateOf);
  const odd = candidates.filter(({ path }) => !isPlainPath(path));
  return {
    shell: all('shell')[0] ?? 'unknown',
    system: [...all('os'), ...all('arch')].join(' ') || 'unknown',
    processors: Math.max(1, number('cpus') ?? 1),
    load: number('load1'),
    memory: number('mem_mib') ?? 0,
    gpus: number('gpus') ?? 0,
    home: all('home')[0],
    candidates: candidates.filter(({ path }) => isPlainPath(path)),
    refused: [...all('refused'), ...odd.map(({ path }) => `${path}: its name has odd characters in it`)],
    usable: candidates.flatMap(({ path }) => (isPlainPath(path) ? [path] : [])),
    programs: all('program'),
    lacks: all('lacks'),
    busyboxTar: !/GNU tar|bsdtar/.test(all('tar')[0] ?? ''),
  };
}

function candidateOf(text: string): Candidate[] {
  const [, free = '', execution, path = ''] = /^(\d{1,15}) (exec|noexec) (\/.*)$/.exec(text) ?? [];
  if (path === '') return [];
  return [
    {
      path,
      free: Number(free) > 0 ? Math.floor(Number(free) / 1024) : undefined,
      executable: execution === 'exec',
    },
  ];
}

/** Why no job can run there. */
function faultOf({ lacks, usable, refused }: Facts): string | undefined {
  if (lacks.length > 0) return `it lacks ${lacks.join(', ')}`;
  if (usable.length > 0) return undefined;
  return `no folder there can hold our work folder: ${refused.join('; ')}`;
}

/** A node may say anything: a terminal must not obey it, and a line of ours holds only so much. */
function shown(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, 300);
}
