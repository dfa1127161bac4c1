/**
 * The bbatch file's schema: the types, the checks of shape, and (see editor-schema.ts) what editors complete and
 * check. Scalars arrive as the text that was typed, except for the keys that want a number or a yes or no.
 * What needs to look at other files or at other keys is checked elsewhere.
 */
import * as z from 'zod';
import { parseSize, parseTime } from './quantities.ts';
import {
  address,
  checked,
  filled,
  flag,
  key,
  listOf,
  pattern,
  place,
  text,
  textMap,
  whole,
} from './schema-parts.ts';

/** Past these the value is a slip of the keyboard. */
const MAX_CPUS = 4096;
const MAX_RETRIES = 100;
const MAX_BUNDLE = 10_000;

const time = checked(
  t => parseTime(t) !== undefined,
  'a time: 90 (seconds), 10m, 2h, 1h30m, HH:MM:SS or 1-12:00:00',
);
const size = checked(t => parseSize(t) !== undefined, 'a whole number with K, M, G or T');
const decimal = pattern(/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?$/, 'a number');
const digits = pattern(/^[1-9]\d{0,8}$/, 'a whole number');

const values = z.array(text('one value'), { error: 'a list of values' });
const range = z.strictObject(
  { from: decimal, to: decimal, step: decimal.optional() },
  { error: 'a list, or from: and to:' },
);
const series = z.union([values, range], { error: 'a list of values, or {from: 0, to: 1, step: 0.1}' });
const matrix = z.record(z.string(), series, { error: 'a map: a list or a range for each column' });
const rows = z.array(z.union([text('one value'), values], { error: 'a value, or a list of values' }));
const inputs = z.union(
  [filled('a path'), rows, z.strictObject({ matrix }), z.strictObject({ zip: matrix })],
  {
    error: 'the path of a CSV, a folder or a file; a list; matrix: or zip:',
  },
);

const need = z.union([filled('a name'), z.strictObject({ each: filled('the name of a batch') })], {
  error: 'the name of a batch, or {each: NAME}',
});
const scheduler = textMap('a map of options', text('one value'));
const maxOutput = z.union([size, z.strictObject({ size: size.optional(), files: digits.optional() })], {
  error: 'a size like 10G, or {size: 10G, files: 1000}',
});

export const batchSchema = z.strictObject({
  name: key(text('a name'), 'Name', 'Folder and make target of the batch', 'fire'),
  enabled: key(flag(), 'Enabled', 'false: checked, but not compiled. Default: true', false),
  command: key(
    filled('a command'),
    'Command',
    'What a job runs, in sh. {density} is a column of the inputs, {out} the folder for the results',
    'awk -f src/fire.awk -v density={density} > {out}/burned.csv',
  ),
  shell: key(
    z.enum(['sh', 'bash'], { error: 'sh or bash' }),
    'Shell',
    'What reads the command. Default: sh',
    'bash',
  ),
  executable: key(filled('a program'), 'Executable', 'Fills {exe}', 'src/model'),
  exe: key(filled('a program'), 'Executable', 'Fills {exe}', 'src/model'),
  inputs: key(
    inputs,
    'Inputs',
    'A .csv (one job a row), a folder (one job a file), another file (one job), a list, matrix: or zip:',
    'sweep.csv',
    ['a', 'b'],
    { matrix: { density: { from: 0, to: 1, step: 0.1 }, seed: [1, 2, 3] } },
  ),
  header: key(
    flag(),
    'Header',
    'Whether the first row names the columns. Default: if its names are used',
    true,
  ),
  csv: key(
    z.strictObject(
      { delimiter: checked(t => /^([^"\r\n\0]|\\t)$/u.test(t), 'one character') },
      { error: 'a map' },
    ),
    'CSV',
    'How the CSV is written',
    { delimiter: ';' },
  ),
  allow_empty: key(flag(), 'Allow empty', 'true: a table without rows is no mistake', true),
  job_name: key(filled('a text with markers'), 'Job name', 'Default: Job1, Job2 …', '{species}-{seed}'),
  cpus: key(whole(1, MAX_CPUS), 'Processors', 'Of one node, for one job. Default: 1', 4),
  mem: key(size, 'Memory', 'For one job: K, M, G, T are powers of 1024', '4G'),
  gpus: key(whole(0, 1024), 'GPUs', 'For one job. Default: 0', 1),
  time: key(time, 'Time limit', 'Of one job: 90, 10m, 2h, 1-12:00:00. Default: none', '10m'),
  retries: key(
    whole(0, MAX_RETRIES),
    'Retries',
    'Of a job that fails; lost nodes never count. Default: 0',
    1,
  ),
  needs: key(
    z.union([need, z.array(need)], { error: 'a list of batches' }),
    'Needs',
    'Batches that must be complete first; {each: NAME} pairs job by job',
    ['prepare'],
    [{ each: 'simulate' }],
  ),
  files: key(listOf(filled('a path'), 'a list of paths'), 'Files', 'Input files of a job, with markers', [
    'data/raw/{map}.asc',
  ]),
  shared: key(listOf(filled('a path'), 'a list of folders'), 'Shared', 'Folders staged once a node', [
    'src',
    'data/raw',
  ]),
  outputs: key(
    listOf(filled('a pattern'), 'a list of patterns'),
    'Outputs',
    'What must exist in {out} afterwards',
    ['burned.csv', '*.png'],
  ),
  max_output: key(maxOutput, 'Output limit', 'Default: 10G and 100,000 files', '10G', {
    size: '10G',
    files: 1000,
  }),
  secrets: key(
    listOf(filled('a variable or a file'), 'a list of variables or files'),
    'Secrets',
    'Environment variables or files of this machine that jobs receive, and no file or log ever shows',
    ['API_TOKEN'],
  ),
  env: key(textMap('a map of variables', text('one value')), 'Environment', 'Set for each job', {
    OMP_NUM_THREADS: '4',
  }),
  modules: key(
    listOf(pattern(/^[A-Za-z0-9_][A-Za-z0-9_./+@:=-]*$/, 'a module like gcc/12.2'), 'a list of modules'),
    'Modules',
    'Loaded before each job',
    ['gcc/12.2'],
  ),
  setup: key(
    filled('a path'),
    'Setup',
    'A script of the image, run once a node before its first job',
    'src/setup.sh',
  ),
  container: key(
    filled('a path or an address'),
    'Container',
    'An Apptainer image to run in',
    'docker://python:3.12',
  ),
  resources: key(listOf(place, 'a list of resources'), 'Resources', 'Names of resources it may run on', [
    'lab1',
  ]),
  tags: key(listOf(place, 'a list of tags'), 'Tags', 'Tags a resource must have', ['netlogo']),
  requires: key(
    listOf(pattern(/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/, 'the name of a program'), 'a list of programs'),
    'Requires',
    'Programs a node must have',
    ['Rscript'],
  ),
  bundle: key(
    whole(1, MAX_BUNDLE),
    'Bundle',
    'Short jobs that one visit to a slot takes together. Default: 1',
    50,
  ),
  keep: key(flag(), 'Keep', 'Leave the work folders on the nodes, for looking into', true),
  type: key(
    z.enum(['threadtest'], { error: 'threadtest' }),
    'Type',
    'The command over a range of {cpus}',
    'threadtest',
  ),
  lower: key(whole(1, MAX_CPUS), 'Lower', 'Of a threadtest. Default: 1', 1),
  upper: key(whole(1, MAX_CPUS), 'Upper', 'Of a threadtest', 8),
  range: key(
    pattern(/^[1-9]\d{0,3}\s*-\s*[1-9]\d{0,3}$/, 'a range like 1-8'),
    'Range',
    'Of a threadtest',
    '1-8',
  ),
  slurm: key(scheduler, 'Slurm options', 'Of sbatch, by their long names', { partition: 'main' }),
  sge: key(scheduler, 'Grid Engine options', 'Of qsub', { q: 'all.q' }),
  email: key(
    flag(),
    'E-mail',
    'Mail when the batch ends, to whom the file or the grid file names; default: true',
    true,
  ),
  batch_base: key(filled('a text'), 'Batch base', 'Fills {batch_base}', 'runs'),
  batch_type: key(
    z.enum(['local', 'ssh', 'slurm', 'sge', 'threadtest', 'multi-proc-test'], {
      error: 'local, ssh, slurm, sge, threadtest or multi-proc-test',
    }),
    'Batch type',
    'First generation; see type and resources',
    'threadtest',
  ),
  hostnames: key(listOf(place, 'a list of hosts'), 'Hosts', 'First generation; now: resources', ['lab1']),
});

const addresses = listOf(address, 'an address, or a list of them');

const emailSchema = z.strictObject({
  addresses: key(addresses, 'Addresses', 'Who gets the mail', ['me@example.org']),
  from: key(address, 'From', 'The sender', 'me@example.org'),
});

/** A batch with what passed; the keys that did not are missing from it. */
const partialBatch = batchSchema.partial();
export type BatchKeys = z.infer<typeof partialBatch>;
export { partialBatch };

export const bbatchSchema = z.strictObject({
  batches: key(
    z.array(batchSchema),
    'Batches',
    'In the order of reading; `needs` decides the order of running',
    [],
  ),
  email: key(z.union([addresses, emailSchema.partial()]), 'E-mail', 'Who is told', {
    addresses: ['me@example.org'],
  }),
});
