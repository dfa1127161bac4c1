/**
 * Native options of the schedulers. Only known ones pass: an option decides what runs, as whom, and where its output
 * goes, and a job script of ours relies on all three.
 */
import { excerpt, nearest } from '../diagnostic.ts';
import type { Report } from '../read/report.ts';
import type { Tree } from '../read/tree.ts';

/** `sbatch --help`, Slurm 20 to 25, without what is ours. */
const SLURM = new Set(
  `account acctg-freq batch bb bbf begin burst-buffer cluster-constraint comment consolidate-segments constraint container
  container-id contiguous core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot
  dependency distribution exclude exclusive extra extra-node-info gpu-bind gpu-freq gpus gpus-per-node
  gpus-per-socket gpus-per-task gres gres-flags hint kill-on-invalid-dep licenses mail-type mail-user mcs-label mem
  mem-bind mem-per-cpu mem-per-gpu mincpus network nice nodefile nodelist nodes no-kill no-requeue ntasks
  ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket oom-kill-step overcommit oversubscribe partition power prefer
  priority profile propagate qos reboot requeue reservation resv-ports segment signal sockets-per-node
  spread-job spread-segments stepmgr switches tasks-per-node thread-spec threads-per-core time time-min tmp tres-bind tres-per-task use-min-nodes
  wait-all-nodes wckey`.split(/\s+/),
);

/** What ours would collide with, and why. */
const SLURM_OURS = new Map(
  Object.entries({
    wrap: 'the job script is ours',
    uid: 'jobs run as you',
    gid: 'jobs run as you',
    array: 'LogoBatch forms the job arrays',
    output: 'LogoBatch collects the output',
    error: 'LogoBatch collects the output',
    input: 'standard input is empty',
    'open-mode': 'LogoBatch collects the output',
    chdir: 'LogoBatch chooses the folder',
    'job-name': 'the name is how a job is found again',
    export: 'use env: for variables',
    'export-file': 'use env: for variables',
    'get-user-env': 'use env: for variables',
    wait: 'LogoBatch waits by itself',
    clusters: 'a cluster is a resource of its own: name it in the grid file',
    'ignore-pbs': 'the job script is ours',
    verbose: 'LogoBatch reads the answer',
    help: 'it runs nothing',
    usage: 'it runs nothing',
    version: 'it runs nothing',
    parsable: 'LogoBatch reads the answer',
    quiet: 'LogoBatch reads the answer',
    hold: 'use enabled: false',
    'test-only': 'use make -n',
  }),
);

/** sbatch's letters: a word says what is meant, also to those who read the directive later. */
const SLURM_LETTERS: Readonly<Record<string, string>> = {
  ...{ A: 'account', a: 'array', b: 'begin', B: 'extra-node-info', c: 'cpus-per-task', C: 'constraint' },
  ...{ d: 'dependency', D: 'chdir', e: 'error', F: 'nodefile', G: 'gpus', h: 'help', H: 'hold', i: 'input' },
  ...{
    J: 'job-name',
    k: 'no-kill',
    L: 'licenses',
    m: 'distribution',
    M: 'clusters',
    n: 'ntasks',
    N: 'nodes',
  },
  ...{ o: 'output', O: 'overcommit', p: 'partition', q: 'qos', Q: 'quiet', s: 'oversubscribe' },
  ...{ S: 'core-spec', t: 'time', v: 'verbose', V: 'version', w: 'nodelist', W: 'wait', x: 'exclude' },
};

/** qsub's own names: Grid Engine 6.2 and what came of it. */
const SGE = new Set(
  'A P R a ac ar binding c ckpt dc dl hard jc js l m M masterl masterq mods notify now p pe q r sc soft tc w'.split(
    ' ',
  ),
);

const SGE_OURS = new Map(
  Object.entries({
    b: 'the job script is ours',
    sync: 'LogoBatch waits by itself',
    S: 'jobs run in sh',
    t: 'LogoBatch forms the job arrays',
    N: 'the name is how a job is found again',
    o: 'LogoBatch collects the output',
    e: 'LogoBatch collects the output',
    j: 'LogoBatch collects the output',
    i: 'standard input is empty',
    cwd: 'LogoBatch chooses the folder',
    wd: 'LogoBatch chooses the folder',
    v: 'use env: for variables',
    V: 'use env: for variables',
    h: 'use enabled: false',
    hold_jid: 'use needs:',
    hold_jid_ad: 'use needs: {each: …}',
    jsv: 'the job script is ours',
    clear: 'options of the job script would be lost',
    '@': 'write the options out',
    help: 'it runs nothing',
    terse: 'LogoBatch reads the answer',
    shell: 'jobs run in sh',
    inherit: 'LogoBatch submits',
    C: 'the job script is ours',
    verify: 'use make -n',
  }),
);

/** Words people use for qsub's letters. */
const SGE_WORDS = new Map(
  Object.entries({
    queue: 'q',
    project: 'P',
    priority: 'p',
    account: 'A',
    resource: 'l',
    resources: 'l',
    parallel_environment: 'pe',
    mail: 'm',
    memory: 'l',
    rerun: 'r',
  }),
);

export function schedulerOptions(
  tree: Tree | undefined,
  kind: 'slurm' | 'sge',
  report: Report,
): Map<string, string> {
  const options = new Map<string, string>();
  for (const { key, keyPlace, value } of tree?.kind === 'map' ? tree.entries : []) {
    const refused = nameFault(key, kind);
    if (refused) {
      report.error('option-refused', keyPlace, refused.why, { hint: refused.hint });
      continue;
    }
    if (value.kind !== 'scalar') continue;
    // A flag without a value is switched on by true; false is how a merged map is overruled.
    if (value.type === 'boolean') {
      if (/^true$/i.test(value.text)) options.set(key, '');
      continue;
    }
    const fault = valueFault(key, value.text, kind);
    if (fault) report.error('option-refused', value.place, fault.why, { hint: fault.hint });
    else options.set(key, value.text.trim());
  }
  return options;
}

interface Fault {
  readonly why: string;
  readonly hint: string;
}

function nameFault(key: string, kind: 'slurm' | 'sge'): Fault | undefined {
  const [known, ours] = kind === 'slurm' ? [SLURM, SLURM_OURS] : [SGE, SGE_OURS];
  const long = kind === 'slurm' && Object.hasOwn(SLURM_LETTERS, key) ? SLURM_LETTERS[key] : undefined;
  const taken = ours.get(long ?? key);
  if (taken !== undefined) return { why: `the ${kind} option "${key}" is not to be set`, hint: taken };
  if (long !== undefined)
    return { why: `the slurm option "${key}" is given by its letter`, hint: `write its long name: ${long}` };
  if (known.has(key)) return undefined;
  const meant =
    (kind === 'sge' ? SGE_WORDS.get(key) : undefined) ??
    nearest(key.replace(/^-+/, '').replaceAll('_', '-'), known);
  const form = kind === 'slurm' ? "write sbatch's long names, without --" : "write qsub's names, without -";
  return {
    why: `unknown ${kind} option ${excerpt(key, 40)}`,
    hint: meant ? `did you mean "${meant}"?` : form,
  };
}

/** Options of qsub that are more than one word, each with how they look. */
const SGE_SEVERAL = new Map([
  ['pe', /^[^\s-]\S*( +\d+(-\d*)?)?$/],
  ['binding', /^((env|pe|set) +)?[^\s-]\S*$/],
]);

function valueFault(key: string, text: string, kind: 'slurm' | 'sge'): Fault | undefined {
  if (text.trim() === '')
    return {
      why: `the option "${key}" has an empty value`,
      hint: `leave it out; a flag is switched on by ${key}: true`,
    };
  if (/[\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(text))
    return {
      why: `the value of "${key}" has a line break or control character in it`,
      hint: 'an option is one line',
    };
  const marker = /(?<!\$)\{[A-Za-z_]\w*\}/.exec(text)?.[0];
  if (marker !== undefined)
    return {
      why: `the value of "${key}" has the marker ${marker} in it`,
      hint: 'one array of jobs has one set of options, so no value from a table ever stands in a directive: write the value itself, or make a batch of its own for each',
    };
  if (kind === 'slurm') return undefined;
  const several = SGE_SEVERAL.get(key);
  const isNumber = key === 'p' || key === 'js';
  if ((several ?? (isNumber ? /^-?\d+$/ : /^[^\s-]\S*$/)).test(text.trim())) return undefined;
  return {
    why: `the value of "${key}" is ${several || isNumber ? 'not of its form' : 'not one word'}: ${excerpt(text, 40)}`,
    hint:
      SGE_HINTS.get(key) ??
      'qsub would read an option of its own in it: join a list with commas, without blanks',
  };
}

const SGE_HINTS = new Map([
  ['pe', 'for example: pe: smp 4; or pe: smp, and cpus says how many'],
  ['p', 'for example: p: -100'],
]);
