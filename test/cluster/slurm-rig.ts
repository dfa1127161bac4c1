/** An image whose resources are a real Slurm, through its login node or from here, and whatever else a test wants. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { stringify } from 'yaml';
import { run } from '../lab/command.ts';
import { type Slurm, type SlurmOptions, startSlurm } from '../lab/slurm.ts';
import { type Files, type MakeOptions, type Project, project } from '../run/rig.ts';
import { killAll, until } from '../run/witness.ts';

/** Seconds, for a machine with much else to do. */
export const PATIENCE = 60;

/** For `conf`: a partition in which no job may take longer than a minute. */
export const SHORT = 'PartitionName=short Nodes=ALL MaxTime=1 State=UP';
/** For a command: a line a start of the job, in the home of the login node's user; see `ran`. */
export const NOTE = 'echo $LB_JOB >> ~/ran';
/** A table. */
export const rows = (count: number) => Array.from({ length: count }, (_, i) => `row ${i + 1}\n`).join('');

export type Image = Awaited<ReturnType<typeof imageOn>>;

/** `resource`: further keys of the cluster in the grid file, undefined leaves one out; `others`: resources beside it. */
export async function imageOn(
  slurm: Slurm,
  files: Files,
  {
    resource = {},
    others = [],
  }: {
    readonly resource?: Readonly<Record<string, unknown>>;
    readonly others?: readonly Readonly<Record<string, unknown>>[];
  } = {},
) {
  const image = await project({ files: { 'src/x': '', ...files } });
  const withLab = (options: MakeOptions = {}): MakeOptions => ({
    ...options,
    env: { ...slurm.env, PATH: `${image.bin}:${slurm.bin}:${process.env.PATH}`, ...options.env },
  });
  const campus = { name: 'campus', type: 'slurm', hostname: 'slurmlogin', max_jobs: 100, ...resource };
  const setGrid = (changes: Readonly<Record<string, unknown>>) =>
    writeFileSync(
      join(image.home, '.logobatch.yml'),
      stringify({ compute: [...others, { ...campus, ...changes }] }),
    );
  setGrid({});
  return {
    ...image,
    setGrid,
    start: (args: readonly string[] = [], options?: MakeOptions) => image.start(args, withLab(options)),
    make: (args: readonly string[] = [], options?: MakeOptions) => image.make(args, withLab(options)),
    /** A file of a job of `b`: `<batch>/<Job>/<name>`. */
    result: (path: string) => image.read(`data/processed/b/${path}`),
    /** How many jobs each resource has done, by the records. */
    shares: () => sharesOf(join(image.root, 'data/processed')),
  };
}

/** For a `describe`: a Slurm while its tests run, and images on it. */
export function useSlurm(options: SlurmOptions) {
  let lab: Slurm | undefined;
  const images: Image[] = [];
  before(async () => {
    lab = await startSlurm(options);
  });
  after(() => {
    for (const image of images) {
      killAll(image);
      image.remove();
    }
    lab?.stop();
  });
  const slurm = () => lab ?? assert.fail('tests have not begun');
  /** The lines of a file in a home: of the login node's user, if nobody else's. */
  const noted = (name: string, home = slurm().home) => {
    const path = join(home, name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  };
  const states = () =>
    slurm()
      .queue()
      .map(({ state }) => state);
  return {
    get slurm() {
      return slurm();
    },
    /** With this as its bbatch `b`. */
    imageFor: async (batches: string, files: Files = {}, more: Parameters<typeof imageOn>[2] = {}) => {
      const image = await imageOn(slurm(), { 'batch_info/b.yml': batches, ...files }, more);
      images.push(image);
      rmSync(join(slurm().home, 'ran'), { force: true });
      return image;
    },
    noted,
    /** Runs words as Slurm's administrator. */
    asRoot: ([program = '', ...words]: readonly string[]) =>
      run(program, words, '', { ...process.env, ...slurm().env }),
    /** The jobs that have begun, by `NOTE`, since the last image was made. */
    ran: () => noted('ran').sort(),
    states,
    running: (count: number) =>
      until(`${count} run`, () => states().filter(state => state === 'RUNNING').length >= count, PATIENCE),
  };
}

/** How many jobs each node has done, by the records below the folder. */
export function sharesOf(folder: string): Record<string, number> {
  const records = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path =>
    path.endsWith('/.done'),
  );
  const shares: Record<string, number> = {};
  for (const path of records) {
    const [, node = ''] = / node=(\S+)/.exec(readFileSync(join(folder, path), 'latin1')) ?? [];
    if (node !== '') shares[node] = (shares[node] ?? 0) + 1;
  }
  return shares;
}

/** What jobs have left, `path: contents`; without what names machines and times. */
export function outputs(root: string): string[] {
  const folder = join(root, 'data/processed');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => !/(^|\/)(\.done|jobfile\.sh|slurm\.out|sge\.out)$/.test(path))
    .filter(path => statSync(join(folder, path)).isFile())
    .sort()
    .map(path => `${path}: ${readFileSync(join(folder, path), 'latin1')}`);
}

/** What is left of a run on the cluster, and in the image's notes: nothing, mostly. */
export function leftOn(
  slurm: Pick<Slurm, 'queue' | 'home' | 'processes'>,
  image: Pick<Project, 'root'>,
): string[] {
  const ledger = join(image.root, '.logobatch/ledger');
  return [
    ...slurm.queue().map(({ id, state }) => `in the queue: ${id} ${state}`),
    ...readdirSync(slurm.home).filter(name => name.startsWith('lb.')),
    // A nap that was begun in the very moment in which its script was ended is over within a second.
    ...slurm.processes().flatMap(({ args }) => (args === 'sleep 1' ? [] : args)),
    ...(existsSync(ledger) ? readdirSync(ledger).filter(name => !name.endsWith('.staged')) : []),
  ];
}
