/**
 * What a task of Grid Engine asks for on the command line. qsub merges the `-l` of all places by the names of resources, a later place before an
 * earlier one: the site's defaults, the script, the command line; a later `-pe` replaces an earlier one whole. The script speaks of one job, and
 * of the largest.
 */
import type { ArrayWish } from './executor.ts';

/** Seconds that a task may need besides its jobs. */
const MARGIN = 60;

/** Names of resources that are about the same: who asks for one of them means no other. */
const ALIKE = [/^[hs]_rt$/, /mem|virtual|rss|^[hs]_data$/, /gpu|cuda/i];

/** Limits of a queue, of which it is known at once whether a queue has them. What machines report, such as `mem_free`, is not. */
const FORESEEN = /^[hs]_(rt|cpu|fsize|data|stack|core|rss|vmem)$/;

/** Words for qsub. */
export function requestWords(array: ArrayWish): string[] {
  const { options, foresees, batch } = array;
  const said = requestsIn(wordAfter(batch.words, '-l'));
  const needed = needs(array, said);
  const meant = [...said.keys(), ...needed.keys()];
  const others = requestsIn([options.l ?? '']);
  for (const name of others.keys()) if (meant.some(each => isAlike(each, name))) others.delete(name);
  const isForeseen = [...meant, ...others.keys()].every(name => FORESEEN.test(name));
  const saysIt = options.w !== undefined || batch.own.includes('w');
  return [
    ...parallel(array),
    ...listed(needed),
    // It would wait for ever in the queue.
    ...(foresees && isForeseen && !saysIt ? ['-w', 'e'] : []),
    ...Object.entries(options).flatMap(([name, value]) => {
      if (name === 'l') return listed(others);
      if (name === 'pe' || batch.own.includes(name)) return [];
      return value === '' ? [`-${name}`] : [`-${name}`, ...value.split(/ +/)];
    }),
  ];
}

/** The task's own number of slots, unless the batch has said one; none for a job of one processor that nobody calls parallel. */
function parallel({ cpus, options, batch }: ArrayWish): string[] {
  const [name, slots] = parallelIn(batch.words);
  if (name !== undefined && slots !== String(batch.cpus)) return [];
  const [wished, number] = (options.pe ?? '').split(/ +/);
  if (name === undefined && cpus === 1) return wished && number ? ['-pe', wished, number] : [];
  const chosen = batch.own.includes('pe') ? name : wished || name;
  return ['-pe', chosen ?? 'smp', String(cpus)];
}

/** What differs from what the script says: the time of a task, and the memory of a slot. */
function needs({ cpus, time, batch }: ArrayWish, said: Requests): Requests {
  const [, slots] = parallelIn(batch.words);
  // A number of slots that the batch has said itself is not ours to change, and so are limits.
  const ours = (name: string, value: number) => said.get(name) === `${name}=${value}`;
  const isTimeFree = ![...said.keys()].some(name => isAlike(name, 'h_rt')) || ours('h_rt', batch.time);
  const largest = `mem_free=${Math.ceil(batch.mem / batch.cpus)}M`;
  const isMemOurs = said.get('mem_free') === largest && slots === String(batch.cpus);
  return new Map([
    ...(time > 0 && isTimeFree ? [['h_rt', `h_rt=${time + MARGIN}`] as const] : []),
    ...(batch.mem > 0 && isMemOurs && cpus !== batch.cpus
      ? [['mem_free', `mem_free=${Math.ceil(batch.mem / cpus)}M`] as const]
      : []),
  ]);
}

/** By the name of the resource, as they are written: `h_rt=60`, or `exclusive` alone. */
type Requests = Map<string, string>;

function requestsIn(lists: readonly string[]): Requests {
  const all = lists.flatMap(list => list.split(',')).filter(Boolean);
  return new Map(all.map(each => [each.replace(/[=<>!].*/s, ''), each]));
}

const listed = (requests: Requests) => (requests.size > 0 ? ['-l', [...requests.values()].join(',')] : []);

function parallelIn(words: readonly string[]): (string | undefined)[] {
  const at = words.lastIndexOf('-pe');
  return at < 0 ? [] : words.slice(at + 1, at + 3);
}

const wordAfter = (words: readonly string[], option: string) =>
  words.filter((_, i) => words[i - 1] === option);

const isAlike = (one: string, other: string) =>
  one === other || ALIKE.some(kind => kind.test(one) && kind.test(other));
