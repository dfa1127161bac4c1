/**
 * Image → Plan: every job with its final name, number, digest and partners. Pure: no disk, clock, environment or
 * randomness. Jobs are made when they are asked for; what is held of a million of them is a few typed arrays.
 */
import { fill } from '../command.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Batch, Image, Job, Plan, PlannedBatch } from '../model.ts';
import { digestsOf } from './digest.ts';
import type { Keys } from './keys.ts';
import { makeKeys, putKey } from './keys.ts';
import { lockText, readLock } from './lock.ts';
import { checkNames } from './names.ts';
import type { Pairable } from './pairs.ts';
import { pairRows, partnersOf } from './pairs.ts';
import type { Numbering } from './renumber.ts';
import { NO_ROWS, renumber } from './renumber.ts';
import { stampsOf } from './stamps.ts';

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Plans an image; `oldLock` is the text of its `jobs.lock`, undefined where there is none yet. */
export function planImage(image: Image, oldLock: string | undefined): PlanResult {
  const old = readLock(oldLock ?? '');
  if (!old.ok) return { ok: false, diagnostics: [old.diagnostic] };
  const lock = new Map(old.lock);
  const diagnostics: Diagnostic[] = [];
  const counted = new Map<string, Counted>();
  const batches = image.bbatches.flatMap(bbatch => bbatch.batches);
  for (const batch of batches) {
    const here = countJobs(batch, lock.get(batch.id));
    lock.set(batch.id, here.numbering);
    counted.set(batch.id, here);
  }
  const planned = batches.map(batch => {
    const here = counted.get(batch.id);
    if (!here) throw new Error(`batch ${batch.id} was not counted`);
    diagnostics.push(...checkNames(batch, here.count, here.name));
    return planBatch(here, counted, diagnostics);
  });
  if (diagnostics.some(found => found.severity === 'error')) return { ok: false, diagnostics };
  const plan: Plan = {
    batches: planned,
    stamps: stampsOf(batches),
    lock: () => lockText(lock),
  };
  return { ok: true, plan, diagnostics };
}

/** A batch whose jobs have numbers and names, but no partners yet. */
interface Counted extends Pairable {
  readonly batch: Batch;
  readonly numbering: Numbering;
  readonly name: (index: number) => string;
}

function countJobs(batch: Batch, old: Numbering | undefined): Counted {
  const { rows } = batch.table;
  const { lower, upper } = batch.threads ?? { lower: batch.cpus, upper: batch.cpus };
  const cpus = Array.from({ length: upper - lower + 1 }, (_, i) => lower + i);
  const rowKeys = makeKeys(rows.length);
  for (const [i, row] of rows.entries()) putKey(rowKeys, i, row);
  const keys = batch.threads ? threadKeys(rows, cpus) : rowKeys;
  const numbering = renumber(old ?? { next: 1, active: NO_ROWS, gone: NO_ROWS }, keys);
  const { numbers } = numbering.active;
  const { jobName } = batch;
  const name = (index: number): string => {
    const number = numbers[index] ?? 0;
    if (!jobName) return `Job${number}`;
    const values = (rows[Math.floor(index / cpus.length)] ?? '').split('\0');
    return fill(jobName, { values, name: '', number, cpus: cpus[index % cpus.length] ?? 0, out: '' });
  };
  return { batch, rowKeys, cpus, count: rows.length * cpus.length, numbering, name };
}

function threadKeys(rows: readonly string[], cpus: readonly number[]): Keys {
  const keys = makeKeys(rows.length * cpus.length);
  for (const [i, row] of rows.entries()) {
    for (const [j, count] of cpus.entries()) putKey(keys, i * cpus.length + j, row, count);
  }
  return keys;
}

interface Partner {
  readonly to: Counted;
  readonly rows: Int32Array;
}

function planBatch(here: Counted, all: ReadonlyMap<string, Counted>, found: Diagnostic[]): PlannedBatch {
  const { batch, count, cpus, name } = here;
  const { numbers } = here.numbering.active;
  const partners: Partner[] = batch.needs.flatMap(need => {
    const to = need.each ? all.get(need.batch) : undefined;
    if (!to) return [];
    if (to.rowKeys.hi.length !== here.rowKeys.hi.length) found.push(differentCounts(here, to));
    return [{ to, rows: pairRows(here, to) }];
  });
  const needs = (index: number): string[] =>
    partners.flatMap(({ to, rows }) =>
      partnersOf(here, to, rows, index).map(i => `${to.batch.id}/${to.name(i)}`),
    );
  const digests = digestsOf(batch);
  const job = (index: number): Job => {
    const row = batch.table.rows[Math.floor(index / cpus.length)] ?? '';
    const values = row.split('\0');
    const number = numbers[index] ?? 0;
    const count = cpus[index % cpus.length] ?? 0;
    const filling = { values, name: name(index), number, cpus: count, out: '' };
    const files = batch.files.map(template => fill(template, filling));
    const paired = needs(index);
    const meaning = { row, name: filling.name, number, cpus: count, files, needs: paired };
    return {
      name: filling.name,
      number,
      cpus: count,
      values,
      digest: digests.of(meaning),
      files,
      needs: paired,
    };
  };
  return {
    batch,
    count,
    numbers,
    meaning: digests.shared,
    job,
    name,
    prints: prints(here, partners.length > 0 ? needs : undefined),
    jobs: () => upTo(count, job),
    names: () => upTo(count, name),
    sameNames: partners.length > 0 && sameNames(here, partners),
  };
}

function* upTo<T>(count: number, make: (index: number) => T): Iterable<T> {
  for (let i = 0; i < count; i++) yield make(i);
}

/** A job's row, number and partners in 64 bits: as long as they stay, so does all that its jobfile says. */
function prints(here: Counted, needs: ((index: number) => string[]) | undefined): Keys {
  const { keys, numbers } = here.numbering.active;
  const both = { hi: keys.hi.slice(), lo: keys.lo.slice() };
  const partner = makeKeys(1);
  for (let i = 0; i < here.count; i++) {
    if (needs) putKey(partner, 0, needs(i).join(' '));
    both.hi[i] = (both.hi[i] ?? 0) ^ (partner.hi[0] ?? 0);
    both.lo[i] = (both.lo[i] ?? 0) ^ (partner.lo[0] ?? 0) ^ Math.imul(numbers[i] ?? 0, 0x9e3779b1);
  }
  return both;
}

function sameNames(here: Counted, partners: readonly Partner[]): boolean {
  return partners.every(({ to, rows }) => {
    for (let i = 0; i < here.count; i++) {
      const [other, more] = partnersOf(here, to, rows, i);
      if (other === undefined || more !== undefined || to.name(other) !== here.name(i)) return false;
    }
    return true;
  });
}

function differentCounts(here: Counted, to: Counted): Diagnostic {
  const rows = here.rowKeys.hi.length;
  const others = to.rowKeys.hi.length;
  const effect =
    rows > others
      ? `${rows - others} of its jobs have no partner and wait for nothing of it`
      : `${others - rows} jobs of it are nobody's partner`;
  return {
    severity: 'warning',
    code: 'uneven-pairs',
    message: `"${here.batch.name}" needs each job of "${to.batch.id}", but has ${rows} rows and that has ${others}: ${effect}`,
    place: here.batch.place,
    hint: `give both the same inputs, or write needs: [${to.batch.name}] to wait for all of it`,
  };
}
