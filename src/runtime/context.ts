/** What `start` says to the runtime: by the environment which run it is for, and in a file what its batches ask of nodes. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** The run, as all of the runtime sees it. */
export interface Context {
  readonly run: string;
  /** Path of the grid file; empty: there is none. */
  readonly grid: string;
  /** Pid of `start`, which leads the run. */
  readonly start: number;
  /** Folder for what visits and nodes share on this machine: locks of slots, control sockets. */
  readonly slots: string;
  /** Names of the resources wanted; empty: all. */
  readonly wanted: readonly string[];
  /** Programs that batches ask for. */
  readonly requires: readonly string[];
  /** Scripts to be run once a node, and folders to be there; relative to the image's root. */
  readonly setups: readonly Setup[];
  readonly shared: readonly string[];
  /** Names of variables that are for jobs only. */
  readonly secrets: readonly string[];
  /** Leave work folders on the nodes. */
  readonly keep: boolean;
  /** Slots that all jobs at once would take, if any node will do for each of them: where this machine has as many, no other is needed. */
  readonly breadth: number | undefined;
  /** `start` has a terminal, where a person may answer. */
  readonly terminal: boolean;
  /** Seconds without any usable node before the run is given up. */
  readonly patience: number;
  /** Seconds that tasks may wait in a queue before it is said why. */
  readonly wait: number;
  /** Slots of this machine, where the grid file does not say. */
  readonly localSlots: number | undefined;
}

/** A script that has to be run on each node before the first job of some batches. */
export interface Setup {
  readonly script: string;
  /** Those that name it, as a person reads them. */
  readonly batches: string;
}

/** What is missing, or no number where one should be, has a default. `run`: its name. */
export function contextOf(env: NodeJS.ProcessEnv, run: string): Context {
  const number = (text = '') => (/^[1-9]\d*$/.test(text) ? Number(text) : undefined);
  const lines = needs();
  const all = (word: string) => [
    ...new Set(lines.flatMap(line => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))),
  ];
  return {
    run,
    grid: env.LOGOBATCH_GRID ?? '',
    start: number(env.LOGOBATCH_START) ?? process.ppid,
    slots: env.LOGOBATCH_SLOTS || join(env.TMPDIR || '/tmp', `logobatch-${userInfo().uid}`),
    wanted: all('wanted'),
    requires: all('requires').filter(name => /^[A-Za-z0-9._+-]+$/.test(name)),
    setups: all('setup').map(line => {
      const [script = '', batches = ''] = line.split('\t');
      return { script, batches };
    }),
    shared: all('shared'),
    secrets: all('secret'),
    keep: all('keep').length > 0,
    breadth: number(all('breadth')[0]),
    terminal: env.LOGOBATCH_TERMINAL === '1',
    patience: number(env.LOGOBATCH_PATIENCE) ?? 300,
    wait: number(env.LOGOBATCH_WAIT_LONG) ?? 60,
    localSlots: number(env.LOGOBATCH_LOCAL_SLOTS),
  };
}

/** A word and a value a line; none where no batch has been asked. */
function needs(): string[] {
  try {
    return readFileSync('.logobatch/run/needs', 'utf8').split('\n');
  } catch {
    return [];
  }
}
