/** Bytes of the SSH connection protocol (RFC 4251 and 4254): numbers of 32 bits, strings with their length before them. */

/** The numbers of its messages, with "SSH_MSG_CHANNEL_" before each name. */
export const MESSAGE = {
  open: 90,
  openConfirmation: 91,
  openFailure: 92,
  windowAdjust: 93,
  data: 94,
  extendedData: 95,
  eof: 96,
  close: 97,
  request: 98,
  success: 99,
  failure: 100,
} as const;

export function u32(...numbers: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafe(4 * numbers.length);
  for (const [i, number] of numbers.entries()) buffer.writeUInt32BE(number, 4 * i);
  return buffer;
}

export function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([u32(bytes.length), bytes]);
}

/** Reads fields one after another; one that is not there is empty. */
export class Fields {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  u32(): number {
    if (this.#at + 4 > this.#bytes.length) return 0;
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  bytes(): Buffer {
    const length = this.u32();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }
}

/** Parts a stream into messages that have their length before them, as both the master's socket and the protocol send them. */
export class Frames {
  #rest: Buffer[] = [];
  #bytes = 0;

  /** Longer than any that is ever sent: who sends it is no master. */
  static readonly LONGEST = 512 * 1024;

  /** Throws on one that is too long. */
  *take(chunk: Buffer): Generator<Buffer> {
    this.#rest.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      const length = this.#peek();
      if (length === undefined || this.#bytes < 4 + length) return;
      const all = this.#joined();
      this.#rest = [all.subarray(4 + length)];
      this.#bytes -= 4 + length;
      yield all.subarray(4, 4 + length);
    }
  }

  #peek(): number | undefined {
    if (this.#bytes < 4) return undefined;
    const first = this.#rest[0];
    const length = (first && first.length >= 4 ? first : this.#joined()).readUInt32BE(0);
    if (length > Frames.LONGEST) throw new Error(`a message of ${length} bytes`);
    return length;
  }

  #joined(): Buffer {
    const [first] = this.#rest;
    if (this.#rest.length === 1 && first) return first;
    const all = Buffer.concat(this.#rest);
    this.#rest = [all];
    return all;
  }
}
