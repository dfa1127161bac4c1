/** The questions of `makebimg` on a terminal. */
import { isCancel, text } from '@clack/prompts';
import { type Answers, defaults, faultOf, type Given } from './answers.ts';

/** Asks for what was not given. Undefined: the user does not want to go on. */
export async function ask(given: Given): Promise<Answers | undefined> {
  // After Ctrl-D nothing is left to wait for, and node would end without a word and with a code of its own.
  const deserted = () => {
    process.stderr.write('makebimg: the input has ended; nothing was made\n');
    process.exitCode = 1;
  };
  process.once('beforeExit', deserted);
  try {
    const name =
      given.name ?? (await line('What is it called?', 'a folder and a word in commands', '', faultOf.name));
    if (name === undefined) return undefined;
    const known = defaults(name);
    const title = given.title ?? (await line('Its title?', '', known.title, faultOf.title));
    if (title === undefined) return undefined;
    const author = given.author ?? (await line('Who makes it?', '', known.author, faultOf.author));
    if (author === undefined) return undefined;
    const email =
      given.email ?? (await line('Who gets a mail when a batch ends?', 'nobody', known.email, faultOf.email));
    return email === undefined ? undefined : { name, title, author, email };
  } finally {
    process.off('beforeExit', deserted);
  }
}

/** One answer, with what an empty one stands for; undefined after Ctrl-C. */
async function line(
  message: string,
  placeholder: string,
  otherwise: string,
  fault: (text: string) => string | undefined,
): Promise<string | undefined> {
  const answer = await text({
    message,
    placeholder: otherwise || placeholder,
    defaultValue: otherwise,
    validate: typed => fault((typed ?? '').trim() || otherwise),
  });
  return isCancel(answer) ? undefined : answer.trim();
}
