/** The arguments of `logobatch nodes` and `logobatch nodes add`. What they do is loaded when they are run. */
import type { Argv } from 'yargs';
import { OTHER_KINDS } from '../grid/model.ts';

const CHECK = `Looks at the machines of the grid file, side by side, and says of each whether jobs can run there,
what carries the connection, how long an empty command takes, processors and how many are free,
memory, GPUs, free disk where the work folder would be, login shell and system.

The grid file is --grid, or LOGOBATCH_GRID, or ~/.logobatch.yml; without one there is this
machine alone. Nothing is made or changed on any machine.`;

const ADD = `Adds machines that ssh reaches, or clusters, to the grid file; what is there stays, comments
included. A new file also names this machine, and is readable for you alone. On a terminal it
asks if no host is given.

HOST is what you type after ssh: a name, an alias of ~/.ssh/config, an address, or user@host.
Of a cluster it is the login node; where jobs are submitted from this machine there is none, and
--name is needed.`;

const TEXT = { type: 'string', requiresArg: true } as const;
const GRID = { ...TEXT, describe: 'the grid file' } as const;
const LIST = { type: 'string', array: true, nargs: 1, default: [] as string[] } as const;

/** Gets what is to be run once all arguments were found to be right. */
type Take = (run: () => Promise<number>) => void;

export function nodesCommand(parser: Argv, take: Take): Argv {
  return parser.command('nodes', 'look at the machines that jobs may run on, or add some', command =>
    addCommand(checkCommand(command.usage(`$0 nodes [NAME…]\n$0 nodes add [HOST…]\n\n${CHECK}`), take), take),
  );
}

function checkCommand(parser: Argv, take: Take): Argv {
  return parser.command(
    '$0 [names..]',
    'look at them',
    command =>
      command
        .positional('names', { type: 'string', array: true, default: [] as string[], describe: 'just these' })
        .option('grid', GRID)
        .option('requires', {
          ...TEXT,
          describe: 'programs that have to be there, with commas; a machine without one counts as failed',
        })
        .option('format', {
          choices: ['text', 'json'] as const,
          default: 'text' as const,
          describe: 'how to report',
        })
        .check(once('names'))
        .example('$0 nodes', 'look at all of them')
        .example('$0 nodes lab1 --requires Rscript,awk', 'is R on lab1?')
        .epilogue('Exit codes: 0 all of them are fine; 1 some are not; 2 the command line is wrong.'),
    given =>
      take(async () => {
        const { checkNodes } = await import('./nodes-check.ts');
        const { names, grid, requires, format } = given;
        return checkNodes({ names, grid, requires, format });
      }),
  );
}

function addCommand(parser: Argv, take: Take): Argv {
  return parser.command(
    'add [hosts..]',
    'add machines that ssh reaches, or clusters, to the grid file',
    command =>
      command
        .usage(`$0 nodes add [HOST…]\n\n${ADD}`)
        .positional('hosts', { type: 'string', array: true, default: [] as string[], describe: 'which' })
        .option('type', {
          choices: OTHER_KINDS,
          default: 'ssh' as const,
          describe: 'a machine, or a cluster',
        })
        .option('name', { ...TEXT, describe: "what to call it; default: the first part of its host's name" })
        .option('user', { ...TEXT, describe: 'the user there; default: as ssh decides' })
        .option('port', { ...TEXT, describe: 'of its sshd; default: as ssh decides' })
        .option('slots', { ...TEXT, describe: 'jobs at once on a machine; default: its processors' })
        .option('max-jobs', { ...TEXT, describe: 'jobs at once in the queue of a cluster; default: 100' })
        .option('fast-storage', { ...LIST, describe: 'a folder there for the work folder; may be repeated' })
        .option('tag', { ...LIST, describe: 'a word that batches ask for; may be repeated' })
        .option('nice', { ...TEXT, describe: 'how much its jobs give way to others, 0 to 19' })
        .option('max-load', { ...TEXT, describe: 'no job starts while its load is above this' })
        .option('grid', GRID)
        .check(once('hosts', 'fast-storage', 'fastStorage', 'tag'))
        .example('$0 nodes add lab1 lab2 --slots 8', 'two machines, eight jobs at once on each')
        .example('$0 nodes add login.campus.edu --type slurm --name campus', 'a cluster')
        .epilogue('Exit codes: 0 added; 1 the grid file could not be changed; 2 the command line is wrong.'),
    given =>
      take(async () => {
        const { addNodes } = await import('./nodes-add.ts');
        const { hosts, type, grid, name, user, port, slots, nice } = given;
        return addNodes({
          ...{ hosts, type, grid, name, user, port, slots, nice },
          fastStorage: given['fast-storage'],
          tags: given.tag,
          maxLoad: given['max-load'],
          maxJobs: given['max-jobs'],
        });
      }),
  );
}

/** yargs makes a list of an option given twice, whatever its type says; `lists` may be. */
export function once(...lists: readonly string[]) {
  return (given: Record<string, unknown>): true | string => {
    const twice = Object.entries(given).find(
      ([name, value]) => Array.isArray(value) && name !== '_' && !lists.includes(name),
    );
    if (!twice) return true;
    return `--${twice[0]} is given twice${twice[0] === 'requires' ? ': several programs go with commas' : ''}`;
  };
}
