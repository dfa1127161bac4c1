/** The arguments of `logobatch`: 0 done, 1 the image is wrong or the machine failed, 2 the command line is wrong. */
import yargs from 'yargs';
import { version } from '../version.ts';
import { nodesCommand, once } from './nodes-arguments.ts';

const COMPILE = `Compiles a Batch Image: reads batch_info/*.yml and their tables, and writes

  Makefile                     make runs what is missing or out of date
  data/processed/…/jobfile.sh  one for each job
  batch_info/jobs.lock         which row of a table has which number; keep it with the image
  .logobatch/                  what the Makefile needs beside itself

Only what differs is written, and no result is touched. Mistakes in the image are all
reported at once, each with its place; nothing is written then.`;

const EPILOGUE = `Exit codes: 0 done; 1 the image is wrong, this machine failed, or (--check) something would change;
2 the command line is wrong.

Then, in the image's folder:
  make          run what is missing or out of date, on every slot there is
  make -n       say what would run, and why
  make help     all the targets

makebimg makes a new Batch Image.`;

/** Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // Run after parsing: yargs calls a handler also when it has just reported a mistake.
  let run: (() => Promise<number>) | undefined;
  let mistake: string | undefined;
  const compiler = yargs(args)
    .scriptName('logobatch')
    .locale('en')
    .version(version)
    .alias('version', 'V')
    .alias('help', 'h')
    .parserConfiguration({ 'dot-notation': false, 'parse-numbers': false, 'parse-positional-numbers': false })
    .usage(
      '$0 <command>\n\nCompiles a folder with code, data and tables of inputs into a Makefile that runs every job,\nhere and on other machines.',
    )
    .command(
      'compile [image]',
      'write the Makefile of a Batch Image',
      command =>
        command
          .usage(`$0 compile [IMAGE]\n\n${COMPILE}`)
          .positional('image', { type: 'string', default: '.', describe: "the image's folder" })
          .option('dry-run', {
            alias: 'n',
            type: 'boolean',
            default: false,
            describe: 'say what would be written, and write nothing',
          })
          .option('check', {
            type: 'boolean',
            default: false,
            describe: 'the same, and exit 1 if anything would be written (for CI)',
          })
          .option('force', {
            alias: 'f',
            type: 'boolean',
            default: false,
            describe: 'write although make is running or a newer LogoBatch compiled the image',
          })
          .option('format', {
            choices: ['text', 'json'] as const,
            default: 'text' as const,
            describe: 'how to report, on standard output if json',
          })
          .check(once())
          .example('$0 compile', 'compile the image in the current folder')
          .example('$0 compile --check my-image', 'is its Makefile up to date?')
          .epilogue(EPILOGUE),
      given => {
        run = async () => {
          const { compileCommand } = await import('./compile-command.ts');
          return compileCommand({
            image: given.image,
            dryRun: given['dry-run'],
            check: given.check,
            force: given.force,
            format: given.format,
          });
        };
      },
    );
  const parser = nodesCommand(compiler, command => {
    run = command;
  })
    .demandCommand(1, 'Say what to do: logobatch compile, or logobatch nodes')
    .strict()
    .recommendCommands()
    .epilogue(EPILOGUE)
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .showHelpOnFail(false)
    .exitProcess(false)
    .fail((message: string | undefined, error: unknown) => {
      if (error instanceof Error && error.name !== 'YError') throw error;
      mistake ??= message ?? String(error);
    });
  await parser.parseAsync();
  if (mistake === undefined) return run ? run() : 0;
  process.stderr.write(`logobatch: ${mistake}\nlogobatch --help says more\n`);
  return 2;
}
