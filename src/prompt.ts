/** Questions on a terminal. */
import { isCancel, text } from '@clack/prompts';

export interface Question {
  readonly message: string;
  /** What an empty answer stands for, in words. */
  readonly placeholder: string;
  /** What an empty answer stands for. */
  readonly otherwise: string;
  /** What is wrong with an answer; undefined for a good one. */
  readonly fault: (text: string) => string | undefined;
}

/** One answer; undefined after Ctrl-C. */
export async function line({
  message,
  placeholder,
  otherwise,
  fault,
}: Question): Promise<string | undefined> {
  const answer = await text({
    message,
    placeholder: otherwise || placeholder,
    defaultValue: otherwise,
    validate: typed => fault((typed ?? '').trim() || otherwise),
  });
  return isCancel(answer) ? undefined : answer.trim();
}

/** Asks, and has a word for the user who types Ctrl-D: nothing is left to wait for then, and node would end silently with a code of its own. */
export async function conversation<T>(program: string, ask: () => Promise<T>): Promise<T> {
  const deserted = () => {
    process.stderr.write(`${program}: the input has ended; nothing was made\n`);
    process.exitCode = 1;
  };
  process.once('beforeExit', deserted);
  try {
    return await ask();
  } finally {
    process.off('beforeExit', deserted);
  }
}
