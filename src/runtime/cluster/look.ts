/** One look at a cluster: which results lie there, and, if it is time for that, what the scheduler says of all that is ours. */
import type { Transport } from '../../transport/transport.ts';
import type { Executor, QueuedTask } from '../executors/executor.ts';
import { runScript } from '../script.ts';

/** The trailer of a job's result. */
export interface End {
  readonly array: string;
  readonly task: number;
  readonly n: number;
  /** Of the archive. */
  readonly bytes: number;
  readonly code: number;
  /** Hundredths of a second. */
  readonly elapsed: number;
  readonly spent: number;
  readonly note: 'ok' | 'timeout' | 'replaced' | 'unreadable' | 'ended';
}

export interface Seen {
  readonly ends: readonly End[];
  /** Arrays that the scheduler has taken, and their ids, where we have not heard of it. */
  readonly ids: ReadonlyMap<string, string>;
  /** Undefined: it was not asked, or did not answer. Silence means nothing. */
  readonly queue: readonly QueuedTask[] | undefined;
}

export interface LookWish {
  readonly work: string;
  readonly executor: Executor;
  /** Names of arrays begin so. */
  readonly prefix: string;
  /** Paths below `arrays` that nobody needs any more. */
  readonly forget: readonly string[];
  /** Arrays to look into. */
  readonly arrays: readonly string[];
  /** Those whose ids are not known. */
  readonly unknown: readonly string[];
  readonly askQueue: boolean;
}

/** `why` where the connection is lost, or the work folder. */
export async function look(transport: Transport, wish: LookWish): Promise<Seen | { readonly why: string }> {
  const said = await runScript(transport, scriptOf(wish), 120);
  if (!said.ok) return { why: said.why };
  const [files, queue, [code]] = parts(said.lines, ['queue', 'asked']);
  return {
    ends: files.flatMap(endIn),
    ids: new Map(
      files.flatMap(line => {
        const [, name = '', id = ''] = /^id (\S+) (.+)$/.exec(line) ?? [];
        const found = wish.executor.idIn([id]);
        return found === undefined ? [] : [[name, found]];
      }),
    ),
    queue: code === '0' ? wish.executor.tasksIn(queue) : undefined,
  };
}

/** The scheduler is asked first: what it calls ended has left its files by then. */
function scriptOf({ work, executor, prefix, forget, arrays, unknown, askQueue }: LookWish): string {
  const asked = askQueue
    ? `
asked=$( (${executor.queue(prefix)}) 2>/dev/null)
code=$?`
    : '\nasked= code=none';
  return `
cd '${work}' || exit 71${asked}
cd arrays 2>/dev/null || mkdir arrays && cd '${work}/arrays' || exit 71
rm -rf -- none ${forget.join(' ')}
for end in ${arrays.map(name => `${name}/*/*.end`).join(' ')}; do
  { read -r line <"$end"; } 2>/dev/null && echo "end $end $line"
done
for array in ${unknown.join(' ')}; do
  { read -r line <"$array/id"; } 2>/dev/null && echo "id $array $line"
done
echo queue
printf '%s\\n' "$asked"
echo asked
echo "$code"`;
}

/** Cuts lines into the part before each of these words and the part after the last. */
function parts(lines: readonly string[], words: readonly [string, string]): [string[], string[], string[]] {
  const first = lines.indexOf(words[0]);
  const second = lines.lastIndexOf(words[1]);
  return [lines.slice(0, first), lines.slice(first + 1, second), lines.slice(second + 1)];
}

const NOTES = ['ok', 'timeout', 'replaced', 'unreadable', 'ended'] as const;

function endIn(line: string): End[] {
  const pattern = /^end ([^/ ]+)\/(\d+)\/(\d+)\.end (\d{1,15}) (\d{1,3}) (\d{1,12}) (\d{1,12}) (\w+)$/;
  const [, array = '', ...rest] = pattern.exec(line) ?? [];
  const note = NOTES.find(each => each === rest[6]);
  if (array === '' || note === undefined) return [];
  const [task = 0, n = 0, bytes = 0, code = 0, elapsed = 0, spent = 0] = rest.slice(0, 6).map(Number);
  return [{ array, task, n, bytes, code, elapsed, spent, note }];
}
