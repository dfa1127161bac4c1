/** `outputs:` and `max_output:`: what a job must leave, and how much it may. */
import { excerpt } from '../diagnostic.ts';
import type { Report } from '../read/report.ts';
import { childOf, scalarsOf, type Tree, textOf } from '../read/tree.ts';
import { fillConstants } from './environment.ts';
import { parseSize } from './quantities.ts';

/** Files of ours in a job's folder. */
const OURS = new Set(['jobfile.sh', '.done', 'job.out', 'job.err', 'slurm.out']);

/** Patterns relative to `{out}`. */
export function outputPatterns(
  tree: Tree | undefined,
  constants: ReadonlyMap<string, string>,
  report: Report,
): string[] {
  return scalarsOf(tree).flatMap(item => {
    const fault = (why: string, hint: string) => {
      report.error('output-pattern', item.place, `the output ${excerpt(item.text, 60)} ${why}`, { hint });
      return [];
    };
    let unknown: string | undefined;
    const relative = item.text.replace(/^\{out\}\/+/, '');
    const text = fillConstants(relative, constants, name => {
      unknown ??= name;
    });
    if (unknown !== undefined)
      return fault(`has {${unknown}} in it`, 'one pattern serves all jobs of a batch: use *');
    if (/[\u0000-\u001f\u007f]/.test(text))
      return fault('has a line break or control character in it', 'rename the file');
    const parts = text.split('/').filter((part, i) => part !== '.' && (part !== '' || i === 0));
    if (text.startsWith('/') || text.startsWith('~') || parts.includes('..')) {
      return fault('is not inside of {out}', 'patterns are relative to {out}, e.g. burned.csv');
    }
    const normal = parts.join('/');
    if (normal === '' || normal.startsWith('-'))
      return fault('is no pattern for files', 'e.g. burned.csv, *.png or maps/*.asc');
    if (OURS.has(normal.toLowerCase())) return fault('is called like a file of ours', 'use another name');
    return [normal];
  });
}

const DEFAULT_LIMIT = { bytes: 10 * 1024 ** 3, files: 100_000 };

/** `10G`, or `{size: 10G, files: 1000}`; the schema has checked the forms. */
export function outputLimit(tree: Tree | undefined): { bytes: number; files: number } {
  const size = textOf(tree) ?? textOf(childOf(tree, 'size'));
  const files = textOf(childOf(tree, 'files'));
  return {
    bytes: (size === undefined ? undefined : parseSize(size)) ?? DEFAULT_LIMIT.bytes,
    files: files === undefined ? DEFAULT_LIMIT.files : Number(files),
  };
}
