/** The runtime alone, as `start` runs it: an image of a few folders, a lab of hosts, no make and no jobs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type GridOptions, type LabOptions, startLab } from '../lab/hosts.ts';

export type Files = Readonly<Record<string, string | undefined>>;

/** What the batches ask of nodes unless a test says otherwise. */
export const NEEDS = 'shared src\n';

export interface RigOptions extends LabOptions {
  readonly files?: Files;
  readonly grid?: GridOptions;
}

export type Rig = Awaited<ReturnType<typeof startRig>>;

export interface Ended {
  readonly code: number | null;
  readonly out: string;
}

/** An `attend` that goes on. */
export interface Attended {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Lines that came after `ready`. */
  readonly messages: () => string;
  readonly ended: Promise<Ended>;
  /** As when `start` ends. */
  readonly end: () => Promise<Ended>;
}

/** The runtime is that of dist/, as it travels in images. */
export async function startRig({ files = { 'src/a': 'a\n' }, grid, ...options }: RigOptions) {
  const lab = await startLab(options);
  const root = mkdtempSync(join(tmpdir(), 'logobatch-runtime-'));
  mkdirSync(join(root, '.logobatch/run'), { recursive: true });
  cpSync('templates/shell', join(root, '.logobatch/shell'), { recursive: true });
  cpSync('dist/runtime.mjs', join(root, '.logobatch/runtime.mjs'));
  const children: ChildProcess[] = [];

  const write = (changes: Files) => {
    for (const [path, text] of Object.entries(changes)) {
      const full = join(root, path);
      rmSync(full, { recursive: true, force: true });
      if (text === undefined) continue;
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    }
  };
  const setGrid = (wishes: GridOptions) => writeFileSync(join(root, 'grid.yml'), lab.grid(wishes));
  const need = (text: string) => writeFileSync(join(root, '.logobatch/run/needs'), text);
  write(files);
  need(NEEDS);
  setGrid(grid ?? {});

  const run = (words: readonly string[], env: Readonly<Record<string, string>>) => {
    const child = spawn(process.execPath, ['.logobatch/runtime.mjs', ...words], {
      cwd: root,
      env: {
        ...process.env,
        ...lab.env,
        LOGOBATCH_GRID: join(root, 'grid.yml'),
        LOGOBATCH_SLOTS: join(root, 'slots'),
        LOGOBATCH_START: String(process.pid),
        ...env,
      },
    });
    children.push(child);
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => (out += text));
    child.stdin.on('error', () => {});
    child.stdin.write('go\n');
    const ended = new Promise<Ended>(resolve => child.on('close', code => resolve({ code, out })));
    return { child, output: () => out, ended };
  };
  const read = (path: string) => readFileSync(join(root, path), 'utf8');

  return {
    lab,
    root,
    write,
    setGrid,
    /** Says what the batches ask of nodes from now on: a word and a value a line. */
    need,
    read,
    exists: (path: string) => existsSync(join(root, path)),
    /** An `attend` that is not waited for. */
    start: (name: string) => run(['attend', '--run', name], {}),
    /** Resolves when it says `ready`, or has ended. */
    attend: async (run_ = 'r1', env: Readonly<Record<string, string>> = {}): Promise<Attended> => {
      writeFileSync(join(root, '.logobatch/run/messages'), '');
      const attended = run(['attend', '--run', run_], env);
      const { child, output, ended } = attended;
      await until(() => /^ready /m.test(output()) || child.exitCode !== null || child.signalCode !== null);
      const end = () => {
        child.stdin.end();
        return ended;
      };
      return { ...attended, messages: () => read('.logobatch/run/messages'), end };
    },
    command: (name: 'up' | 'down' | 'sweep', env: Readonly<Record<string, string>> = {}) => {
      const { child, ended } = run([name], env);
      child.stdin.end();
      return ended;
    },
    /** What visits are told of a node. */
    reach: (node: string): Record<string, string> =>
      Object.fromEntries(
        [...read(`.logobatch/run/nodes/${node}/connect`).matchAll(/^(\w+)='(.*)'$/gm)].map(
          ([, key = '', value = '']) => [key, value],
        ),
      ),
    stop: () => {
      for (const child of children) child.kill('SIGKILL');
      lab.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Waits for something to become true; fails with its text after so many seconds. */
export async function until(condition: () => boolean, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${condition}`);
    await wait(50);
  }
}
