/**
 * A short soak in the plain suite. A longer one: `LOGOBATCH_SOAK=1 node test/suite.mjs cluster/soak`; with `LOGOBATCH_SEED=N` the dice of an
 * earlier one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canSge } from '../lab/sge.ts';
import { canSlurm } from '../lab/slurm.ts';
import { soakClusters } from '../soak/clusters.ts';
import { seedOfToday } from '../soak/dice.ts';
import { told } from '../soak/soak.ts';

const SHORT = { jobs: 60, longest: 1, processEvery: 2, taskEvery: 6, lossEvery: 6 };
const LONG = { ...SHORT, jobs: 1000 };

describe('a soak of clusters', { skip: canSge() ?? canSlurm() }, () => {
  test('loses no job, publishes none twice or in part, and leaves nothing', async () => {
    const options = { ...(process.env.LOGOBATCH_SOAK ? LONG : SHORT), seed: seedOfToday() };
    const findings = await soakClusters(options);
    const summary = told(options, findings);
    console.log(summary);
    assert.deepEqual(findings.wrong, [], summary);
  });
});
