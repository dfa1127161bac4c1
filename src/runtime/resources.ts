/** Which resources of the grid file this run is to use. */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { renderDiagnostics } from '../diagnostic.ts';
import { type ClusterResource, isCluster, type LocalResource, type SshResource } from '../grid/model.ts';
import { readGrid } from '../grid/read.ts';
import type { Listed } from './board.ts';
import type { Context } from './context.ts';

/** The resources of a run, by what they are. */
export interface Wanted {
  readonly ssh: readonly SshResource[];
  readonly clusters: readonly ClusterResource[];
  readonly local: LocalResource | undefined;
  /** Who is told how batches end whose image names nobody. */
  readonly email: string | undefined;
}

/** `text`: what is wrong with the grid file, for a person. */
export type WantedOrNot = ({ readonly ok: true } & Wanted) | { readonly ok: false; readonly text: string };

/** Reads the grid file: those that the run has named, or all. */
export function wantedResources({ grid, wanted }: Context): WantedOrNot {
  const read = readGrid(grid);
  if (!read.ok) return { ok: false, text: renderDiagnostics(read.diagnostics, textOf, { colour: false }) };
  const all = read.grid.resources.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  return {
    ok: true,
    ssh: all.flatMap(one => (one.kind === 'ssh' ? [one] : [])),
    clusters: all.filter(isCluster),
    local: all.find(one => one.kind === 'local'),
    email: read.grid.defaultEmail,
  };
}

/** This machine as a line of `run/grid`. */
export function listedHere(local: LocalResource, { localSlots, requires }: Context): Listed {
  const slots = local.slots ?? localSlots ?? cpus().length;
  const { name, tags } = local;
  const memory = Math.floor(totalmem() / 2 ** 20 / slots);
  return {
    node: name,
    kind: 'local',
    slots,
    memory,
    gpus: gpusHere(),
    tags,
    programs: requires.filter(isHere),
  };
}

function isHere(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function gpusHere(): number {
  return readdirSync('/dev').filter(name => /^nvidia\d+$/.test(name)).length;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
