/** The session with `keeper` on a node: as long as it lives, and somebody beats, the node keeps what it has of the run. */
import { createInterface } from 'node:readline';
import type { Session, Transport } from '../transport/transport.ts';
import { lastLine, preamble, randomWord } from './script.ts';

const BEAT = 3_000;
/** A keeper that says nothing for so long (it prints every 5 s) is not there, whatever the connection says. */
const SILENCE = 20_000;

/** Why a keeper does not keep its node any more. */
export interface Gone {
  readonly why: string;
  readonly silent: boolean;
}

/** A keeper that runs on a node. */
export interface Keeper {
  /** Resolves with the reason when nobody keeps the node any more; `silent`: it may live, but does not answer. Never rejects. */
  readonly gone: Promise<Gone>;
  /** Ends the run there; resolves with what keeper said of it: at last `clean`, `kept` or `left …`, nothing if it went without a word. */
  finish(word: 'down' | 'keep'): Promise<readonly string[]>;
  /** Lets go without a word. */
  drop(): void;
}

/** Rejects with an Error where no session can be had or keeper does not start. `onLoad` gets the load of the last minute. */
export async function openKeeper(
  transport: Transport,
  work: string,
  onLoad: (load: number) => void,
): Promise<Keeper> {
  const nonce = randomWord();
  const session = await transport.open(`exec sh '${work}/keeper' ${nonce}`);
  session.stdin.on('error', () => {});
  session.stdout.on('error', () => {});
  session.stdin.write(preamble(nonce));
  const beat = setInterval(() => session.stdin.write('beat\n'), BEAT);
  let heard = Date.now();
  const ending: string[] = [];
  let lose: () => void = () => {};
  const silence = new Promise<Gone>(resolve => {
    lose = () => resolve({ why: 'it does not answer', silent: true });
  });
  const watch = setInterval(() => {
    if (Date.now() - heard > SILENCE) lose();
  }, 1000);
  const started = new Promise<void>(resolve => {
    createInterface({ input: session.stdout }).on('line', line => {
      heard = Date.now();
      if (line === `lb-${nonce}`) resolve();
      else if (line.startsWith('load ')) onLoad(Number(line.slice(5)));
      else if (/^(clean|kept|left .*|stray .*)$/.test(line)) ending.push(line);
    });
  });
  const gone = Promise.race([silence, endOf(session)]).finally(() => {
    clearInterval(beat);
    clearInterval(watch);
  });
  const drop = () => {
    lose();
    session.end();
  };
  const failure = await Promise.race([started.then(() => undefined), gone]);
  if (failure !== undefined) {
    drop();
    throw new Error(`keeper does not start: ${failure.why}`);
  }
  const finish = async (word: 'down' | 'keep') => {
    session.stdin.write(`${word}\n`);
    session.stdin.end();
    await gone;
    return ending;
  };
  return { gone, finish, drop };
}

async function endOf(session: Session): Promise<Gone> {
  const { code, stderr } = await session.closed;
  const why = code === null ? 'the connection was lost' : `its keeper ended with exit code ${code}`;
  return { why: lastLine(stderr) || why, silent: false };
}
