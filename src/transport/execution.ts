/** One command from its input to its end, over either client. */
import { PassThrough, Readable } from 'node:stream';
import type { ExecOptions, Execution, Session } from './transport.ts';

/** Bytes of standard output, and as many of standard error, that a command may print: a host is only half trusted. */
const MOST = 32 * 1024 * 1024;

/** Runs a command in a session of its own. Never rejects, and takes no longer than `seconds` (default 60). */
export async function execute(open: () => Promise<Session>, options: ExecOptions = {}): Promise<Execution> {
  const { seconds = 60 } = options;
  const input = taken(options);
  let stop: (reason: string) => void = () => {};
  const stopped = new Promise<string>(resolve => {
    stop = resolve;
  });
  const timer = setTimeout(() => stop(`no end within ${seconds} s`), seconds * 1000);
  const opening = open();
  const collected: Buffer[] = [];
  const run = async (session: Session): Promise<Execution> => {
    let bytes = 0;
    session.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST) stop(`more than ${MOST / 1024 / 1024} MiB of output`);
      else collected.push(chunk);
    });
    session.stdout.on('error', () => {});
    feed(session, input, stop);
    const { code, stderr } = await session.closed;
    return { code, stdout: text(collected), stderr };
  };
  try {
    const ended = await Promise.race([opening.then(run), stopped]);
    if (typeof ended !== 'string') return ended;
    // Also one that opens too late must not stay.
    opening.then(
      session => session.end(),
      () => {},
    );
    return { code: null, stdout: text(collected), stderr: ended };
  } catch (error) {
    return { code: null, stdout: '', stderr: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
    if (input instanceof Readable) input.destroy();
  }
}

/**
 * A stream is read from now on and not only once the session is open: what a process printed that has ended meanwhile, and
 * that nobody reads, is thrown away.
 */
function taken({ lead = '', input = '' }: ExecOptions): Buffer | Readable {
  if (!(input instanceof Readable)) return Buffer.concat([lead, input].map(part => Buffer.from(part)));
  const buffer = new PassThrough();
  input.on('error', error => buffer.destroy(error));
  buffer.once('close', () => input.destroy());
  buffer.write(lead);
  return input.pipe(buffer);
}

/** Sends the input at the pace of the host. A host that stops reading is not a fault: the command's code says it all. */
function feed({ stdin }: Session, input: Buffer | Readable, stop: (reason: string) => void): void {
  stdin.on('error', () => {});
  if (Buffer.isBuffer(input)) stdin.end(input);
  else {
    input.on('error', error => stop(`the input broke off: ${error.message}`));
    input.pipe(stdin);
  }
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** Keeps the last mebibyte of a stream: what stands at the end of an error tells the most. */
export class Tail {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) > 1024 * 1024)
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return text(this.#chunks);
  }
}
