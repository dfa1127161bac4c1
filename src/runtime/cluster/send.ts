/** Hands an array to a cluster: everything that its tasks need in one stream, and then to the scheduler. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ClusterResource } from '../../grid/model.ts';
import type { BatchWish, Executor, Refusal } from '../executors/executor.ts';
import { randomWord, runProgram } from '../script.ts';
import { type Load, timeOf } from './gather.ts';
import { arrayPrefix, type Site } from './site.ts';

/** What the scheduler has made of a submission. */
export type Sent =
  | { readonly kind: 'taken'; readonly id: string }
  | { readonly kind: 'refused'; readonly why: Refusal; readonly words: string }
  /** It may have it, or not: that shows by its name. */
  | { readonly kind: 'unsure'; readonly words: string };

/** A name that nothing else has, and that says to whoever looks into the queue what it is. */
export function newArrayName(batch: string): string {
  const shown = batch.replace(/^.*\//, '').replace(/[^A-Za-z0-9]/g, '-');
  return `${arrayPrefix()}${shown.slice(0, 40)}-${randomWord(6)}`;
}

/** Hands over a task for each of these, under this name, which has to be noted before. Lasts as long as the transfer, at most an hour. */
export async function send(site: Site, name: string, loads: readonly Load[]): Promise<Sent> {
  const { transport, executor, resource, work, limits } = site;
  const [first] = loads;
  if (!first) throw new Error('an array without tasks');
  const { batch, cpus } = first.packet;
  const words = executor.submission({
    name,
    tasks: loads.length,
    folder: join(work, 'arrays', name),
    cpus,
    time: timeOf(first),
    options: resource.options,
    batch: wishOf(batch, resource.kind, executor),
    foresees: limits.foresees ?? false,
  });
  const command = [...words, join(work, 'arrays', name, 'script'), join(work, 'arrays', name)];
  const folder = resolve('.logobatch/run/nodes', resource.name, 'sending');
  try {
    const tar = packed(folder, batch, loads);
    const said = await runProgram(transport, join(work, 'submit'), [name], {
      lead: `${command.join('\n')}\n\n`,
      input: tar.stdout,
      seconds: 3600,
    });
    tar.kill();
    if (!said.ok) return { kind: 'unsure', words: said.why };
    const [verdict = '', ...answer] = said.lines;
    const id = executor.idIn(answer);
    if (verdict === 'submitted' && id !== undefined) return { kind: 'taken', id };
    const text = answer.map(line => line.trim()).filter(line => line !== '' && !executor.idle?.test(line));
    if (verdict.startsWith('refused'))
      return { kind: 'refused', why: executor.refusalIn(text.join('\n')), words: text.at(-1) ?? verdict };
    return { kind: 'unsure', words: text.at(-1) ?? 'no answer' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Links to what is to be sent, laid out as it is to lie there; tar follows them. */
function packed(folder: string, batch: string, loads: readonly Load[]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(resolve('.logobatch/arrays', `${batch}.sh`), join(folder, 'script'));
  loads.forEach(({ packet }, i) => {
    mkdirSync(join(folder, String(i + 1)));
    symlinkSync(resolve(packet.base, 'archive'), join(folder, String(i + 1), 'archive'));
  });
  const extras = loads.flatMap(({ packet }, i) => (packet.marks.length > 0 ? [`${i + 1}\n`] : []));
  writeFileSync(join(folder, '.extras'), extras.join(''));
  writeFileSync(join(folder, '.whole'), '');
  const tasks = loads.map((_, i) => String(i + 1));
  const list = ['script', '.extras', ...tasks, '.whole'].map(path => `${path}\n`).join('');
  const { TAR_OPTIONS: _, ...env } = process.env;
  const tar = spawn('tar', ['-chf', '-', '-C', folder, '-T', '-'], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  tar.on('error', () => {});
  tar.stdin.on('error', () => {}).end(list);
  return tar;
}

/** What its scripts say of the batch: see `emit/batchfile.ts` and `emit/arrayscript.ts`. */
function wishOf(batch: string, kind: ClusterResource['kind'], { directive }: Executor): BatchWish {
  const said = readFileSync(join('.logobatch/batches', batch), 'utf8');
  const value = (key: string) => new RegExp(`^${key}='?([^'\n]*)'?$`, 'm').exec(said)?.[1] ?? '';
  const script = readFileSync(join('.logobatch/arrays', `${batch}.sh`), 'utf8');
  const lines = script.split('\n').filter(line => line.startsWith(`${directive} `));
  return {
    cpus: Number(value('most_cpus')) || 1,
    mem: Number(value('mem')),
    time: Number(value('time')),
    own: value(kind).split(' ').filter(Boolean),
    words: lines.flatMap(line => line.slice(directive.length).match(/("(\\.|[^"])*"|\S)+/g) ?? []),
  };
}
