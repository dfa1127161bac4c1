/**
 * The socket of a master of `ssh` (ControlMaster), spoken with directly: no process for each command. Source: OpenSSH's PROTOCOL.mux. After its
 * greeting we ask for proxy mode (MUX_C_PROXY, since OpenSSH 7.4); from then on the socket carries the messages of the SSH
 * connection protocol as they are, and the master puts numbers of its own on our channels.
 */
import { connect, type Socket } from 'node:net';
import { Channel } from './mux-channel.ts';
import type { Session } from './transport.ts';
import { Fields, Frames, MESSAGE, u32 } from './wire.ts';

const HELLO = 1;
const VERSION = 4;
const TERMINATE = 0x10000005;
const PROXY = 0x1000000f;
const PROXY_GRANTED = 0x8000000f;

/** Bytes that may wait in the socket. */
const ENOUGH = 512 * 1024;

/** Seconds within which a master has to answer. */
const PATIENCE = 5;

export interface Mux {
  /** Resolves with the session, with 'refused' where the host takes no more of them, or with what went wrong. */
  open(command: string): Promise<Session | { readonly refused: boolean; readonly why: string }>;
  /** Resolves when the master is gone, or `close` was called. */
  readonly gone: Promise<void>;
  /** Lets go of the master, and of all sessions. */
  close(): void;
}

/** Rejects with an Error where there is no master at this socket, or it knows no proxy mode. */
export async function joinMaster(path: string): Promise<Mux> {
  const socket = connect(path);
  const gone = new Promise<void>(resolve => {
    socket.once('close', () => resolve());
  });
  socket.on('error', () => {});
  const channels = new Channels(socket);
  const frames = new Frames();
  const greeted = new Promise<string | undefined>(resolve => {
    let waited = true;
    const answer = (problem?: string) => {
      waited = false;
      resolve(problem);
    };
    void gone.then(() => answer('its master is gone'));
    socket.setTimeout(PATIENCE * 1000, () => {
      if (waited) answer('its master does not answer');
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of frames.take(chunk)) {
          if (!waited) channels.take(message);
          else {
            const word = new Fields(message).u32();
            if (word === PROXY_GRANTED) answer();
            else if (word !== HELLO) answer('its master knows no proxy mode (OpenSSH before 7.4?)');
          }
        }
      } catch {
        socket.destroy();
      }
    });
  });
  socket.write(Buffer.concat([u32(8, HELLO, VERSION), u32(8, PROXY, 0)]));
  const problem = await greeted;
  socket.setTimeout(0);
  if (problem !== undefined) {
    socket.destroy();
    throw new Error(problem);
  }
  void gone.then(() => channels.lose());
  return { open: command => channels.open(command), gone, close: () => socket.destroy() };
}

/** Ends a master, with all sessions over it; resolves when it is gone. Where there is none, that is all. */
export async function endMaster(path: string): Promise<void> {
  const socket = connect(path);
  socket.on('error', () => {}).resume();
  socket.setTimeout(PATIENCE * 1000, () => socket.destroy());
  socket.write(Buffer.concat([u32(8, HELLO, VERSION), u32(8, TERMINATE, 0)]));
  await new Promise<void>(resolve => {
    socket.once('close', () => resolve());
  });
}

/** All sessions of ours over one master. */
class Channels {
  readonly #socket: Socket;
  readonly #open = new Map<number, Channel>();
  #numbers = 0;
  #lost = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => {
      for (const channel of this.#open.values()) channel.pump();
    });
  }

  open(command: string) {
    const number = this.#numbers++;
    const channel = new Channel(number, command, {
      send: (type, words, payload) => this.#send(type, words, payload),
      forget: () => this.#open.delete(number),
    });
    this.#open.set(number, channel);
    if (this.#lost) channel.lose();
    else channel.ask();
    return channel.opened;
  }

  take(message: Buffer): void {
    const fields = new Fields(message, 1);
    const type = fields.byte();
    if (type >= MESSAGE.openConfirmation && type <= MESSAGE.failure)
      this.#open.get(fields.u32())?.take(type, fields);
  }

  lose(): void {
    this.#lost = true;
    for (const channel of this.#open.values()) channel.lose();
  }

  /** False: enough waits in the socket for now, and `pump` comes when it is empty. */
  #send(type: number, words: Buffer, payload: Buffer = NOTHING): boolean {
    const head = Buffer.allocUnsafe(6);
    head.writeUInt32BE(2 + words.length + payload.length, 0);
    head[4] = 0; // no padding
    head[5] = type;
    this.#socket.cork();
    this.#socket.write(Buffer.concat([head, words]));
    if (payload.length > 0) this.#socket.write(payload);
    // Whatever else is sent in this turn goes with it.
    process.nextTick(() => this.#socket.uncork());
    return this.#socket.writableLength < ENOUGH;
  }
}

const NOTHING = Buffer.alloc(0);
