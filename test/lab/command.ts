import { spawn, spawnSync } from 'node:child_process';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the system's programs for the lab itself; its failure is the lab's, said with its own words. */
export function system(
  program: string,
  args: readonly string[],
  { input = '', env = {} }: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): string {
  const all = { ...process.env, ...env };
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', input, env: all });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? (stderr || `exit code ${status}`)}`);
}

/** Runs a program to its end, however it ends. */
export function run(
  program: string,
  words: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { env });
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', text => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', text => (said.stderr += text));
    child.stdin.on('error', () => {}).end(input);
    child.on('error', reject);
    child.on('close', code => resolve({ code, ...said }));
  });
}

/** Whether a program is there, on PATH or where only root looks. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin; command -v ${name}`]).status === 0;
}
