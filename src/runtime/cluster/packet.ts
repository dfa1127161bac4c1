/** What a visit asks of a cluster: it packs its jobs, lays an order into a folder, and reads a FIFO for what became of them. */
import { closeSync, constants, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A job as its visit counts it. */
export interface PacketJob {
  readonly n: number;
  /** Its limit in seconds, 0: none. */
  readonly time: number;
  readonly job: string;
  /** What its record will say it was made of. */
  readonly meaning: string;
}

/** The order of one visit. */
export interface Packet {
  /** The visit's, such as `campus.3`. */
  readonly slot: string;
  /** Of the visit; its slot may be somebody else's when it is gone. */
  readonly pid: number;
  /** Differs from that of the visit's last order. */
  readonly word: string;
  readonly batch: string;
  readonly cpus: number;
  /** Larger results are not taken, in bytes. */
  readonly most: number;
  readonly jobs: readonly PacketJob[];
  /** Folder of the stages: `archive` lies there, and `<n>.tar` is expected there. */
  readonly base: string;
  /** What it packed holds files for the view of the image: what says of each that it is there. */
  readonly marks: readonly string[];
  /** Hosts that could do it as well. */
  readonly hosts: readonly string[];
}

/**
 * All orders that lie there whole: `<pid> <word> <batch> <cpus> <most> <marks of what goes along> <hosts>`, the
 * last two with commas, a line `<n> <attempt> <time> <job> <meaning>` a job, and `.`
 */
export function packetsIn(spool: string): Packet[] {
  return readdirSync(spool).flatMap(slot => {
    const packet = parse(slot, readFileSync(join(spool, slot), 'utf8'));
    return packet ? [packet] : [];
  });
}

function parse(slot: string, text: string): Packet | undefined {
  const lines = text.split('\n');
  if (lines.at(-2) !== '.') return undefined;
  const [pid, word = '', batch = '', cpus, most, marks = '', hosts = ''] = (lines[0] ?? '').split(' ');
  const jobs = lines.slice(1, -2).map(line => {
    const [n, , time, job = '', ...meaning] = line.split(' ');
    return { n: Number(n), time: Number(time), job, meaning: meaning.join(' ') };
  });
  return {
    slot,
    pid: Number(pid),
    word,
    batch,
    cpus: Number(cpus),
    most: Number(most),
    jobs,
    base: join('data/processed/.stage', slot),
    marks: marks.split(',').filter(Boolean),
    hosts: hosts.split(',').filter(Boolean),
  };
}

/** The visit lives and waits for an answer. */
export function isAwaited({ pid }: Packet): boolean {
  try {
    process.kill(pid, 0);
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Says a line to the visit, after its word: its slot may be another's by now. False if nobody is there, or has no room for it. `slots`: the folder that holds the FIFOs. */
export function answer(slots: string, { slot, word }: Packet, line: string): boolean {
  try {
    const fifo = openSync(join(slots, `${slot}.from`), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fifo, `${word} ${line.replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 500)}\n`);
    } finally {
      closeSync(fifo);
    }
    return true;
  } catch {
    return false;
  }
}
