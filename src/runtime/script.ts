/**
 * Shell on a node, whatever its login shell is and its rc files do: they may print, and they may read. So what is sent
 * begins with empty lines, and what comes back counts only from a line that nobody else can have printed.
 */
import { randomInt } from 'node:crypto';
import type { ExecOptions, Transport } from '../transport/transport.ts';

/** All that a script needs of a machine; this one can do it, too. */
export type Runner = Pick<Transport, 'exec'>;

/** What a script has printed. `lost`: the connection was, so nobody knows how it ended; `why` is for a person. */
export type Said =
  | { readonly ok: true; readonly lines: readonly string[] }
  | { readonly ok: false; readonly why: string; readonly lines: readonly string[]; readonly lost: boolean };

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits that nobody guesses: for names, tokens and the lines between noise and news. */
export function randomWord(length = 10): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

/** What goes before everything that a program on a node reads: an rc file may eat some of the empty lines. */
export function preamble(nonce: string): string {
  return `${'\n'.repeat(64)}lb-${nonce}\n`;
}

/**
 * Runs a script with `sh`. It comes by standard input, so that nothing of it meets the login shell, and as one function,
 * so that a line that is cut runs nothing. `seconds` bounds it (default 60).
 */
export async function runScript(transport: Runner, script: string, seconds = 60): Promise<Said> {
  const nonce = randomWord();
  const input = [
    '\n'.repeat(64),
    'lb_main() {\nset -u\numask 077\nunset CDPATH TAR_OPTIONS ENV BASH_ENV\n',
    script.trimEnd(),
    `\n}\nprintf '\\nlb-${nonce}\\n'\nlb_main </dev/null\nexit $?\n`,
  ].join('');
  return since(nonce, await transport.exec('exec sh', { input, seconds }));
}

/** Runs a program that lies in a work folder and begins with `lb-<nonce>`. `words`: fixed words only. */
export async function runProgram(
  transport: Transport,
  program: string,
  words: readonly string[],
  { lead = '', ...options }: ExecOptions = {},
): Promise<Said> {
  const nonce = randomWord();
  const command = `exec sh '${program}' ${[nonce, ...words].join(' ')}`;
  const all = Buffer.concat([preamble(nonce), lead].map(part => Buffer.from(part)));
  return since(nonce, await transport.exec(command, { ...options, lead: all }));
}

type Execution = Awaited<ReturnType<Transport['exec']>>;

function since(nonce: string, { code, stdout, stderr }: Execution): Said {
  const lines = stdout.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const start = lines.indexOf(`lb-${nonce}`);
  const said = start < 0 ? [] : lines.slice(start + 1);
  if (code === 0 && start >= 0) return { ok: true, lines: said };
  const last = lastLine(stderr);
  const why =
    start < 0 && code !== null
      ? `its login shell runs no commands${last ? `: ${last}` : ''}`
      : last || `exit code ${code}`;
  return { ok: false, why, lines: said, lost: code === null };
}

/** The last line that says something, without control characters. */
export function lastLine(text: string): string {
  const lines = text.split('\n').map(line => line.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim());
  return (lines.findLast(line => line !== '') ?? '').slice(0, 200);
}
