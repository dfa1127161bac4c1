/** The arguments of `makebimg`: 0 made, 1 it could not be made, 2 the command line is wrong, 130 the user gave up. */
import { relative, resolve } from 'node:path';
import yargs from 'yargs';
import { shWord } from '../quote.ts';
import { version } from '../version.ts';
import { type Answers, defaults, faultOf, type Given } from './answers.ts';
import { scaffoldFiles } from './files.ts';
import { obstacle, place, type Refusal } from './place.ts';

const ABOUT = `Makes a new Batch Image: a folder with code, data, a table of inputs and two batches, ready to be
compiled and run, and to be changed into yours. On a terminal it asks for what is not given.`;

/** Returns the exit code. The year is that of the licence. */
export async function main(args: readonly string[], year: number): Promise<number> {
  let mistake: string | undefined;
  let run: (() => Promise<number>) | undefined;
  const parser = yargs(args)
    .scriptName('makebimg')
    .locale('en')
    .version(version)
    .alias('version', 'V')
    .alias('help', 'h')
    .parserConfiguration({ 'dot-notation': false, 'parse-numbers': false, 'parse-positional-numbers': false })
    .command(
      '$0 [name]',
      ABOUT,
      command =>
        command
          .positional('name', { type: 'string', describe: "the new folder's name" })
          .option('title', { type: 'string', requiresArg: true, describe: 'what people call it' })
          .option('author', { type: 'string', requiresArg: true, describe: 'for its licence' })
          .option('email', {
            type: 'string',
            requiresArg: true,
            describe: 'who gets a mail when a batch ends',
          })
          .option('dir', {
            type: 'string',
            requiresArg: true,
            default: '.',
            describe: 'the folder to make it in',
          })
          .option('yes', {
            alias: 'y',
            type: 'boolean',
            default: false,
            describe:
              'ask nothing: the author comes from git then, the title is the name, and nobody gets mail',
          })
          .check(given => {
            const twice = Object.entries(given).find(([key, value]) => Array.isArray(value) && key !== '_');
            return twice ? `--${twice[0]} is given twice` : true;
          })
          .example('$0 my-study', 'make the folder my-study')
          .epilogue('Exit codes: 0 made; 1 it could not be made; 2 the command line is wrong.'),
      given => {
        const { name, title, author, email, dir, yes } = given;
        run = () => make({ name, title, author, email }, dir, yes, year);
      },
    )
    .strict()
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .showHelpOnFail(false)
    .exitProcess(false)
    .fail((message: string | undefined, error: unknown) => {
      if (error instanceof Error && error.name !== 'YError') throw error;
      mistake ??= message ?? String(error);
    });
  await parser.parseAsync();
  if (mistake === undefined) return run ? run() : 0;
  return usage(mistake);
}

async function make(given: Given, dir: string, yes: boolean, year: number): Promise<number> {
  for (const key of ['name', 'title', 'author', 'email'] as const) {
    const fault = given[key] === undefined ? undefined : faultOf[key](given[key]);
    if (fault !== undefined) return usage(`${key}: ${fault}`);
  }
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !yes;
  if (given.name === undefined && !terminal) return usage('say what it is to be called: makebimg NAME');
  const parent = resolve(dir);
  // Before the questions: nobody likes to answer them in vain.
  const inTheWay = given.name === undefined ? undefined : obstacle(parent, given.name);
  if (inTheWay) return refuse(inTheWay);
  const answers = terminal ? await (await import('./ask.ts')).ask(given) : complete(given);
  if (!answers) {
    process.stderr.write('makebimg: given up; nothing was made\n');
    return 130;
  }
  const { name, ...about } = answers;
  const refusal = place(parent, name, scaffoldFiles({ ...about, year }));
  if (refusal) return refuse(refusal);
  process.stdout.write(
    `made ${name}: a Batch Image with a small model, to be changed into yours\n${next(resolve(parent, name))}`,
  );
  return 0;
}

function complete(given: Given): Answers {
  const known = defaults(given.name ?? '');
  const { name, title, author, email } = given;
  return {
    name: name ?? known.name,
    title: title || known.title,
    author: author || known.author,
    email: email ?? known.email,
  };
}

/** What to type now, from where the user stands. */
function next(root: string): string {
  const there = relative(process.cwd(), root);
  const folder = there.startsWith('..') ? root : there;
  return `Next:\n  cd ${shWord(folder)}\n  logobatch compile\n  make\n`;
}

function refuse({ message, hint }: Refusal): number {
  process.stderr.write(`makebimg: ${message}\n  hint: ${hint}\n`);
  return 1;
}

function usage(mistake: string): number {
  process.stderr.write(`makebimg: ${mistake}\nmakebimg --help says more\n`);
  return 2;
}
