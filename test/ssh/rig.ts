/** An image that runs on a lab of real SSH hosts: `make` finds them in a grid file, as a user's would. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GridOptions, type Host, type Lab, type LabOptions, startLab } from '../lab/hosts.ts';
import { type Files, type MakeOptions, type Project, project } from '../run/rig.ts';

export interface PoolOptions extends LabOptions {
  readonly files: Files;
  readonly grid?: GridOptions;
}

export type Pool = Awaited<ReturnType<typeof startPool>>;

/** A lab and an image for it. `home` is the head's own; the lab's `ssh` comes first on its PATH. */
export async function startPool({ hosts, files, grid }: PoolOptions) {
  const lab = await startLab({ hosts });
  try {
    const image = await project({ files });
    return pool(lab, image, grid ?? {});
  } catch (error) {
    lab.stop();
    throw error;
  }
}

function pool(lab: Lab, image: Project, grid: GridOptions) {
  const file = join(image.home, '.logobatch.yml');
  const path = `${image.bin}:${lab.bin}:${process.env.PATH}`;
  const withLab = (options: MakeOptions = {}): MakeOptions => ({
    ...options,
    env: { PATH: path, ...options.env },
  });
  const setGrid = (wishes: GridOptions) => writeFileSync(file, lab.grid(wishes));
  setGrid(grid);
  return {
    lab,
    image,
    host: lab.host,
    /** Writes the grid file anew: a make that starts later finds it. */
    setGrid,
    start: (args: readonly string[] = [], options?: MakeOptions) => image.start(args, withLab(options)),
    make: (args: readonly string[] = [], options?: MakeOptions) => image.make(args, withLab(options)),
    /** Every file of the results as `path: contents`; records are left out, which name nodes and times. */
    results: () => results(join(image.root, 'data/processed')),
    /** How many attempts each node had, from the job log. */
    shares: () => shares(image.read('.logobatch/run/joblog')),
    stop: () => {
      lab.stop();
      image.remove();
    },
  };
}

function results(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => !/(^|\/)(\.done|jobfile\.sh)$/.test(path) && statSync(join(folder, path)).isFile())
    .sort()
    .map(path => `${path}: ${readFileSync(join(folder, path), 'latin1')}`);
}

function shares(joblog: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of joblog.trim().split('\n').slice(1)) {
    const node = line.split('\t')[1] ?? '';
    counts[node] = (counts[node] ?? 0) + 1;
  }
  return counts;
}

/** Snapshots of all hosts; the function it gives compares them with how things are then. */
export function watchTraces(lab: Lab, more: readonly string[] = []): () => void {
  const look = () => Object.fromEntries(lab.hosts.map((host: Host) => [host.name, lab.traces(host, more)]));
  const before = look();
  return () => assert.deepEqual(look(), before);
}
