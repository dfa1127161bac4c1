/**
 * A cell of Grid Engine in a folder of its own: what its installer would write below /var, and what its administrator would
 * then type.
 */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { system } from './command.ts';

/** Grid Engine refuses a host whose name leads to 127.0.0.1, so this is no other name for `localhost`. */
export const HOST = 'sgemaster';

/** The only one, in both senses. */
export const QUEUE = 'all.q';

export interface CellShape {
  /** The cell's own, which does not exist yet. */
  readonly folder: string;
  /** Where the two daemons write. */
  readonly qmaster: string;
  readonly execd: string;
  /** Lines of the global configuration, which count more than the lab's own. */
  readonly lines: readonly string[];
}

export interface Cell {
  /** What tells Grid Engine's programs which cell they belong to. */
  readonly variables: Readonly<Record<string, string>>;
  /** Words that give a command a host name and a hosts file of its own; to be run inside of the host's network. */
  readonly enter: readonly string[];
  /** Says where the host's name leads; before that nothing can start. */
  readonly locate: (address: string) => void;
  /** The file that `qacct` reads; there is none before the first job has ended. */
  readonly accounting: string;
}

const SHARE = '/usr/share/gridengine';
export const PROGRAMS = '/usr/lib/gridengine';

/** Writes all that must be there before the qmaster starts for the first time. */
export function makeCell({ folder, qmaster, execd, lines }: CellShape): Cell {
  const root = join(folder, 'root');
  const cell = 'lab';
  const common = join(root, cell, 'common');
  const database = join(qmaster, 'database');
  for (const path of [common, database, join(qmaster, 'spool'), join(execd, 'spool')])
    mkdirSync(path, { recursive: true });
  symlinkSync(join(SHARE, 'util'), join(root, 'util'));

  writeFileSync(
    join(common, 'bootstrap'),
    text({
      // Nobody: the daemons stay whom they are started as.
      admin_user: 'none',
      default_domain: 'none',
      ignore_fqdn: 'false',
      spooling_method: 'berkeleydb',
      spooling_lib: 'libspoolb',
      spooling_params: database,
      binary_path: '/usr/sbin',
      qmaster_spool_dir: join(qmaster, 'spool'),
      security_mode: 'none',
      listener_threads: '2',
      worker_threads: '2',
      scheduler_threads: '1',
    }),
  );
  writeFileSync(join(common, 'act_qmaster'), `${HOST}\n`);
  const configuration = join(folder, 'configuration');
  const initial = amended(readFileSync(join(SHARE, 'default-configuration'), 'utf8'), {
    execd_spool_dir: join(execd, 'spool'),
    // Else the end of a job can be read a quarter of a minute later.
    reporting_params:
      'accounting=true reporting=false flush_time=00:00:01 accounting_flush_time=00:00:00 joblog=false sharelog=00:00:00',
    load_report_time: '00:00:01',
    // Seconds until an execd that is silent counts as lost, which are otherwise five minutes.
    max_unheard: '00:00:05',
    mailer: '/bin/true',
    administrator_mail: 'none',
  });
  writeFileSync(configuration, amended(initial, Object.fromEntries(lines.map(keyAndValue))));

  const variables = {
    SGE_ROOT: root,
    SGE_CELL: cell,
    SGE_QMASTER_PORT: '6444',
    SGE_EXECD_PORT: '6445',
  };
  const spool = (program: string, ...words: readonly string[]) =>
    system(join(PROGRAMS, program), words, { env: variables });
  spool('spoolinit', 'berkeleydb', 'libspoolb', database, 'init');
  spool('spooldefaults', 'configuration', configuration);
  spool('spooldefaults', 'complexes', join(SHARE, 'util/resources/centry'));
  spool('spooldefaults', 'usersets', join(SHARE, 'util/resources/usersets'));
  spool('spooldefaults', 'managers', 'root');

  const hosts = join(folder, 'hosts');
  return {
    variables,
    enter: [enterScript(folder, hosts)],
    accounting: join(common, 'accounting'),
    locate: address => writeFileSync(hosts, `127.0.0.1 localhost\n${address} ${HOST}\n`),
  };
}

/** What is set up in a running qmaster: a host, a queue on it, a parallel environment `smp`, and a scheduler in a hurry. */
export function setUp(
  folder: string,
  qconf: (...words: readonly string[]) => string,
  { slots, queue = {} }: { readonly slots: number; readonly queue?: Readonly<Record<string, string>> },
): void {
  const file = (name: string, lines: string) => {
    const path = join(folder, name);
    writeFileSync(path, lines);
    return path;
  };
  qconf('-as', HOST);
  const none = ['load_scaling', 'complex_values', 'user_lists', 'xuser_lists', 'projects', 'xprojects'];
  const others = [...none, 'usage_scaling', 'report_variables'].map(name => [name, 'NONE']);
  qconf('-Ae', file('host', text({ hostname: HOST, ...Object.fromEntries(others) })));
  qconf('-Ap', join(SHARE, 'util/resources/pe/smp'));
  const own = { qname: QUEUE, hostlist: HOST, slots: String(slots), pe_list: 'smp', load_thresholds: 'NONE' };
  qconf('-Aq', file('queue', amended(qconf('-sq'), { ...own, ...queue })));
  const hurry = {
    schedule_interval: '0:0:1',
    flush_submit_sec: '1',
    flush_finish_sec: '1',
    job_load_adjustments: 'NONE',
  };
  qconf('-Msconf', file('scheduler', amended(qconf('-ssconf'), hurry)));
}

/** The namespaces of mounts and of host names end with the processes in them. */
function enterScript(folder: string, hosts: string): string {
  const path = join(folder, 'enter');
  const inside = `mount --bind ${hosts} /etc/hosts && hostname ${HOST} && exec "$@"`;
  writeFileSync(path, `#!/bin/sh\nexec unshare --uts --mount sh -c '${inside}' sh "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

const text = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${value}\n`)
    .join('');

/** Grid Engine's files: a key and its value a line. Keys that are not there are added. */
function amended(lines: string, values: Readonly<Record<string, string>>): string {
  const kept = lines.split('\n').filter(line => line && !(keyAndValue(line)[0] in values));
  return `${kept.join('\n')}\n${text(values)}`;
}

function keyAndValue(line: string): [string, string] {
  const [key = '', ...words] = line.split(/\s+/);
  return [key, words.join(' ')];
}
