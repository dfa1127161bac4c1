/** Images whose only resource is a real Grid Engine, through its login node. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { stringify } from 'yaml';
import { type Sge, startSge } from '../lab/sge.ts';
import { type Files, type MakeOptions, project } from '../run/rig.ts';
import { killAll, until } from '../run/witness.ts';
import { leftOn } from './slurm-rig.ts';

/** Seconds, for a machine with much else to do. */
export const PATIENCE = 60;

export type Image = Awaited<ReturnType<typeof imageOn>>;

/** `resource`: further keys of the cluster in the grid file; undefined leaves one out. */
export async function imageOn(sge: Sge, files: Files, resource: Readonly<Record<string, unknown>> = {}) {
  const image = await project({ files });
  const withLab = (options: MakeOptions = {}): MakeOptions => ({
    ...options,
    env: { PATH: `${image.bin}:${sge.bin}:${process.env.PATH}`, ...options.env },
  });
  const campus = { name: 'campus', type: 'sge', hostname: 'sgelogin', max_jobs: 100, ...resource };
  writeFileSync(join(image.home, '.logobatch.yml'), stringify({ compute: [campus] }));
  return {
    ...image,
    start: (args: readonly string[] = [], options?: MakeOptions) => image.start(args, withLab(options)),
    make: (args: readonly string[] = [], options?: MakeOptions) => image.make(args, withLab(options)),
    /** A file of a job of `b`: `<batch>/<Job>/<name>`. */
    result: (path: string) => image.read(`data/processed/b/${path}`),
  };
}

/** For a `describe`: a Grid Engine of 12 slots while its tests run, with two parallel environments, and images on it. */
export function useSge() {
  let lab: Sge | undefined;
  let images: Image[] = [];
  const sge = () => lab ?? assert.fail('tests have not begun');
  const states = () =>
    sge()
      .queue()
      .map(({ state }) => state);
  const workFolders = () => readdirSync(sge().home).filter(name => name.startsWith('lb.'));
  const forgetRan = () => rmSync(join(sge().home, 'ran'), { force: true });
  const ran = () => {
    const path = join(sge().home, 'ran');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).sort() : [];
  };
  before(async () => {
    lab = await startSge({ slots: 12 });
    const pe = join(lab.folder, 'openmp');
    writeFileSync(pe, lab.admin('qconf', '-sp', 'smp').replace(/^(pe_name +)smp/m, '$1openmp'));
    lab.admin('qconf', '-Ap', pe);
    lab.admin('qconf', '-aattr', 'queue', 'pe_list', 'openmp', 'all.q');
  });
  // What a test that failed has left is not to stand in the way of the next.
  afterEach(async () => {
    for (const image of images) {
      killAll(image);
      image.remove();
    }
    images = [];
    if (states().length > 0) sge().admin('qdel', '-f', '-u', sge().user.name);
    await until('the queue is empty', () => states().length === 0, PATIENCE);
    for (const name of workFolders()) rmSync(join(sge().home, name), { recursive: true });
  });
  after(() => lab?.stop());
  return {
    get sge() {
      return sge();
    },
    /** With this as its bbatch `b`. */
    imageFor: async (batches: string, resource?: Parameters<typeof imageOn>[2]) => {
      const image = await imageOn(sge(), { 'src/x': '', 'batch_info/b.yml': batches }, resource);
      images.push(image);
      forgetRan();
      return image;
    },
    /** In the queue. */
    states,
    workFolders,
    /** What jobs have written to `~/ran` since the last image was made, a line each, sorted. */
    ran,
    starts: (count: number) => until(`${count} jobs have started`, () => ran().length >= count, PATIENCE),
    nothingLeft: (image: Image) => {
      forgetRan();
      const left = leftOn(sge(), image);
      assert.deepEqual(left, [], `left: ${left.join(', ')}\n${image.said()}`);
    },
  };
}

/** Sets lines of the site's configuration until the function that it gives is called. */
export function configure(sge: Sge, values: Readonly<Record<string, string>>): () => void {
  const before = sge.admin('qconf', '-sconf').split('\n').slice(1);
  const set = (lines: readonly string[]) => {
    const file = join(sge.folder, 'global');
    writeFileSync(file, `${lines.join('\n')}\n`);
    sge.admin('qconf', '-Mconf', file);
  };
  const kept = before.filter(line => !((line.split(/\s/)[0] ?? '') in values));
  set([...kept, ...Object.entries(values).map(([key, value]) => `${key} ${value}`)]);
  return () => set(before);
}
