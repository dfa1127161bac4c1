/** A program on a terminal of its own, with somebody who waits for each question before they type. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';

export interface OnTerminal {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** `command` is for sh. Returns its exit code and what was to be seen. */
export async function onTerminal(
  command: string,
  { cwd, env }: OnTerminal,
  dialogue: readonly (readonly [RegExp, string])[],
) {
  // This terminal would be 0 columns wide otherwise.
  const child = spawn('script', ['-qec', `stty cols 100 rows 30; exec ${command}`, '/dev/null'], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>(done => child.on('close', done));
  let screen = '';
  let asked = 0;
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', text => {
    screen += text;
    const turn = dialogue[asked];
    if (!turn?.[0].test(screen.slice(from))) return;
    from = screen.length;
    asked++;
    child.stdin.write(turn[1]);
  });
  // A question that never comes must not hold up all tests.
  const timer = setTimeout(() => child.kill(), 20_000);
  const status = await ended;
  clearTimeout(timer);
  assert.equal(asked, dialogue.length, screen);
  return { status, screen };
}
