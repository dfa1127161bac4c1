/** What the runtime asks of a host, whichever client carries it. */
import type { Readable, Writable } from 'node:stream';
import type { Failure } from '../failure.ts';
import type { Host } from '../grid/model.ts';

/** How a command on the host ended. */
export interface Execution {
  /** Its exit code, or null where the connection was lost, the time was up or a signal ended it: always a failure. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  /** What comes first on standard input. */
  readonly lead?: string | Buffer;
  /** What comes next, and last. */
  readonly input?: string | Buffer | Readable;
  /** Within which it has to end. */
  readonly seconds?: number;
}

/** A command that runs as long as somebody talks to it. */
export interface Session {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects; code null as in `Execution`. Comes once the command ended and its output was read. */
  readonly closed: Promise<{ code: number | null; stderr: string }>;
  /** Ends it at once, without waiting for the command: what it leaves on the host is the host's. */
  end(): void;
}

/** An open connection to one host. */
export interface Transport {
  readonly kind: 'node-ssh' | 'openssh' | 'here';
  /** Why it is not node-ssh, for the table of nodes: "a user certificate". */
  readonly because?: string;
  /**
   * Runs one command line of the host's login shell. Never rejects: a lost connection is code null, with the reason
   * as the last line of stderr. `seconds` bounds it all (default 60); output past 32 MiB a stream is cut off.
   */
  exec(command: string, options?: ExecOptions): Promise<Execution>;
  /** Rejects with an Error (its message says why) where no session can be had. */
  open(command: string): Promise<Session>;
  /** Resolves with the reason when the connection is gone; `closed` after `close()`. */
  readonly lost: Promise<string>;
  /**
   * Closes the connection and what belongs to it on this machine; may be called twice. `keep`: a connection of the system's `ssh` stays open,
   * for whoever comes to its socket.
   */
  close(how?: { readonly keep: boolean }): Promise<void>;
}

/** What the grid file may ask for. */
export type Wish = 'auto' | 'openssh' | 'node-ssh';

/** What kept us out: `host-key` and `auth` need a person, `unreachable` may mend itself. */
export type Refusal = 'host-key' | 'auth' | 'unreachable' | 'other';

export type Connected =
  | { readonly ok: true; readonly transport: Transport }
  | { readonly ok: false; readonly failure: Failure; readonly kind: Refusal };

export interface ConnectOptions {
  /** Path of the control socket, for openssh; at most 90 bytes, in a folder that only the user may enter. */
  readonly control: string;
  /** Bounds the whole of connecting, retries and fallback included. */
  readonly seconds: number;
  /** There is a terminal, and the user may be asked (a passphrase, a one-time code) once. */
  readonly interactive: boolean;
  /** Others will hold sessions over it, so it has to be one of the system's `ssh`, unless the wish is node-ssh. */
  readonly shared?: boolean;
  /** Seconds that such a connection stays open without any session; a minute, if nothing is said. */
  readonly idle?: number | undefined;
  readonly abort?: AbortSignal;
}

/** The words for `ssh` that say port and user: `['-p', '2201', '-l', 'ann']`. */
export function sshOptions(host: Host): string[] {
  const port = host.port === undefined ? [] : ['-p', String(host.port)];
  const user = host.username === undefined ? [] : ['-l', host.username];
  return [...port, ...user];
}
