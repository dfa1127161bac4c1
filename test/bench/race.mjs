/** Timing whole commands against each other: they take turns, so that a slow minute of the machine falls on both. */
import { spawnSync } from 'node:child_process';

/** Runs a command to its end; seconds of wall time. Throws if it fails, with what it said. */
export function run([command, ...args], { cwd, env, input } = {}) {
  const began = process.hrtime.bigint();
  const ended = spawnSync(command, args, {
    cwd,
    input,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (ended.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')} ended with ${ended.status}:\n${ended.stdout}${ended.stderr}`,
    );
  return seconds;
}

/**
 * Runs the entrants in turn, `rounds` times, after one round that does not count. An entrant is {name, run} with an
 * optional `before` that is not timed. Returns the seconds of each round by name.
 */
export function race(rounds, entrants, warmUp = 1) {
  const seconds = Object.fromEntries(entrants.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    for (const entrant of entrants) {
      entrant.before?.();
      const took = entrant.run();
      if (round >= 0) seconds[entrant.name].push(took);
    }
  }
  return seconds;
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of the ratios of each round: noise that lasts longer than a round cancels. */
export function ratio(ours, theirs) {
  return median(ours.map((seconds, round) => seconds / theirs[round]));
}

/** One line of the result: what, the ratio, what to reach, and the medians it came from. */
export function report(what, value, bound, detail) {
  const verdict =
    value <= bound.atMost ? (bound.aim && value > bound.aim ? 'reached, not the aim' : 'reached') : 'MISSED';
  const aim = bound.aim ? `, aim ${bound.aim}` : '';
  console.log(
    `${what.padEnd(58)} ${value.toFixed(3).padStart(8)}   at most ${bound.atMost}${aim}   ${verdict}`,
  );
  if (detail) console.log(`    ${detail}`);
}

export function seconds(times) {
  return Object.entries(times)
    .map(([name, list]) => `${name} ${median(list).toFixed(3)} s`)
    .join(', ');
}
