/**
 * kill -9 at every step: a process runs under strace, which kills it just before its n-th call that changes anything, or
 * stops it there so that everything else can be killed in the same state. A sample, unless LOGOBATCH_TEST_ALL is set.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Project, project } from './rig.ts';
import { broken, killAll, living, processed, quiet, until } from './witness.ts';

const ALL = process.env.LOGOBATCH_TEST_ALL !== undefined;
/** Steps a scenario in a plain run. */
const SAMPLE = 1;
const missing = spawnSync('strace', ['-V']).status === 0 ? false : 'needs strace';

/** A step: just before the `nth` call of `name` of the traced process. */
interface Step {
  readonly name: string;
  readonly nth: number;
}

const COMMANDS = {
  'with outputs': `      v=$(cat src/version); echo "said $v"; mkdir {out}/sub; echo $v > {out}/sub/deep
      echo $v {id} > {out}/one; echo $v > {out}/v$v`,
  'with one flat output': `      cat src/version > {out}/one`,
  'without a word': `      :`,
};
const WHOM = { 'a visit': '*/run', start: '*/start' };
const HOW = {
  'it alone': (_: Project) => {},
  'everything at once': async (image: Project) => {
    const stopped = () => living(image).some(pid => /^State:\s+[tT]/m.test(status(pid)));
    // It never stops where the traced one takes fewer steps than in the run they were counted in.
    await until('the traced process stops or make ends', () => stopped() || living(image).length === 0);
    killAll(image);
  },
};

const images = new Map<string, Project>();
let done = 0;
let known = 0;
after(() => {
  for (const image of images.values()) image.remove();
  console.log(`killed at ${done} of ${known} steps${ALL ? '' : '; all of them with LOGOBATCH_TEST_ALL=1'}`);
});

/** What the killed one finds: a visit jobs to do, `start` besides that what a run that was killed had half published. */
type Found = 'first results' | 'over old results' | 'half published';

interface Scene {
  readonly what: keyof typeof COMMANDS;
  readonly bundle: 1 | 5;
  readonly whom: keyof typeof WHOM;
  readonly found: Found;
  readonly how: keyof typeof HOW;
}

const scenes: Scene[] = [];
for (const how of ['it alone', 'everything at once'] as const) {
  for (const found of ['first results', 'over old results'] as const) {
    for (const bundle of [1, 5] as const)
      for (const what of ['with outputs', 'without a word'] as const)
        scenes.push({ what, bundle, whom: 'a visit', found, how });
    scenes.push({ what: 'with one flat output', bundle: 1, whom: 'a visit', found, how });
  }
  scenes.push({ what: 'with outputs', bundle: 1, whom: 'start', found: 'half published', how });
  scenes.push({ what: 'without a word', bundle: 5, whom: 'start', found: 'first results', how });
}

describe('whatever is killed just before whichever step, no result is half and the next make finishes', {
  skip: missing,
}, () => {
  for (const scene of scenes)
    test(`${scene.whom} killed, ${scene.how}: jobs ${scene.what}, bundle ${scene.bundle}, ${scene.found}`, () =>
      scenario(scene));
});

async function scenario({ what, bundle, whom, found, how }: Scene): Promise<void> {
  const image = images.get(`${what} ${bundle}`) ?? (await make(what, bundle));
  images.set(`${what} ${bundle}`, image);
  const steps = await count(image, whom, found);
  known += steps.length;
  for (const { name, nth } of pick(steps)) {
    const version = await prepare(image, found);
    trace(
      image,
      whom,
      `-e trace=${name} -e inject=${name}:signal=${how === 'it alone' ? 'KILL' : 'STOP'}:when=${nth}`,
    );
    const running = image.start();
    await HOW[how](image);
    const first = await running.ended;
    untrace(image);
    const where = `before ${name} number ${nth}\n${first.out}`;
    await quiet(image);
    // Where there is nothing to move, the record is written in its place: after its creation, at once and whole.
    const wrong = broken(image).filter(line => what !== 'without a word' || !line.endsWith('is empty'));
    assert.deepEqual(wrong, [], where);
    const next = await image.make();
    assert.equal(next.code, 0, `${where}\nthen\n${next.out}`);
    assert.deepEqual(broken(image), [], where);
    assert.deepEqual(processed(image), expected(image, what, version), where);
    assert.match((await image.make()).out, /^nothing to do$/m, where);
    assert.deepEqual(readdirSync(join(image.root, 'data/processed')).sort(), ['b'], where);
    await quiet(image);
    done++;
  }
}

async function make(what: keyof typeof COMMANDS, bundle: number): Promise<Project> {
  const inputs = Array.from({ length: bundle === 1 ? 3 : 6 }, (_, i) => i);
  const text = `batches:\n  - name: a\n    bundle: ${bundle}\n    inputs: [${inputs}]\n    command: |\n${COMMANDS[what]}\n`;
  const made = await project({ files: { 'batch_info/b.yml': text, 'src/version': '0\n' }, slots: 1 });
  return made;
}

/** A new meaning for all jobs, with or without results of the old one; returns the version it is to have. */
async function prepare(image: Project, found: Found): Promise<string> {
  const version = String(Number(image.read('src/version')) + 1);
  image.write({ 'src/version': `${version}\n` });
  if (found === 'half published') {
    // A mv that gets stuck after the first file, and then everything dies.
    shim(
      image,
      'mv',
      'case $* in *Job1/) /bin/mv -f "$3" data/processed/b/a/Job1/; : >"$HOME/stuck"; exec sleep 100 ;; esac\nexec /bin/mv "$@"',
    );
    rmSync(join(image.home, 'stuck'), { force: true });
    const running = image.start();
    await until('a publication is half done', () => existsSync(join(image.home, 'stuck')));
    killAll(image);
    await running.ended;
    rmSync(join(image.bin, 'mv'));
  }
  if (found === 'first results') {
    const { out, code } = await image.make(['distclean', 'RESULTS=1']);
    assert.equal(code, 0, out);
  }
  return version;
}

/** What an undisturbed run leaves. */
function expected(image: Project, what: keyof typeof COMMANDS, v: string): Record<string, string> {
  const jobs = readdirSync(join(image.root, 'data/processed/b/a'));
  const outputs = (job: string): Record<string, string> =>
    what === 'without a word'
      ? {}
      : what === 'with one flat output'
        ? { one: `${v}\n` }
        : { one: `${v} ${job}\n`, [`v${v}`]: `${v}\n`, 'sub/deep': `${v}\n` };
  const entries = jobs.flatMap(job =>
    Object.entries({
      ...outputs(job),
      'job.out': what === 'with outputs' ? `said ${v}\n` : '',
      'job.err': '',
      'jobfile.sh': image.read(`data/processed/b/a/${job}/jobfile.sh`),
    }).map(([path, text]): [string, string] => [`b/a/${job}/${path}`, text]),
  );
  return Object.fromEntries(entries.sort());
}

/** Lets strace run the first such process of the next make; later ones go undisturbed, also in the same slot. */
function trace(image: Project, whom: keyof typeof WHOM, options: string): void {
  rmSync(join(image.home, 'traced'), { recursive: true, force: true });
  const strace = `exec strace -DDD -o "$HOME/trace" ${options} /bin/sh "$@"`;
  const first = '! mkdir "$HOME/traced" 2>/dev/null';
  shim(image, 'sh', `case $1 in ${WHOM[whom]}) ${first} || ${strace} ;; esac\nexec /bin/sh "$@"`);
}

/** A program that comes first on PATH. */
function shim(image: Project, name: string, text: string): void {
  writeFileSync(join(image.bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(image.bin, name), 0o755);
}

function untrace(image: Project): void {
  rmSync(join(image.bin, 'sh'), { force: true });
}

/** The steps of an undisturbed run: its calls that change files or have others do so. */
async function count(image: Project, whom: keyof typeof WHOM, found: Found): Promise<Step[]> {
  await prepare(image, found);
  trace(image, whom, '-e trace=openat,write,vfork,clone,fork,execve,kill,wait4,rename,unlink');
  const { code, out } = await image.make();
  untrace(image);
  assert.equal(code, 0, out);
  await quiet(image);
  const seen = new Map<string, number>();
  return readFileSync(join(image.home, 'trace'), 'utf8')
    .split('\n')
    .flatMap(line => {
      const name = /^\w+(?=\()/.exec(line)?.[0];
      if (name === undefined) return [];
      const nth = (seen.get(name) ?? 0) + 1;
      seen.set(name, nth);
      const idle = /"\/dev\/null"|WNOHANG|^kill\(\d+, 0\)|^openat\((?!.*O_CREAT)/.test(line);
      return idle ? [] : [{ name, nth }];
    });
}

function pick(steps: readonly Step[]): readonly Step[] {
  if (ALL) return steps;
  const start = Math.floor(Math.random() * steps.length);
  return Array.from(
    { length: SAMPLE },
    (_, i) => steps[(start + Math.floor((i * steps.length) / SAMPLE)) % steps.length],
  ).filter(step => step !== undefined);
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
