import { spawnSync } from 'node:child_process';

/** Runs one of the system's programs for the lab itself; its failure is the lab's, said with its own words. */
export function system(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', input });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? (stderr || `exit code ${status}`)}`);
}

/** Whether a program is there, on PATH or where only root looks. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin; command -v ${name}`]).status === 0;
}
