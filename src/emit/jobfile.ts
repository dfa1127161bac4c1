/**
 * The text of each `jobfile.sh`. The template is rendered once a batch, with placeholders for what differs from job
 * to job, and cut there: a job then costs a few string joins, and a million of them a few seconds.
 */

import { columnVariables, shellText } from '../command/fill.ts';
import { type Filling, markerValue } from '../command.ts';
import type { Batch, Job } from '../model.ts';
import { shWord } from '../quote.ts';
import { jobDirectives, memPerSlot, oneLine } from './directives.ts';
import { ownTemplate, type Template } from './template.ts';

/** Linux takes no string of the environment over 128 KiB, and about 2 MiB of arguments and environment together. */
const LONGEST_EXPORT = 128 * 1024 - 1;
const ALL_EXPORTS = 512 * 1024;

const NOT_EXPORTED = '  # too long for the environment of other programs: known in this file only';

/** What `templates/jobfile.sh.hbs` can say, each a finished word or line; empty where there is nothing to say. */
export interface JobfileView {
  readonly interpreter: string;
  readonly shell: string;
  /** Of the shell. */
  readonly options: string;
  readonly digest: string;
  readonly cpus: string;
  /** The jobs that this one needs one by one. */
  readonly pairs: string;
  readonly id: string;
  readonly name: string;
  /** Where the batch is written. */
  readonly file: string;
  /** The job's folder. */
  readonly out: string;
  readonly directives: readonly string[];
  readonly values: readonly ValueView[];
  /** Where the values come from. */
  readonly from: string;
  readonly env: readonly { readonly variable: string; readonly value: string }[];
  readonly modules: string;
  readonly container: string;
  readonly command: string;
}

export interface ValueView {
  readonly export: string;
  readonly variable: string;
  readonly value: string;
  readonly note: string;
}

/** Makes the jobfiles of a batch. */
export function jobfileOf(batch: Batch, template = ownTemplate('jobfile.sh.hbs')): (job: Job) => string {
  const alone = prepare(batch, template, false);
  if (!batch.needs.some(need => need.each)) return alone;
  const paired = prepare(batch, template, true);
  return job => (job.needs.length > 0 ? paired(job) : alone(job));
}

type Part = (job: Job & Filling) => string;

function prepare(batch: Batch, template: Template, pairs: boolean): (job: Job) => string {
  const parts: Part[] = [];
  /** A place for what a job says; no text of an image may hold NUL. */
  const perJob = (part: Part) => `\0${parts.push(part) - 1}\0`;
  const name = perJob(job => shWord(job.name));
  const out = `data/processed/${batch.id}/${name}`;
  const cpus = perJob(job => String(job.cpus));
  const columns = columnVariables(batch.table.columns);
  const command = shellText(batch.command, columns);
  const values: ValueView[] = columns.map((variable, index) => ({
    export: perJob(job => (isExported(columns, job.values, index) ? 'export ' : '')),
    variable,
    value: perJob(job => shWord(job.values[index] ?? '')),
    note: perJob(job => (isExported(columns, job.values, index) ? '' : NOT_EXPORTED)),
  }));
  for (const [variable, ref] of command.variables) {
    values.push({ export: '', variable, value: perJob(job => shWord(markerValue(ref, job))), note: '' });
  }
  const { mem } = batch;
  const slotMem = mem === undefined ? '' : perJob(job => String(memPerSlot(batch, mem, job.cpus)));
  const view: JobfileView = {
    interpreter: batch.shell === 'bash' ? '/usr/bin/env bash' : '/bin/sh',
    shell: batch.shell,
    options: batch.shell === 'bash' ? '-eo pipefail' : '-e',
    digest: perJob(job => job.digest),
    cpus,
    pairs: pairs ? perJob(job => job.needs.join(' ')) : '',
    id: batch.id,
    name,
    file: oneLine(batch.place.file),
    out,
    directives: jobDirectives(batch, { cpus, out, slotMem }),
    values,
    from: columns.length > 0 ? `, from ${oneLine(batch.table.source)}` : '',
    env: [...batch.env].map(([variable, value]) => ({ variable, value: shWord(value) })),
    modules: batch.modules.map(shWord).join(' '),
    container: batch.container === undefined ? '' : shWord(batch.container),
    command: command.texts
      .map((piece, index) => {
        const next = command.pieces[index];
        return next === undefined ? piece : piece + perJob(next);
      })
      .join('')
      .replace(/^\n+|\n+$/g, ''),
  };
  // Every other piece is the number of a part.
  const pieces = template
    .render(view)
    .split('\0')
    .map((piece, index) => (index % 2 === 1 ? parts[Number(piece)] : undefined) ?? piece);
  return job => {
    const filling = { ...job, out: `data/processed/${batch.id}/${job.name}` };
    let jobfile = '';
    for (const piece of pieces) jobfile += typeof piece === 'function' ? piece(filling) : piece;
    return jobfile;
  };
}

/** Whether a value goes into the environment of the programs that the command starts. */
function isExported(columns: readonly string[], values: readonly string[], index: number): boolean {
  const value = values[index] ?? '';
  // Three bytes at most for a UTF-16 unit.
  if (values.length * value.length * 3 < 64 * 1024) return true;
  const bytes = (at: number) => Buffer.byteLength(`${columns[at]}=${values[at]}\0`);
  let before = 0;
  for (let at = 0; at <= index; at++) before += bytes(at);
  return bytes(index) <= LONGEST_EXPORT && before <= ALL_EXPORTS;
}
