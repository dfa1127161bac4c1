/**
 * A short soak in the plain suite. The whole one, which takes hours: `LOGOBATCH_SOAK=1 node test/suite.mjs ssh/soak`; with `LOGOBATCH_SEED=N` the
 * dice of an earlier one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { type SoakOptions, soak } from './soak.ts';

const SHORT = { jobs: 300, hosts: 3, slots: 4, hostEvery: 4, processEvery: 1, longest: 0.6 };
const WHOLE = { jobs: 10_000, hosts: 4, slots: 8, hostEvery: 10, processEvery: 2, longest: 2 };

describe('a soak', { skip: canLab() }, () => {
  test('loses no job, publishes none twice or in part, and leaves nothing', async () => {
    const seed = Number(process.env.LOGOBATCH_SEED ?? Date.now() % 1e9);
    const options: SoakOptions = { ...(process.env.LOGOBATCH_SOAK ? WHOLE : SHORT), seed };
    const { kills, makes, seconds, wrong } = await soak(options);
    const killed = Object.entries(kills).map(([what, count]) => `${count} ${what}`);
    const summary = `soak: ${options.jobs} jobs in ${makes} makes and ${seconds} s; killed: ${killed.join(', ')}; LOGOBATCH_SEED=${seed}`;
    console.log(summary);
    assert.deepEqual(wrong, [], summary);
  });
});
