/** What a node and a cluster have in common during a run: they come up, serve until they are lost, and are tried again after a while. */
import { setTimeout as wait } from 'node:timers/promises';
import { backOff } from './rest.ts';

/** Seconds between tries to bring it back; the last one again and again. */
const BACK_OFF = [2, 5, 10, 20, 40, 60];

/** Why it is not up. `again`: it may mend itself, so another try makes sense. */
export interface Failure {
  readonly ok: false;
  readonly why: string;
  readonly hint?: string;
  readonly again: boolean;
}

/** What differs between those that live so. */
export interface Living {
  readonly name: string;
  /** What a person may want to know while it is away. */
  readonly solace?: string;
  readonly say: (line: string) => void;
  /** The run is over. */
  readonly abort: AbortSignal;
  bringUp(): Promise<{ readonly ok: true } | Failure>;
  /** Until it is lost or the run is over; resolves with the reason. */
  serve(): Promise<string>;
  /** It is lost for now. */
  leave(): void;
  /** For good. */
  giveUp(failure: Failure): void;
}

/** `settled`: the first try has ended, however. */
export async function live(one: Living, settled: () => void): Promise<void> {
  const { name, say, abort, solace = '' } = one;
  let failures = 0;
  let said = '';
  while (!abort.aborted) {
    const outcome = await one.bringUp();
    let why = outcome.ok ? '' : inWords(outcome);
    if (outcome.ok) {
      if (said !== '') say(`back    ${name}`);
      settled();
      const since = Date.now();
      why = await one.serve();
      if (Date.now() - since > 60_000) failures = 0;
      said = '';
    }
    if (abort.aborted) return;
    if (!outcome.ok && !outcome.again) return one.giveUp(outcome);
    one.leave();
    const seconds = backOff(BACK_OFF, failures++);
    if (why !== said) say(`lost    ${name}: ${why}; trying again in ${seconds} s${solace}`);
    said = why;
    settled();
    await wait(seconds * 1000, undefined, { signal: abort }).catch(() => {});
  }
}

/** The reason, and the cure where one is known. */
export function inWords({ why, hint }: Failure): string {
  return hint ? `${why} (${hint})` : why;
}
