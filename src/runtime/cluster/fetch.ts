/** Brings results from a cluster: many in one stream, each into a file of its own. Sizes are known before, so nothing else is believed. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Transport } from '../../transport/transport.ts';
import { randomWord } from '../script.ts';

/** A result that lies there, and its place here. */
export interface Wanted {
  /** Below `arrays`. */
  readonly from: string;
  readonly bytes: number;
  /** Where it goes on this machine. */
  readonly to: string;
}

/** At once: more would hold up those that are there already. */
export const FETCHED_AT_ONCE = 100;

/** How many of them have come whole, in their order; the rest has to be fetched again. Throws the system's error where this disk is full. */
export async function fetch(transport: Transport, work: string, wanted: readonly Wanted[]): Promise<number> {
  const nonce = randomWord();
  let session: Awaited<ReturnType<Transport['open']>>;
  try {
    session = await transport.open('exec sh');
  } catch {
    return 0;
  }
  const { stdin, stdout, closed } = session;
  stdin.on('error', () => {});
  stdin.end(`${'\n'.repeat(64)}lb_main() {
cd '${work}/arrays' || exit 71
printf '\\nlb-${nonce}\\n'
cat ${wanted.map(({ from }) => from).join(' ')}
}
lb_main </dev/null
exit $?
`);
  const files = new Files(wanted);
  let noise = Buffer.alloc(0);
  let begun = false;
  const mark = Buffer.from(`\nlb-${nonce}\n`);
  try {
    for await (const chunk of stdout) {
      let bytes = Buffer.from(chunk);
      if (!begun) {
        noise = Buffer.concat([noise, bytes]).subarray(-1024 * 1024);
        const at = noise.indexOf(mark);
        if (at < 0) continue;
        begun = true;
        bytes = noise.subarray(at + mark.length);
      }
      if (!files.write(bytes)) break;
    }
  } catch (error) {
    // A session that breaks off has brought what it has brought; a disk of ours that is full is another matter.
    if (error instanceof Error && 'syscall' in error && error.syscall === 'write') throw error;
  } finally {
    files.close();
    session.end();
  }
  await closed;
  return files.whole;
}

class Files {
  /** How many are complete. */
  whole = 0;
  private readonly wanted: readonly Wanted[];
  private file: number | undefined;
  private left = 0;

  constructor(wanted: readonly Wanted[]) {
    this.wanted = wanted;
  }

  /** False once there is more than was asked for. */
  write(bytes: Buffer): boolean {
    let rest = bytes;
    while (rest.length > 0) {
      const now = this.wanted[this.whole];
      if (!now) return false;
      if (this.file === undefined) {
        rmSync(now.to, { force: true });
        this.file = openSync(now.to, 'wx', 0o600);
        this.left = now.bytes;
      }
      const part = rest.subarray(0, this.left);
      for (let done = 0; done < part.length; ) done += writeSync(this.file, part, done);
      this.left -= part.length;
      rest = rest.subarray(part.length);
      if (this.left === 0) this.finish();
    }
    return true;
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  private finish(): void {
    this.close();
    this.whole++;
  }
}
