import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { canLab, type Lab, startLab } from './hosts.ts';
import { until } from './waiting.ts';

describe('a lab of SSH hosts', { skip: canLab() }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ hosts: 2 });
  });
  after(() => lab.stop());

  test('runs a command as the user of a host', async () => {
    const { code, stdout } = await lab.ssh(['n2', 'id -un; cat']);
    assert.deepEqual([code, stdout], [0, `${lab.host('n2').user.name}\n`]);
  });

  test('loses one host and gets it back, while the other stays', async () => {
    const host = lab.host('n1');
    const cut = lab.ssh(['n1', 'echo up; exec sleep 100']);
    await until('it runs', () => lab.processes(host).some(({ args }) => args === 'sleep 100'));
    host.kill();
    assert.equal((await cut).code, 255);
    assert.equal((await lab.ssh(['n1', 'true'])).code, 255);
    assert.equal((await lab.ssh(['n2', 'true'])).code, 0);
    assert.deepEqual(
      lab.processes(host).map(({ args }) => args),
      ['sleep 100'],
      'what ran there does not end by itself',
    );
    host.kill('machine');
    assert.deepEqual(lab.processes(host), []);
    await host.start();
    assert.equal((await lab.ssh(['n1', 'true'])).code, 0);
  });

  test('leaves connections alone when only the listener is killed', async () => {
    const host = lab.host('n1');
    const going = lab.ssh(['n1', 'read -r line; echo "$line"; exec sleep 1'], 'still here\n');
    await until('it runs', () => lab.processes(host).some(({ args }) => args === 'sleep 1'));
    host.kill('listener');
    assert.equal((await lab.ssh(['n1', 'true'])).code, 255);
    assert.deepEqual(await going, { code: 0, stdout: 'still here\n', stderr: '' });
    await host.start();
  });

  test('lets a client refuse a host whose key has changed', async () => {
    await lab.host('n2').newHostKey();
    const { code, stderr } = await lab.ssh(['n2', 'true']);
    assert.equal(code, 255);
    assert.match(stderr, /HOST IDENTIFICATION HAS CHANGED/);
  });

  test('sees what a host was left with: files, changed files and processes', async () => {
    const host = lab.host('n1');
    await lab.ssh(['n1', 'echo 1 > kept; mkdir old']);
    const before = lab.traces(host);
    await lab.ssh([
      'n1',
      'echo 22 > kept; : > old/new; : > /tmp/$(id -un).left; setsid sleep 50 > /dev/null 2>&1 < /dev/null &',
    ]);
    await until('its shell has ended', () => lab.processes(host).length === 1);
    const left = lab.traces(host).filter(line => !before.includes(line));
    const { home, name } = host.user;
    const [pid] = lab.processes(host).map(process => process.pid);
    assert.deepEqual(
      left.map(line => line.replace(/ \d+-.*Z$/, '')),
      [
        `file ${home}/kept 3`,
        `file ${home}/old/new 0`,
        `file /tmp/${name}.left 0`,
        `process ${pid} sleep 50`,
      ].sort(),
    );
    lab.kill(host, pid ?? 0);
  });

  test('names its hosts in a grid file', () => {
    const text = lab.grid({ slots: 3, local: 1, hosts: { n1: { tags: ['big'] }, n2: undefined } });
    assert.deepEqual(parse(text), {
      compute: [
        { name: 'here', type: 'local', slots: 1 },
        { name: 'n1', type: 'ssh', hostname: 'n1', slots: 3, tags: ['big'] },
      ],
    });
  });
});
