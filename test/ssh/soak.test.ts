/**
 * A short soak in the plain suite. The whole one, which takes a quarter of an hour: `LOGOBATCH_SOAK=1 node test/suite.mjs ssh/soak`; with
 * `LOGOBATCH_SEED=N` the dice of an earlier one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { seedOfToday } from '../soak/dice.ts';
import { soakHosts } from '../soak/hosts.ts';
import { told } from '../soak/soak.ts';

const SHORT = { jobs: 300, hosts: 3, slots: 4, hostEvery: 4, processEvery: 1, longest: 0.6 };
const WHOLE = { jobs: 10_000, hosts: 4, slots: 8, hostEvery: 10, processEvery: 2, longest: 2 };

describe('a soak of hosts', { skip: canLab() }, () => {
  test('loses no job, publishes none twice or in part, and leaves nothing', async () => {
    const options = { ...(process.env.LOGOBATCH_SOAK ? WHOLE : SHORT), seed: seedOfToday() };
    const findings = await soakHosts(options);
    const summary = told(options, findings);
    console.log(summary);
    assert.deepEqual(findings.wrong, [], summary);
  });
});
