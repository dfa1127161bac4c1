/** Plan → everything that is to stand on the disk. */
import { createHash } from 'node:crypto';
import type { Image, Job, Plan, PlannedBatch } from '../model.ts';
import { arrayscript } from './arrayscript.ts';
import { batchfile } from './batchfile.ts';
import type { Emission, EmittedFile, EmittedJobs } from './emission.ts';
import { FORMAT, FORMAT_FILE } from './emission.ts';
import { jobfileOf } from './jobfile.ts';
import { makefile } from './makefile.ts';
import type { Template } from './template.ts';
import { ownTemplates } from './templates.ts';

/** What is copied into every image as it is: path below `.logobatch/` → text. */
export type Copied = ReadonlyMap<string, string>;

export function emit(image: Image, plan: Plan, copied: Copied, templates = ownTemplates()): Emission {
  const files: EmittedFile[] = [
    file(FORMAT_FILE, `${FORMAT}\n`),
    file('.logobatch/.gitignore', '/run/\n/ledger/\n'),
    file('.logobatch/shared', [...plan.stamps].map(([folder, stamp]) => `${stamp}\t${folder}\n`).join('')),
    ...addresses(image),
    ...plan.batches.flatMap(planned => [
      file(`.logobatch/batches/${planned.batch.id}`, batchfile(planned.batch, plan.stamps)),
      ...arrayscript(planned, templates.array),
      ...jobFiles(planned),
    ]),
    ...[...copied].map(([path, text]) =>
      file(`.logobatch/${path}`, text, path.startsWith('shell/') ? 0o755 : 0o644),
    ),
  ];
  return {
    lock: { path: 'batch_info/jobs.lock', mode: 0o644, text: plan.lock },
    jobs: plan.batches.map(planned => jobfiles(planned, templates.jobfile)),
    files,
    makefile: makefile(plan),
  };
}

function file(path: string, text: string, mode = 0o644): EmittedFile {
  return { path, mode, text: () => [text] };
}

/** Who is told when a bbatch ends: `<bbatch><TAB><from><TAB><address>,<address>`; from may be empty. */
function addresses(image: Image): EmittedFile[] {
  const lines = image.bbatches.flatMap(({ name, email }) =>
    email?.addresses.length ? [`${name}\t${email.from ?? ''}\t${email.addresses.join(',')}\n`] : [],
  );
  return lines.length > 0 ? [file('.logobatch/email', lines.join(''))] : [];
}

/** Each job's own input files, for the stamps: `Job<TAB>path<TAB>path`. */
function jobFiles(planned: PlannedBatch): EmittedFile[] {
  if (planned.batch.files.length === 0) return [];
  const text = function* () {
    for (const job of planned.jobs()) yield `${[job.name, ...job.files].join('\t')}\n`;
  };
  return [{ path: `.logobatch/files/${planned.batch.id}`, mode: 0o644, text }];
}

function jobfiles(planned: PlannedBatch, template: Template): EmittedJobs {
  const { batch } = planned;
  const jobfile = jobfileOf(batch, template);
  return {
    planned,
    folder: `data/processed/${batch.id}`,
    text: index => jobfile(planned.job(index)),
    wording: wordingOf(planned, jobfile, template.source),
  };
}

/**
 * Told by trying: the jobfile of a job that does not exist holds all that the jobfiles of its batch share. The
 * template counts besides: some of its lines may be for other jobs than this one.
 */
function wordingOf(planned: PlannedBatch, jobfile: (job: Job) => string, template: string): string {
  const { batch } = planned;
  const values = batch.table.columns.map((_, i) => `value ${i}`);
  const sample = { name: 'sample', number: 0, cpus: 0, values, files: [], digest: '0', needs: ['a/b/c'] };
  const shared = [
    batch.jobName?.source,
    [...batch.constants],
    batch.files.map(one => one.source),
    batch.threads,
    batch.mem,
    template,
  ];
  return createHash('sha256')
    .update(JSON.stringify([jobfile(sample), planned.meaning, ...shared]))
    .digest('hex');
}
