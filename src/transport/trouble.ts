/** Why a host could not be had, in one form for both clients; and what its messages say. */

import type { Failure } from '../failure.ts';
import type { Host } from '../grid/model.ts';
import { shWord } from '../quote.ts';
import type { Verdict } from './hostkeys.ts';
import { type Refusal, sshOptions, type Transport } from './transport.ts';

export interface Trouble {
  readonly kind: Refusal;
  /** What the client said, without the host's name. */
  readonly reason: string;
  /** sshd closed the connection before it said who it is: often too many at once (MaxStartups); worth another try. */
  readonly busy?: boolean;
  readonly key?: {
    readonly verdict: Exclude<Verdict, 'trusted'>;
    readonly type: string;
    readonly fingerprint: string;
    /** Whose it is, where that is not the host itself but one on the way. */
    readonly of?: string;
  };
}

/** Words of `ssh` (its log) and of ssh2 (its errors), the more telling ones first. */
const WORDS: readonly (readonly [RegExp, Refusal, busy?: true])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed|host key is known|host key .*revoked/i,
    'host-key',
  ],
  [/Host denied \(verification failed\)/, 'host-key'],
  [
    /Permission denied|Too many authentication failures|authentication methods|No more authentication/i,
    'auth',
  ],
  // A jump host says why it could not go on; the connection behind it only breaks off.
  [/open failed: |stdio forwarding failed/i, 'unreachable'],
  [/refused|timed out|time-?out|ETIMEDOUT|No route|EHOSTUNREACH|unreachable|ENETUNREACH/i, 'unreachable'],
  [/not resolve|ENOTFOUND|EAI_AGAIN|not known|no address/i, 'unreachable'],
  [
    /kex_exchange_identification|banner exchange|lost before handshake|Not allowed at this time/i,
    'unreachable',
    true,
  ],
  [/ECONNRESET|Connection reset|Connection closed by|No response from server/i, 'unreachable', true],
];

/** Reads what a client said as it failed. */
export function troubleOf(said: string): Trouble {
  const lines = said.split('\n').map(line => line.replace(/^ssh: |\r$/g, '').trim());
  const telling = WORDS.flatMap(([words, kind, busy]) => {
    const line = lines.find(text => words.test(text));
    return line === undefined ? [] : [{ kind, reason: line, ...(busy && { busy }) }];
  });
  return telling[0] ?? { kind: 'other', reason: lines.filter(Boolean).at(-1) ?? 'ssh ended without a word' };
}

/** A trouble as the user reads it: the host, what was tried, what to do next. */
export function failureOf(host: Host, trouble: Trouble, tried: readonly string[]): Failure {
  const name = host.hostname;
  const ssh = ['ssh', ...sshOptions(host), name].map(shWord).join(' ');
  const how = tried.length === 0 ? '' : ` (tried ${tried.join(', then ')})`;
  switch (trouble.kind) {
    case 'host-key':
      return { message: `${name}: ${keyMessage(trouble)}`, hint: keyHint(trouble, ssh) };
    case 'auth':
      return {
        message: `${name}: the login was refused: ${trouble.reason}${how}`,
        hint: `make "${ssh} true" work without a question: a key in ~/.ssh or in an agent (ssh-add)`,
      };
    case 'unreachable':
      return trouble.busy
        ? {
            message: `${name}: its sshd closes new connections: ${trouble.reason}${how}`,
            hint: `too many at once (MaxStartups), or it refuses this address; try "${ssh} true" in a minute`,
          }
        : {
            message: `${name}: not reachable: ${trouble.reason}${how}`,
            hint: `is it switched on, and its name right? See what "${ssh} true" says`,
          };
    case 'other':
      return {
        message: `${name}: no connection: ${trouble.reason}${how}`,
        hint: `see what "${ssh} -v true" says`,
      };
  }
}

function keyMessage({ key, reason }: Trouble): string {
  if (key === undefined) return `its host key was refused: ${reason}`;
  const shown = `${key.type} ${key.fingerprint}`;
  const whose = key.of === undefined ? 'its host key' : `the host key of ${key.of}, on the way there,`;
  const words = {
    unknown: 'is not known here',
    changed: 'is another one than before',
    revoked: 'was revoked',
  };
  return `refused, since ${whose} (${shown}) ${words[key.verdict]}`;
}

function keyHint({ key, reason }: Trouble, ssh: string): string {
  const changed = key ? key.verdict === 'changed' : /changed/i.test(reason);
  if (key?.verdict === 'revoked' || /revoked/i.test(reason))
    return 'whoever answers there holds a key that must not be trusted: ask its administrator';
  return changed
    ? `somebody else may answer there: ask its administrator; if the change is meant, "${ssh}" says how to forget the old key`
    : `run "${ssh}" once, compare the fingerprint with what its administrator says, and answer yes (StrictHostKeyChecking no does not count here)`;
}

/** How a client's login ended. */
export type LoggedIn =
  | { readonly ok: true; readonly transport: Transport }
  | { readonly ok: false; readonly trouble: Trouble };
