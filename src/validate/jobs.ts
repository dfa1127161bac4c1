/** What is checked for every job of a batch: its name, and that its own files are there. */
import { type Filling, fill } from '../command.ts';
import { excerpt } from '../diagnostic.ts';
import type { Table, Template } from '../model.ts';
import { limited, type Report } from '../read/report.ts';
import { nameFault, uniqueNames } from './names.ts';
import type { ImageFiles } from './paths.ts';

/** How often each row runs, and with how many processors. */
export type CpuCounts = readonly number[];

/** Fills in a text for every job, in the table's order. */
function* filled(
  text: Template,
  table: Table,
  cpus: CpuCounts,
): Iterable<{ row: number; job: number; text: string }> {
  const jobs = table.rows.length * cpus.length;
  for (let job = 0; job < jobs; job++) {
    yield { row: Math.floor(job / cpus.length), job, text: fillJob(text, table, cpus, job) };
  }
}

function fillJob(text: Template, table: Table, cpus: CpuCounts, job: number): string {
  const values = (table.rows[Math.floor(job / cpus.length)] ?? '').split('\0');
  const filling: Filling = { values, name: '', number: job + 1, cpus: cpus[job % cpus.length] ?? 1, out: '' };
  return fill(text, filling);
}

/** Names from `job_name`: allowed, and different whatever the file system thinks of case. */
export function checkJobNames(jobName: Template, table: Table, cpus: CpuCounts, report: Report): void {
  const bad = limited(report);
  const twice = limited(report);
  const isNew = uniqueNames(twice.error, 'duplicate-job-name', 'the job name', (job: number) => ({
    name: fillJob(jobName, table, cpus, job),
    place: table.placeOf(Math.floor(job / cpus.length)),
  }));
  for (const { row, job, text } of filled(jobName, table, cpus)) {
    const fault = nameFault(text);
    if (fault) bad.error('bad-job-name', table.placeOf(row), `job_name: ${fault.why}`, { hint: fault.hint });
    else isNew(text, job);
  }
  bad.done(table.source);
  twice.done(table.source);
}

/** Each job's own files must be there. */
export function checkJobFiles(
  path: Template,
  table: Table,
  cpus: CpuCounts,
  files: ImageFiles,
  report: Report,
): void {
  const faults = limited(report);
  for (const { row, text } of filled(path, table, cpus)) {
    const found = files.look(text);
    if (found.ok) continue;
    const { code, why, hint } = found.fault;
    faults.error(code, table.placeOf(row), `files: ${why}`, {
      hint: `${hint}; it comes from ${excerpt(path.source, 60)}`,
    });
  }
  faults.done(table.source);
}
