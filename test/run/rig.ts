/**
 * A Batch Image in a temp folder, compiled and run for real: make, sh, signals. Nothing of the caller's environment
 * reaches it but PATH; its slots, its home and its temp files are its own.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compile } from '../../src/compile.ts';

/** Paths below the image's root with what is to stand in them; undefined deletes. What starts with `#!` is executable. */
export type Files = Readonly<Record<string, string | Buffer | undefined>>;

/** `cwd`: the image's root by default; `input`: what make reads, nothing by default. */
export interface MakeOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

export interface Ended {
  /** The exit code; null if a signal ended it. */
  readonly code: number | null;
  /** Standard output and error, in the order of their coming. */
  readonly out: string;
  readonly seconds: number;
}

/** A make that is going on. It leads a process group of its own: `process.kill(-pid, 'SIGINT')` is a Ctrl-C. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly output: () => string;
  readonly ended: Promise<Ended>;
}

export interface ProjectOptions {
  readonly files: Files;
  /** The root's folder name. */
  readonly name?: string;
  /** Default 2. */
  readonly slots?: number;
  /** The program that is to be `sh`, as a path or a name on PATH; default: the system's own. */
  readonly sh?: string | undefined;
}

export type Project = Awaited<ReturnType<typeof project>>;

/** Writes and compiles an image. An image that does not compile fails the test with what compile says. */
export async function project({ files, name = 'image', slots = 2, sh }: ProjectOptions) {
  const work = mkdtempSync(join(tmpdir(), 'logobatch-run-'));
  const root = join(work, name);
  const home = join(work, 'home');
  const bin = join(work, 'bin');
  for (const folder of [root, home, bin, join(work, 'tmp')]) mkdirSync(folder);
  const other = sh ?? process.env.TEST_SH;
  if (other) symlinkSync(other.startsWith('/') ? other : `/usr/bin/${other}`, join(bin, 'sh'));
  const environment = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: home,
    TMPDIR: join(work, 'tmp'),
    LANG: 'C.UTF-8',
    LOGOBATCH_SLOTS: join(work, 'slots'),
    LOGOBATCH_LOCAL_SLOTS: String(slots),
  };

  const write = (changes: Files) => {
    for (const [path, text] of Object.entries(changes)) {
      const full = join(root, path);
      if (text === undefined) rmSync(full, { recursive: true });
      else {
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, text);
        if (text.toString().startsWith('#!')) chmodSync(full, 0o755);
      }
    }
  };

  let last = '';
  const start = (args: readonly string[] = [], options: MakeOptions = {}): Running => {
    const began = performance.now();
    const env = { ...environment, ...options.env };
    const child = spawn('make', args, { cwd: options.cwd ?? root, env, detached: true });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        out += text;
        last = out;
      });
    child.stdin.on('error', () => {}).end(options.input ?? '');
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', code => resolve({ code, out, seconds: (performance.now() - began) / 1000 }));
    });
    return { child, pid: child.pid ?? 0, output: () => out, ended };
  };

  const compileImage = async () => {
    const compiled = await compile(root, { dryRun: false, force: false });
    if (compiled.kind !== 'done') return assert.fail(JSON.stringify(compiled, undefined, 1));
    return compiled;
  };

  const rig = {
    root,
    home,
    /** Beside the image, for links of programs that are to come first on PATH. */
    bin,
    environment,
    write,
    compile: compileImage,
    start,
    /** What make has said last. */
    said: () => last,
    make: (args: readonly string[] = [], options: MakeOptions = {}) => start(args, options).ended,
    read: (path: string) => readFileSync(join(root, path), 'utf8'),
    exists: (path: string) => existsSync(join(root, path)),
    /** What jobs have written to `$HOME/ran` since the last call, a line each, sorted: see `note`. */
    ran: (): string[] => {
      const path = join(home, 'ran');
      const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).sort() : [];
      rmSync(path, { force: true });
      return lines;
    },
    /** Every job with a record, `<bbatch>/<batch>/<Job>`, sorted. */
    done: (): string[] => {
      // What is on its way comes and goes in folders that begin with a dot.
      const below = (folder: string) =>
        readdirSync(join(root, 'data/processed', folder), { withFileTypes: true })
          .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
          .map(({ name }) => join(folder, name));
      const bbatches = existsSync(join(root, 'data/processed')) ? below('') : [];
      return bbatches
        .flatMap(below)
        .flatMap(below)
        .filter(job => existsSync(join(root, 'data/processed', job, '.done')))
        .sort();
    },
    remove: () => rmSync(work, { recursive: true, force: true, maxRetries: 5 }),
  };
  try {
    write(files);
    await compileImage();
    return rig;
  } catch (error) {
    rig.remove();
    throw error;
  }
}

/** A line of a command that leaves `<batch>/<Job>` in `$HOME/ran`. */
export const note = (batch: string) => `echo ${batch}/$LB_JOB >> "$HOME/ran"`;
