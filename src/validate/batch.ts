/** One batch: every key checked, as far as it concerns this batch alone. */
import { hasErrors } from '../diagnostic.ts';
import type { Batch, Place } from '../model.ts';
import type { Report } from '../read/report.ts';
import { childOf, entryOf, type MapTree, scalarsOf, type Tree, textOf } from '../read/tree.ts';
import { cpuCounts, threadRange } from './cpus.ts';
import { REQUIRED_KEYS } from './editor-schema.ts';
import { environment, secretNames } from './environment.ts';
import { BUILT_IN } from './header.ts';
import { readInputs } from './inputs.ts';
import { checkJobNames } from './jobs.ts';
import { ALL_JOB_MARKERS, constantsOf, type MarkerScope, template, usedMarkers } from './markers.ts';
import { nameFault } from './names.ts';
import { schedulerOptions } from './options.ts';
import { outputLimit, outputPatterns } from './outputs.ts';
import { parseSize, parseTime } from './quantities.ts';
import { type BatchKeys, batchSchema, partialBatch } from './schema.ts';
import { goodKeys } from './shape.ts';
import {
  checkExe,
  containerImage,
  jobFiles,
  type StagingScope,
  setupScript,
  sharedFolders,
} from './staging.ts';
import { type JobTable, makeTable } from './table.ts';

/** A batch before its needs are known. */
export interface Draft {
  readonly name: string;
  readonly place: Place;
  readonly enabled: boolean;
  readonly needs: Tree | undefined;
  readonly jobs: number | undefined;
  /** Undefined after an error. */
  readonly batch: Omit<Batch, 'needs'> | undefined;
}

/** Undefined where there is not even a name to speak of. */
export async function readBatch(
  written: MapTree,
  bbatch: string,
  scope: StagingScope,
): Promise<Draft | undefined> {
  const { report } = scope;
  const before = report.found.length;
  const nameTree = childOf(written, 'name');
  const name = textOf(nameTree);
  const title = name === undefined ? 'a batch' : `batch "${name}"`;
  const place = nameTree?.place ?? written.place;
  const keys = checkKeys(written, title, report);
  // From here on a key is only there if its value has the right shape.
  const batch: MapTree = {
    ...written,
    entries: written.entries.filter(entry => Object.hasOwn(keys, entry.key)),
  };
  const fault = name === undefined ? undefined : nameFault(name);
  if (fault) report.error('bad-name', place, fault.why, { hint: fault.hint });

  const threads = threadRange(batch, keys, report);
  const cpus = threads?.upper ?? keys.cpus ?? 1;
  const counts = cpuCounts(threads, cpus);
  const constants = constantsOf(written, name ?? '');
  // Inputs with a mistake in them must not look like no inputs.
  const lost = entryOf(written, 'inputs') && !entryOf(batch, 'inputs');
  const jobs = lost ? undefined : await tableOf(batch, keys, constants, scope);
  const markers: MarkerScope = {
    columns: jobs?.table.columns ?? [],
    hidden: jobs?.hidden ?? [],
    constants,
    source: jobs?.table.source ?? '',
    bash: keys.shell === 'bash',
  };
  const [command] = scalarsOf(childOf(batch, 'command'));
  const [jobName] = scalarsOf(childOf(batch, 'job_name'));
  // Without its table nothing can be said about a batch's markers: its own mistakes come first.
  const commandTemplate =
    jobs && command && template(command, 'the command', true, ALL_JOB_MARKERS, markers, report);
  const marked = report.found.length;
  const nameTemplate =
    jobs && jobName && template(jobName, 'a job name', false, new Set(['n', 'cpus']), markers, report);
  if (jobs && nameTemplate && marked === report.found.length)
    checkJobNames(nameTemplate, jobs.table, counts, report);
  checkExe(batch, scope);
  const texts = (key: 'modules' | 'resources' | 'tags' | 'requires') =>
    scalarsOf(childOf(batch, key)).map(s => s.text);
  const quantity = (key: 'mem' | 'time', parse: (text: string) => number | undefined) => {
    const text = keys[key];
    return text === undefined ? undefined : parse(text);
  };
  const checked = {
    name: name ?? '',
    bbatch,
    id: `${bbatch}/${name}`,
    place,
    shell: keys.shell ?? 'sh',
    jobName: nameTemplate,
    cpus,
    threads,
    mem: quantity('mem', parseSize),
    gpus: keys.gpus ?? 0,
    time: quantity('time', parseTime),
    retries: keys.retries ?? 0,
    files: jobFiles(batch, jobs?.table, counts, markers, scope),
    shared: sharedFolders(batch, scope),
    outputs: outputPatterns(childOf(batch, 'outputs'), constants, report),
    maxOutput: outputLimit(childOf(batch, 'max_output')),
    secrets: secretNames(childOf(batch, 'secrets'), report),
    env: environment(childOf(batch, 'env'), constants, report),
    modules: texts('modules'),
    setup: setupScript(batch, scope),
    container: containerImage(batch, scope),
    resources: texts('resources'),
    tags: texts('tags'),
    requires: texts('requires'),
    bundle: keys.bundle ?? 1,
    keep: keys.keep ?? false,
    // Who names addresses wants to hear, unless the batch says no.
    email: keys.email ?? true,
    slurm: schedulerOptions(childOf(batch, 'slurm'), 'slurm', report),
    sge: schedulerOptions(childOf(batch, 'sge'), 'sge', report),
    constants,
  };
  if (name === undefined) return undefined;
  const whole = jobs !== undefined && commandTemplate !== undefined && !hasErrors(report.found.slice(before));
  return {
    name,
    place,
    enabled: keys.enabled ?? true,
    needs: childOf(batch, 'needs'),
    jobs: jobs && jobs.table.rows.length * counts.length,
    batch: whole ? { ...checked, command: commandTemplate, table: jobs.table } : undefined,
  };
}

const MISSING: Readonly<Record<string, string>> = {
  name: 'for example: name: fire',
  command: 'for example: command: "sh src/model.sh {i0} > {out}/result.csv"',
};

function checkKeys(batch: MapTree, title: string, report: Report): BatchKeys {
  for (const key of REQUIRED_KEYS) {
    if (!entryOf(batch, key))
      report.error('missing-key', batch.place, `${title} has no "${key}"`, { hint: MISSING[key] });
  }
  return partialBatch.parse(goodKeys(batch, batchSchema.shape, title, report));
}

/** Reads the inputs; undefined after a mistake in them. */
async function tableOf(
  batch: MapTree,
  keys: BatchKeys,
  constants: ReadonlyMap<string, string>,
  scope: StagingScope,
): Promise<JobTable | undefined> {
  const { report } = scope;
  const before = report.found.length;
  const inputs = entryOf(batch, 'inputs');
  const raw = await readInputs(batch, inputs, scope.files, scope.readTable, report);
  if (raw === undefined) return undefined;
  for (const key of ['header', 'csv']) {
    const entry = entryOf(batch, key);
    if (entry && raw.kind !== 'csv') {
      report.warn('ignored-key', entry.keyPlace, `"${key}" says something about a CSV, and inputs is none`, {
        hint: 'delete it',
      });
    }
  }
  const wish = {
    said: keys.header,
    used: usedMarkers(batch),
    taken: new Set([...BUILT_IN, ...constants.keys()]),
    allowEmpty: keys.allow_empty ?? false,
    place: inputs?.keyPlace ?? batch.place,
  };
  const table = makeTable(raw, wish, report);
  return hasErrors(report.found.slice(before)) ? undefined : table;
}
