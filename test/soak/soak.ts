/** Everything at once: an image whose jobs are run by make after make, while processes of ours are killed and machines are lost at random. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended, Project } from '../run/rig.ts';
import { broken, called, kill, killAll, quiet } from '../run/witness.ts';
import type { Dice } from './dice.ts';

/** What an image is made of, half of its jobs in bundles. `longest`: how long a job takes at most, in seconds; `keys`: of its batches. */
export function soakFiles({ jobs, longest, keys = '' }: { jobs: number; longest: number; keys?: string }) {
  const rows = (from: number) => Array.from({ length: jobs / 2 }, (_, i) => `${from + i}\n`).join('');
  const batch = (name: string, bundle: number) => `  - name: ${name}
    inputs: ${name}.csv
    retries: 100
    bundle: ${bundle}
    ${keys}
    command: |
      i={i0}; mkdir {out}/d; sleep $(awk 'BEGIN { srand('$i'); print ${longest} * rand() }'); seq {i0} > {out}/d/seq
      [ $((i % 5)) != 0 ] || setsid sleep 300 & echo {i0} > {out}/x
`;
  return {
    'src/data': 'data\n',
    'batch_info/b.yml': `batches:\n${batch('one', 1)}${batch('many', 5)}`,
    'batch_info/one.csv': rows(0),
    'batch_info/many.csv': rows(jobs / 2),
  };
}

/** Something bad that happens about every so many seconds; gives what it was, if anything. */
export interface Trouble {
  readonly every: number;
  readonly strike: () => string | undefined | Promise<string | undefined>;
}

export interface Ground {
  readonly image: Project;
  readonly make: (args?: readonly string[]) => Promise<Ended>;
  readonly jobs: number;
  readonly dice: Dice;
  readonly troubles: readonly Trouble[];
  /** Fails while anything of ours is left on other machines. */
  readonly clean: () => void;
}

export interface Findings {
  /** How often what was struck. */
  readonly strikes: Readonly<Record<string, number>>;
  readonly makes: number;
  readonly seconds: number;
  /** Everything that is wrong, a line each: empty is what is wanted. */
  readonly wrong: readonly string[];
}

/** Makes until all is done, or 50 times. */
export async function soak({ image, make, jobs, dice, troubles, clean }: Ground): Promise<Findings> {
  const strikes: Record<string, number> = {};
  const wrong: string[] = [];
  const look = publications(image, jobs, wrong);
  const start = performance.now();
  let chaos = true;
  const happening = async ({ every, strike }: Trouble) => {
    while (chaos) {
      await sleep(every * 1000 * (0.5 + dice.next()));
      const what = chaos ? await strike() : undefined;
      if (what !== undefined) strikes[what] = (strikes[what] ?? 0) + 1;
    }
  };
  const troubled = (error: unknown) => wrong.push(`the trouble itself failed: ${error}`);
  const watching: Trouble = { every: 0.2, strike: () => void look() };
  const happenings = [...troubles, watching].map(each => happening(each).catch(troubled));
  let makes = 0;
  try {
    for (let code: number | null = 1; code !== 0 && makes < 50; makes++) {
      // The last ones have peace: whatever is left has to be done then.
      if (makes === 40) chaos = false;
      ({ code } = await make());
    }
  } finally {
    chaos = false;
    await Promise.all(happenings);
  }
  const last = await make();
  if (!/^nothing to do/.test(last.out)) wrong.push(`the last make had something to do: ${last.out}`);
  look();
  const done = image.done();
  if (done.length !== jobs) wrong.push(`${jobs - done.length} jobs are lost`);
  wrong.push(...broken(image));
  await quiet(image).catch(error => wrong.push(String(error)));
  // A machine that was away when its run ended is cleaned by the next make that uses it, by itself, or by make down.
  const down = await make(['down']);
  if (down.code !== 0) wrong.push(`make down: ${down.out}`);
  await soon(clean, 40).catch(error => wrong.push(String(error)));
  killAll(image);
  return { strikes, makes, seconds: Math.round((performance.now() - start) / 1000), wrong };
}

/** In a line. */
export function told(
  { jobs, seed }: { jobs: number; seed: number },
  { strikes, makes, seconds }: Findings,
): string {
  const struck = Object.entries(strikes).map(([what, count]) => `${count} ${what}`);
  return `soak: ${jobs} jobs in ${makes} makes and ${seconds} s; killed: ${struck.join(', ')}; LOGOBATCH_SEED=${seed}`;
}

/** What may be killed on this machine, by the words of its command line. */
const HERE: Readonly<Record<string, readonly string[]>> = {
  visit: ['sh', '.logobatch/shell/run'],
  session: ['ssh', '/agent'],
  connection: ['ssh', '-fN'],
  runtime: ['node', 'runtime.mjs attend'],
  guard: ['.logobatch/shell/guard'],
};
/** The same, but rarely, since it ends the run. */
const LEADERS: Readonly<Record<string, readonly string[]>> = {
  start: ['sh', '.logobatch/shell/start'],
  make: ['make'],
};

/** Kills a process of the run on this machine. */
export function strikeHere(image: Project, dice: Dice): string | undefined {
  const [what, words] = dice.pick(Object.entries(dice.next() < 0.06 ? LEADERS : HERE)) ?? [];
  return what !== undefined && words && strikeOne(called(image, ...words), dice) ? what : undefined;
}

/** Kills one of these; false if there is none. */
export function strikeOne(pids: readonly number[], dice: Dice): boolean {
  const pid = dice.pick(pids);
  if (pid !== undefined) kill(pid, 'SIGKILL');
  return pid !== undefined;
}

/** Looks at what was published since the last call: each job once, and whole from the first moment on. */
function publications({ root }: Project, jobs: number, wrong: string[]): () => void {
  const known = new Map<string, string>();
  return () => {
    for (let i = 0; i < jobs; i++) {
      const number = i % (jobs / 2);
      const folder = `data/processed/b/${i < jobs / 2 ? 'one' : 'many'}/Job${number + 1}`;
      const record = read(join(root, folder, '.done'));
      const before = known.get(folder);
      if (record === undefined || record === before) continue;
      if (before !== undefined) wrong.push(`${folder} was published twice:\n${before}\n${record}`);
      known.set(folder, record);
      const found = read(join(root, folder, 'x'));
      if (found !== `${i}\n`) wrong.push(`${folder}/x is ${JSON.stringify(found)} when .done is there`);
    }
  };
}

async function soon(check: () => void, seconds: number): Promise<void> {
  for (const end = performance.now() + seconds * 1000; ; await sleep(500)) {
    try {
      return check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
