/**
 * The runtime: what travels in an image as one file, `.logobatch/runtime.mjs`, and is run by make's scripts.
 *
 *     runtime.mjs --version
 *     runtime.mjs mail --to a@x,b@y --subject TEXT [--from c@z]    the text is read from standard input
 *     runtime.mjs attend --run RUN    nodes up, kept and down again, until standard input ends
 *     runtime.mjs up | down | sweep   nodes up ahead of a run; what is left on them taken down
 *
 * Exit codes: 0 done, 1 it could not be done (the reason on standard error), 2 wrong arguments.
 */
import { parseArgs } from 'node:util';
import { version } from '../version.ts';

process.exitCode = await main(process.argv.slice(2));

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (command === 'mail') return mail(args);
  if (command === 'attend' || command === 'up' || command === 'down' || command === 'sweep')
    return nodes(command, args);
  return usage(`unknown command "${command ?? ''}": attend, up, down, sweep, mail, --version`);
}

async function nodes(command: 'attend' | 'up' | 'down' | 'sweep', args: string[]): Promise<number> {
  const run = runOf(args);
  if (run === undefined) return usage(`${command} takes --run RUN and nothing else`);
  const { contextOf } = await import('./context.ts');
  if (command === 'attend') {
    const { toldBy } = await import('./told.ts');
    const { go, over } = toldBy(process.stdin);
    const { attend } = await import('./attend.ts');
    const code = (await go) ? await attend(contextOf(process.env, run), over) : 0;
    // Whoever waits for us holds the other end.
    process.stdin.destroy();
    return code;
  }
  const commands = await import('./commands.ts');
  return commands[command](contextOf(process.env, run));
}

/** A word that may stand in names of files and in shell as it is; empty where none was given. */
function runOf(args: string[]): string | undefined {
  try {
    const { values } = parseArgs({ args, options: { run: { type: 'string', default: 'none' } } });
    return /^[A-Za-z0-9._-]+$/.test(values.run) ? values.run : undefined;
  } catch {
    return undefined;
  }
}

async function mail(args: string[]): Promise<number> {
  const given = mailArguments(args);
  if (typeof given === 'string') return usage(given);
  const { sendMail } = await import('./mail.ts');
  const problem = await sendMail({ ...given, text: await readAll(process.stdin) }, process.env);
  if (problem === undefined) return 0;
  process.stderr.write(`logobatch: no mail was sent: ${problem}\n`);
  return 1;
}

function mailArguments(args: string[]): { to: string; subject: string; from: string | undefined } | string {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ args, options: { to: text, subject: text, from: text } });
    if (!values.to || !values.subject) return 'mail needs --to and --subject';
    return { to: values.to, subject: values.subject, from: values.from };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function usage(problem: string): number {
  process.stderr.write(`logobatch runtime: ${problem}\n`);
  return 2;
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
