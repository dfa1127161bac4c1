/** Programs of this machine that answer questions: `ssh -G`, `ssh-keygen -F`, `ssh-add -L`, `ssh -O check`. */
import { execFile } from 'node:child_process';

export interface Answer {
  /** Null where it did not start, was killed or took too long. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AskOptions {
  readonly seconds: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program found on PATH with an array of words, never through a shell, its standard input empty. Never rejects. */
export function ask(program: string, args: readonly string[], options: AskOptions): Promise<Answer> {
  const { seconds, env = process.env, signal } = options;
  return new Promise(resolve => {
    const child = execFile(
      program,
      args,
      {
        env,
        timeout: Math.max(1, Math.round(seconds * 1000)),
        killSignal: 'SIGKILL',
        maxBuffer: 16 * 1024 * 1024,
        ...(signal && { signal }),
      },
      (error, stdout, stderr) => {
        if (!error) return resolve({ code: 0, stdout, stderr });
        const code = typeof error.code === 'number' ? error.code : null;
        resolve({
          code,
          stdout,
          stderr: code === null ? `${stderr}${program}: ${why(error, seconds)}` : stderr,
        });
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end();
  });
}

function why(error: { code?: unknown; killed?: boolean; message: string }, seconds: number): string {
  if (error.code === 'ENOENT') return 'not found on PATH';
  return error.killed ? `no answer within ${Math.ceil(seconds)} s` : error.message;
}
