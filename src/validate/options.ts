/**
 * Native options of the schedulers. Only known ones pass: an option decides what runs, as whom, and where its output
 * goes, and a job script of ours relies on all three.
 */
import { excerpt, nearest } from '../diagnostic.ts';
import type { Report } from '../read/report.ts';
import type { Tree } from '../read/tree.ts';

/** `sbatch --help`, Slurm 20 to 25, without what is ours. */
const SLURM = new Set(
  `account acctg-freq batch bb bbf begin burst-buffer clusters cluster-constraint comment constraint container
  container-id contiguous core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot
  dependency distribution exclude exclusive extra extra-node-info gpu-bind gpu-freq gpus gpus-per-node
  gpus-per-socket gpus-per-task gres gres-flags hint kill-on-invalid-dep licenses mail-type mail-user mcs-label mem
  mem-bind mem-per-cpu mem-per-gpu mincpus network nice nodefile nodelist nodes no-kill no-requeue ntasks
  ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket overcommit oversubscribe partition power prefer
  priority profile propagate qos reboot requeue reservation resv-ports segment signal sockets-per-node
  spread-job stepmgr switches thread-spec threads-per-core time time-min tmp tres-bind tres-per-task use-min-nodes
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
    parsable: 'LogoBatch reads the answer',
    quiet: 'LogoBatch reads the answer',
    hold: 'use enabled: false',
    'test-only': 'use make -n',
  }),
);

/** qsub's own names. */
const SGE = new Set(
  'A P R a ac ar binding ckpt clear dc dl hard jc js l m M masterl masterq mods notify now p pe q r soft tc w'.split(
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
  }),
);

export function schedulerOptions(
  tree: Tree | undefined,
  kind: 'slurm' | 'sge',
  report: Report,
): Map<string, string> {
  const options = new Map<string, string>();
  const [known, ours] = kind === 'slurm' ? [SLURM, SLURM_OURS] : [SGE, SGE_OURS];
  for (const { key, keyPlace, value } of tree?.kind === 'map' ? tree.entries : []) {
    const taken = ours.get(key);
    if (taken !== undefined) {
      report.error('option-refused', keyPlace, `the ${kind} option "${key}" is not to be set`, {
        hint: taken,
      });
      continue;
    }
    if (!known.has(key)) {
      const meant =
        (kind === 'sge' ? SGE_WORDS.get(key) : undefined) ?? nearest(key.replaceAll('_', '-'), known);
      report.error('option-refused', keyPlace, `unknown ${kind} option ${excerpt(key, 40)}`, {
        hint: meant
          ? `did you mean "${meant}"?`
          : kind === 'slurm'
            ? "write sbatch's long names, without --"
            : "write qsub's names, without -",
      });
      continue;
    }
    if (value.kind !== 'scalar') continue;
    if (/[\u0000-\u001f\u007f]/.test(value.text)) {
      report.error(
        'option-refused',
        value.place,
        `the value of "${key}" has a line break or control character in it`,
        {
          hint: 'an option is one line',
        },
      );
      continue;
    }
    // A flag without a value is switched on by true; false is how a merged map is overruled.
    if (value.type === 'boolean') {
      if (/^true$/i.test(value.text)) options.set(key, '');
    } else options.set(key, value.text);
  }
  return options;
}
