/**
 * The runtime: what travels in an image as one file, `.logobatch/runtime.mjs`, and is run by make's scripts.
 *
 *     runtime.mjs --version
 *     runtime.mjs mail --to a@x,b@y --subject TEXT [--from c@z]    the text is read from standard input
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
  return usage(`unknown command "${command ?? ''}": mail, --version`);
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
