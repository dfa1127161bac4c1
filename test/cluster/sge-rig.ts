/** An image whose only resource is a real Grid Engine, through its login node. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Sge } from '../lab/sge.ts';
import { type Files, type MakeOptions, project } from '../run/rig.ts';

/** Seconds, for a machine with much else to do. */
export const PATIENCE = 60;

export type Image = Awaited<ReturnType<typeof imageFor>>;

/** `resource`: further keys of the cluster in the grid file; undefined leaves one out. */
export async function imageFor(sge: Sge, files: Files, resource: Readonly<Record<string, unknown>> = {}) {
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

/** What jobs have written to `ran` in the user's home there, a line each, sorted. */
export function ranOn(sge: Sge): string[] {
  return readFileSync(join(sge.home, 'ran'), 'utf8').split('\n').filter(Boolean).sort();
}
