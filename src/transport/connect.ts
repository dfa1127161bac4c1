/** The way to a host: which client can carry it, and what to try when it will not. */
import type { Host } from '../grid/model.ts';
import { knownKeys } from './hostkeys.ts';
import { byOpenSsh } from './openssh.ts';
import { type Resolved, resolveHost } from './resolve.ts';
import type { Connected, ConnectOptions, Wish } from './transport.ts';
import { failureOf, type LoggedIn, type Trouble } from './trouble.ts';

/** Opens a connection to a host, its key verified. Never rejects, and takes no longer than `seconds`. */
export async function connect(host: Host, wish: Wish, options: ConnectOptions): Promise<Connected> {
  const clock = clockOf(options);
  const found = await resolveHost(host, clock.left(), options.abort);
  if (!found.ok) return { ok: false, failure: found.failure, kind: 'other' };
  const { resolved } = found;
  const tried: string[] = [];
  const refuse = (trouble: Trouble): Connected => ({
    ok: false,
    failure: failureOf(host, options.abort?.aborted ? CALLED_OFF : trouble, tried),
    kind: options.abort?.aborted ? CALLED_OFF.kind : trouble.kind,
  });
  let because = reasonFor(wish, options);
  if (because === undefined) {
    const first = await library(resolved, clock, options);
    if ('obstacle' in first) {
      because = first.obstacle;
      if (wish === 'node-ssh')
        return refuse({ kind: 'other', reason: `node-ssh cannot do this: ${because}` });
    } else {
      if (first.ok) return { ok: true, transport: first.transport };
      tried.push('node-ssh');
      if (wish === 'node-ssh' || isFinal(first.trouble) || clock.left() <= 0) return refuse(first.trouble);
      because = `node-ssh failed: ${first.trouble.reason}`;
    }
  }
  const master = { host, resolved, control: options.control };
  const { interactive, idle } = options;
  const second = await patiently(clock, () =>
    byOpenSsh(master, { seconds: clock.left(), interactive, idle, signal: options.abort }, because),
  );
  if (second.ok) return { ok: true, transport: second.transport };
  tried.push('ssh');
  return refuse(second.trouble);
}

/** Why it has to be the system's `ssh`, whatever the host is like. */
function reasonFor(wish: Wish, { shared }: ConnectOptions): string | undefined {
  if (wish === 'openssh') return 'the grid file says so';
  return shared && wish === 'auto' ? 'jobs share it' : undefined;
}

const CALLED_OFF: Trouble = { kind: 'other', reason: 'called off' };

/** Tries node-ssh, unless something is in its way. It is loaded only now: a run without nodes does without it. */
async function library(
  resolved: Resolved,
  clock: Clock,
  { abort }: ConnectOptions,
): Promise<LoggedIn | { readonly obstacle: string }> {
  const [{ byNodeSsh }, { userKeys }, { obstacle }] = await Promise.all([
    import('./node-ssh.ts'),
    import('./keys.ts'),
    import('./choose.ts'),
  ]);
  const [known, keys] = await Promise.all([
    knownKeys(resolved, clock.left(), abort),
    userKeys(resolved, clock.left(), abort),
  ]);
  const reason = obstacle(resolved, keys, known);
  if (reason !== undefined) return { obstacle: reason };
  return patiently(clock, () => byNodeSsh(resolved, known, keys, clock.left(), abort));
}

/** What `ssh` could not do better: it would meet the same key, or the same silence. */
function isFinal({ kind, key }: Trouble): boolean {
  return kind === 'unreachable' || key?.verdict === 'changed' || key?.verdict === 'revoked';
}

/** Waits between tries that sshd cut off at once, in seconds, each made longer or shorter by chance: others wait, too. */
const WAITS = [0.3, 0.6, 1.2, 2.4, 4.8];

async function patiently(clock: Clock, login: () => Promise<LoggedIn>): Promise<LoggedIn> {
  for (const wait of WAITS) {
    const outcome = await login();
    const seconds = wait * (0.5 + Math.random());
    if (outcome.ok || !outcome.trouble.busy || clock.left() < seconds) return outcome;
    await clock.pause(seconds);
  }
  return login();
}

interface Clock {
  /** Seconds; 0 once the user has stopped it. */
  readonly left: () => number;
  readonly pause: (seconds: number) => Promise<void>;
}

function clockOf({ seconds, abort }: ConnectOptions): Clock {
  const end = performance.now() + seconds * 1000;
  const left = () => (abort?.aborted ? 0 : Math.max(0, (end - performance.now()) / 1000));
  const pause = (length: number) =>
    new Promise<void>(resolve => {
      const done = () => {
        clearTimeout(timer);
        abort?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, length * 1000);
      abort?.addEventListener('abort', done, { once: true });
    });
  return { left, pause };
}
