/** Hosts that are not who we know: refused, with nothing sent to them, in words that say what to do. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { processesOf } from '../lab/processes.ts';
import { until } from '../run/witness.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

const FILES = {
  'src/x': '',
  'batch_info/b.yml': `batches:
  - name: a
    inputs: {matrix: {i: {from: 1, to: 8}}}
    command: "[ -e data/raw/quick ] || sleep 1.5"
`,
  'data/raw/quick': '',
};
/** What sshd says as soon as somebody tries to prove who they are. */
const AUTHENTICATION = /Accepted|Failed|Postponed|publickey|userauth|Starting session/;

describe('a host', { skip: canLab() }, () => {
  let pool: Pool;
  before(async () => {
    pool = await startPool({
      hosts: [{ unknown: true }, {}, {}],
      files: FILES,
      grid: { slots: 1 },
    });
    await pool.host('n2').newHostKey();
  });
  after(() => pool.stop());

  for (const transport of ['auto', 'openssh', 'node-ssh'] as const) {
    test(`that is unknown, or has another key than we know, gets nothing by ${transport}`, async () => {
      pool.setGrid({ slots: 1, all: { transport } });
      const check = watchTraces(pool.lab);
      const { code, out } = await pool.make(['-B']);
      assert.equal(code, 0, out);
      assert.deepEqual(Object.keys(pool.shares()), ['n3']);
      for (const [name, says] of [
        ['n1', /^left out {2}n1: .*host key.*not known|^left out {2}n1: .*unknown/i],
        ['n2', /^left out {2}n2: .*host key.*changed|^left out {2}n2: .*another/i],
      ] as const) {
        const lines = out
          .split('\n')
          .filter(line => line.startsWith('left out ') && line.includes(`${name}:`));
        assert.equal(lines.length, 1, out);
        assert.match(lines[0] ?? '', says);
        assert.match(pool.host(name).log(), /Connection from/);
        assert.doesNotMatch(pool.host(name).log(), AUTHENTICATION);
      }
      check();
    });
  }

  test('that changes its key while jobs run gets no more, and the others do its jobs', async () => {
    pool.setGrid({ slots: 1, hosts: { n1: undefined } });
    const host = pool.host('n2');
    pool.lab.know(host.address, host.port, host.sshd.hostKey());
    pool.image.write({ 'data/raw/quick': undefined });
    const running = pool.start(['-B']);
    await until('both hosts have a job', () =>
      ['n2', 'n3'].every(name =>
        processesOf(pool.host(name).user.uid).some(({ args }) => args === 'sleep 1.5'),
      ),
    );
    host.kill();
    await host.newHostKey();
    const seen = host.log().length;
    await host.start();
    const { code, out } = await running.ended;
    assert.equal(pool.image.done().length, 8, out);
    assert.equal(code, 2, out);
    assert.match(out, /^left {4}n2:\/tmp\/lb\.\w+: .*; later: make down$/m);
    assert.doesNotMatch(host.log().slice(seen), AUTHENTICATION);
    // Once somebody has looked at the new key, what is left there can go.
    pool.lab.know(host.address, host.port, host.sshd.hostKey());
    const down = await pool.make(['down']);
    assert.equal(down.code, 0, down.out);
    assert.deepEqual(pool.lab.traces(host), []);
  });

  test('whose name would be an option, or code, is no host', async () => {
    const pwned = join(pool.image.home, 'pwned');
    for (const hostname of [
      `-oProxyCommand=touch ${pwned}`,
      `n3;touch ${pwned}`,
      `$(touch ${pwned})`,
      'a b',
    ]) {
      const file = join(pool.image.home, 'grid.yml');
      writeFileSync(
        file,
        `compute:\n  - name: n3\n    type: ssh\n    hostname: ${JSON.stringify(hostname)}\n`,
      );
      const { code, out } = await pool.make(['-B', `GRID=${file}`]);
      assert.equal(code, 2, out);
      assert.match(out, /grid\.yml:4:\d+: error: .*\[[a-z-]+\]/);
      assert.equal(existsSync(pwned), false);
    }
  });
});
