import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { canLab, type Lab, startLab } from './hosts.ts';
import { canNetns } from './netns.ts';
import { until } from './waiting.ts';

describe('hosts with networks of their own', { skip: canLab() ?? canNetns() }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({
      hosts: [
        { network: 'own' },
        { network: 'own' },
        { network: 'n2', via: { host: 'n2', by: 'ProxyJump' } },
        { network: 'n2', via: { host: 'n2', by: 'ProxyCommand' } },
        { network: 'n2' },
      ],
    });
  });
  after(() => lab.stop());

  test('keep silent while they are cut off, and a connection goes on when that was short', async () => {
    const host = lab.host('n1');
    const going = lab.ssh(['n1', 'echo $$; exec sleep 1']);
    await until('it runs', () => lab.processes(host).some(({ args }) => args === 'sleep 1'));
    host.cut();
    const { code, stderr } = await lab.ssh(['-o', 'ConnectTimeout=1', 'n1', 'true']);
    assert.equal(code, 255);
    assert.match(stderr, /timed out/);
    assert.equal((await lab.ssh(['n2', 'true'])).code, 0);
    host.heal();
    assert.equal((await lab.ssh(['n1', 'true'])).code, 0);
    assert.equal((await going).code, 0);
  });

  test('hide others behind them', async () => {
    assert.equal((await lab.ssh(['-o', 'ConnectTimeout=2', 'n5', 'true'])).code, 255);
    for (const name of ['n3', 'n4']) {
      const { code, stdout, stderr } = await lab.ssh([name, 'id -un']);
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 0, stdout: `${lab.host(name).user.name}\n`, stderr: '' },
      );
    }
  });
});
