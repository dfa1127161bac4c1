/** One command over a master's socket: a channel of the SSH connection protocol (RFC 4254, sections 5 and 6). */
import { Readable, Writable } from 'node:stream';
import { Tail } from './execution.ts';
import type { Session } from './transport.ts';
import { type Fields, MESSAGE, string, u32 } from './wire.ts';

/** Bytes that the host may send ahead of what is read here, and in one message; as OpenSSH itself has them. */
const WINDOW = 2 * 1024 * 1024;
const LARGEST = 32 * 1024;

/** A message for the host. False: the way is full. */
type Send = (type: number, words: Buffer, payload?: Buffer) => boolean;

export type Opened = Session | { readonly refused: boolean; readonly why: string };

export class Channel {
  /** Once the command runs, or cannot. */
  readonly opened: Promise<Opened>;
  #settle: (opened: Opened) => void = () => {};
  #end: (how: { code: number | null; stderr: string }) => void = () => {};
  readonly #number: number;
  readonly #command: string;
  readonly #send: Send;
  readonly #forget: () => void;
  readonly #session: Session;
  readonly #stdout: Readable;
  readonly #errors = new Tail();
  /** The host's number of the channel. */
  #recipient = 0;
  /** Bytes that the host still takes, and the most in one message. */
  #room = 0;
  #largest = LARGEST;
  /** Bytes that were read here and may be sent anew. */
  #read = 0;
  #toSend: { readonly chunk: Buffer; at: number; readonly sent: () => void } | undefined;
  #code: number | null = null;
  #why = 'the session was ended';
  #isOpen = false;
  #isClosing = false;
  #isOver = false;

  constructor(number: number, command: string, way: { readonly send: Send; readonly forget: () => void }) {
    this.#number = number;
    this.#command = command;
    this.#send = way.send;
    this.#forget = way.forget;
    this.opened = new Promise(resolve => {
      this.#settle = resolve;
    });
    this.#stdout = new Readable({ read: () => this.#grant(), highWaterMark: WINDOW });
    this.#stdout.on('error', () => {});
    const stdin = new Writable({
      highWaterMark: LARGEST,
      write: (chunk: Buffer, _, sent) => {
        this.#toSend = { chunk, at: 0, sent };
        this.pump();
      },
      final: done => {
        if (!this.#isClosing) this.#send(MESSAGE.eof, u32(this.#recipient));
        done();
      },
    });
    stdin.on('error', () => {});
    const closed = new Promise<{ code: number | null; stderr: string }>(resolve => {
      this.#end = resolve;
    });
    this.#session = { stdin, stdout: this.#stdout, closed, end: () => this.#abandon() };
  }

  ask(): void {
    this.#send(MESSAGE.open, Buffer.concat([string('session'), u32(this.#number, WINDOW, LARGEST)]));
  }

  take(type: number, fields: Fields): void {
    switch (type) {
      case MESSAGE.openConfirmation: {
        this.#recipient = fields.u32();
        this.#room = fields.u32();
        this.#largest = Math.min(fields.u32(), LARGEST);
        this.#send(
          MESSAGE.request,
          Buffer.concat([u32(this.#recipient), string('exec'), YES]),
          string(this.#command),
        );
        break;
      }
      case MESSAGE.openFailure:
        fields.u32();
        this.#forget();
        this.#settle({ refused: true, why: fields.text() });
        break;
      case MESSAGE.success:
        this.#isOpen = true;
        this.#settle(this.#session);
        break;
      case MESSAGE.failure:
        this.#settle({ refused: false, why: 'it runs no commands' });
        this.#abandon();
        break;
      case MESSAGE.windowAdjust:
        this.#room += fields.u32();
        this.pump();
        break;
      case MESSAGE.data: {
        const chunk = fields.bytes();
        this.#read += chunk.length;
        if (this.#isClosing || this.#stdout.push(chunk)) this.#grant();
        break;
      }
      case MESSAGE.extendedData: {
        fields.u32();
        const chunk = fields.bytes();
        this.#errors.add(Buffer.from(chunk));
        this.#read += chunk.length;
        this.#grant();
        break;
      }
      case MESSAGE.request:
        this.#answer(fields);
        break;
      case MESSAGE.close:
        this.#close();
        this.#over();
        break;
    }
  }

  /** How the command ended; whatever else a host asks for (its sshd may look whether we are alive), it gets an answer. */
  #answer(fields: Fields): void {
    const [what, wantsReply] = [fields.text(), fields.byte()];
    if (what === 'exit-status') this.#code = fields.u32();
    else if (what === 'exit-signal') this.#why = `ended by SIG${fields.text()}`;
    else if (wantsReply) this.#send(MESSAGE.failure, u32(this.#recipient));
  }

  /** Sends of what is to be sent as much as the host and the socket take. */
  pump(): void {
    while (this.#toSend && this.#room > 0 && !this.#isClosing) {
      const { chunk, at, sent } = this.#toSend;
      const part = chunk.subarray(at, at + Math.min(this.#room, this.#largest));
      this.#room -= part.length;
      const more = this.#send(MESSAGE.data, u32(this.#recipient, part.length), part);
      this.#toSend.at += part.length;
      if (this.#toSend.at === chunk.length) {
        this.#toSend = undefined;
        sent();
      }
      if (!more) return;
    }
  }

  /** The host may send as much again as was read here; told now and then. */
  #grant(): void {
    if (this.#read < WINDOW / 8 || this.#isClosing) return;
    this.#send(MESSAGE.windowAdjust, u32(this.#recipient, this.#read));
    this.#read = 0;
  }

  /** The connection is gone. */
  lose(): void {
    this.#why = 'the connection was lost';
    this.#isClosing = true;
    this.#over();
  }

  /** Not waited for: the host says when it has closed it, too, but the command may go on there. */
  #abandon(): void {
    this.#close();
    this.#finish();
    this.#stdout.destroy();
  }

  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#send(MESSAGE.close, u32(this.#recipient));
  }

  #over(): void {
    this.#forget();
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isOpen) this.#settle({ refused: false, why: this.#why });
    const waiting = this.#toSend;
    this.#toSend = undefined;
    waiting?.sent();
    this.#session.stdin.destroy();
    const code = this.#code;
    const said = this.#errors.text();
    const stderr =
      code === null ? `${said}${said === '' || said.endsWith('\n') ? '' : '\n'}${this.#why}` : said;
    // What came is still to be read.
    this.#stdout.once('close', () => this.#end({ code, stderr }));
    this.#stdout.push(null);
  }
}

const YES = Buffer.from([1]);
