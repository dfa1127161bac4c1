/** What `start` says on standard input: `go` once it has written what is needed, and last how the run ends. */
import type { Ending } from './attended.ts';

export interface Told {
  /** False: there is nothing to do. */
  readonly go: Promise<boolean>;
  readonly over: Promise<Ending>;
}

const ENDINGS: readonly Ending[] = ['end', 'cancel', 'leave'];

export function toldBy(stream: NodeJS.ReadStream): Told {
  let text = '';
  let begun: (go: boolean) => void = () => {};
  const go = new Promise<boolean>(resolve => {
    begun = resolve;
  });
  const over = new Promise<Ending>(resolve => {
    // The other end of the pipe is gone. Whoever goes without a word has died, and wants what can go on to go on.
    const done = () => {
      begun(false);
      resolve(ENDINGS.find(word => text.trimEnd().endsWith(word)) ?? 'leave');
    };
    stream
      .on('data', chunk => {
        text = `${text}${chunk}`.slice(-100);
        if (/^go$/m.test(text)) begun(true);
      })
      .on('end', done)
      .on('error', done)
      .on('close', done);
  });
  return { go, over };
}
