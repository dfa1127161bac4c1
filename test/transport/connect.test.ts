import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from '../../src/transport/connect.ts';
import { canIpv6 } from '../lab/address.ts';
import { system } from '../lab/command.ts';
import { canLab, type Lab, startLab } from '../lab/hosts.ts';
import { controlFolder, reach, tryReach } from './reach.ts';

const noIpv6 = await canIpv6();

describe('a connection', { skip: canLab() }, () => {
  let lab: Lab;
  let folder: string;
  const saved = { ...process.env };

  before(async () => {
    folder = controlFolder();
    lab = await startLab({
      hashed: true,
      hosts: [
        {},
        { login: 'agent' },
        { login: 'certificate' },
        { login: 'encrypted' },
        { login: 'password' },
        { via: { host: 'n1', by: 'ProxyJump' } },
        { via: { host: 'n1', by: 'ProxyCommand' } },
        { unknown: true, client: ['StrictHostKeyChecking no'] },
        {},
        { sshd: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] },
        { sshd: ['MaxStartups 1:100:1'] },
        { via: { host: 'n8', by: 'ProxyJump' } },
        { client: ['ProxyJump n1,n2'] },
        ...(noIpv6 === undefined ? [{ ipv6: true }] : []),
      ],
    });
    Object.assign(process.env, lab.env);
  });
  after(() => {
    for (const name of ['PATH', 'SSH_AUTH_SOCK', 'SSH_ASKPASS', 'SSH_ASKPASS_REQUIRE']) {
      if (saved[name] === undefined) delete process.env[name];
      else process.env[name] = saved[name];
    }
    lab.stop();
    rmSync(folder, { recursive: true });
  });

  const user = (name: string) => `${lab.host(name).user.name}\n`;

  const WAYS: readonly (readonly [string, string, 'node-ssh' | 'openssh', RegExp?])[] = [
    ['a key in a file, another port and a hashed known_hosts', 'n1', 'node-ssh'],
    ['a key that only the agent has', 'n2', 'node-ssh'],
    ['a user certificate', 'n3', 'openssh', /^a user certificate$/],
    ['a jump host', 'n6', 'node-ssh'],
    ['two jump hosts', 'n13', 'node-ssh'],
    ['a proxy command', 'n7', 'node-ssh'],
    ['key exchanges that node-ssh lacks', 'n10', 'openssh', /^node-ssh failed: .*key exchange/],
  ];
  for (const [what, name, kind, because] of WAYS)
    for (const wish of ['auto', 'openssh'] as const)
      test(`by ${wish} copes with ${what}`, async () => {
        const node = await reach(folder, name, wish);
        assert.equal((await node.exec('id -un')).stdout, user(name));
        assert.equal(node.kind, wish === 'openssh' ? 'openssh' : kind);
        if (wish === 'auto' && because) assert.match(node.because ?? '', because);
        await node.close();
      });

  test('reaches an IPv6 address', { skip: noIpv6 }, async () => {
    for (const wish of ['node-ssh', 'openssh'] as const) {
      const node = await reach(folder, 'n14', wish);
      assert.equal((await node.exec('id -un')).stdout, user('n14'));
      await node.close();
    }
  });

  test('with a locked key asks the user, and nobody when there is no user to ask', async () => {
    const refused = await tryReach(folder, 'n4', 'auto');
    assert.ok(!refused.ok);
    assert.equal(refused.kind, 'auth');
    Object.assign(process.env, lab.person.env);
    const node = await reach(folder, 'n4', 'auto', { interactive: true });
    assert.equal(node.because, 'a key with a passphrase, and no agent that holds it');
    assert.equal((await node.exec('id -un')).stdout, user('n4'));
    assert.equal((await node.exec('id -un')).stdout, user('n4'));
    await node.close();
    assert.equal(lab.person.asked().length, 1, 'once, however many commands');
    lab.unlock(lab.host('n4'));
    const unlocked = await reach(folder, 'n4', 'auto');
    assert.equal(unlocked.kind, 'node-ssh');
    await unlocked.close();
  });

  test('where a key is not enough asks for the password once', async () => {
    const before = lab.person.asked().length;
    const refused = await tryReach(folder, 'n5', 'auto');
    assert.ok(!refused.ok);
    assert.equal(refused.kind, 'auth');
    assert.equal(lab.person.asked().length, before);
    Object.assign(process.env, lab.person.env);
    const node = await reach(folder, 'n5', 'auto', { interactive: true });
    assert.equal(node.kind, 'openssh');
    assert.equal((await node.exec('id -un')).stdout, user('n5'));
    assert.equal(lab.person.asked().length, before + 1);
    await node.close();
  });

  for (const wish of ['auto', 'openssh', 'node-ssh'] as const) {
    test(`by ${wish} is refused to a host whose key is not known, whatever StrictHostKeyChecking says`, async () => {
      const known = readFileSync(lab.knownHosts, 'utf8');
      const outcome = await tryReach(folder, 'n8', wish);
      assert.ok(!outcome.ok);
      assert.equal(outcome.kind, 'host-key');
      const shown = fingerprintOf(lab, 'n8');
      assert.equal(
        outcome.failure.message,
        `n8: refused, since its host key (ssh-ed25519 ${shown}) is not known here`,
      );
      assert.match(outcome.failure.hint, /^run "ssh n8" once, compare the fingerprint/);
      assert.equal(readFileSync(lab.knownHosts, 'utf8'), known);
    });
  }

  test('to a host that is not there says so at once', async () => {
    lab.host('n9').kill('listener');
    for (const wish of ['auto', 'openssh'] as const) {
      const outcome = await tryReach(folder, 'n9', wish);
      assert.ok(!outcome.ok);
      assert.equal(outcome.kind, 'unreachable');
      assert.match(outcome.failure.message, /^n9: not reachable: .*refused/i);
    }
    const nowhere = await tryReach(folder, 'no-such-host.invalid', 'auto');
    assert.ok(!nowhere.ok);
    assert.equal(nowhere.kind, 'unreachable');
    await lab.host('n9').start();
  });

  test('names the host on the way whose key is not known', async () => {
    const { address, port } = lab.host('n8');
    for (const wish of ['auto', 'openssh'] as const) {
      const outcome = await tryReach(folder, 'n12', wish);
      assert.ok(!outcome.ok);
      assert.equal(
        outcome.failure.message,
        `n12: refused, since the host key of [${address}]:${port}, on the way there, (ssh-ed25519 ${fingerprintOf(lab, 'n8')}) is not known here`,
      );
    }
  });

  test('to a host that is not there, behind one that is, says so at once', async () => {
    lab.host('n6').kill('listener');
    for (const wish of ['auto', 'openssh'] as const) {
      const begin = performance.now();
      const outcome = await tryReach(folder, 'n6', wish);
      assert.ok(!outcome.ok);
      assert.equal(outcome.kind, 'unreachable');
      assert.match(outcome.failure.message, /^n6: not reachable: .*refused/i);
      assert.ok(performance.now() - begin < 5000);
    }
    await lab.host('n6').start();
  });

  test('to a host that says nothing is given up in time', async () => {
    const host = lab.host('n9');
    host.freeze();
    try {
      for (const wish of ['auto', 'openssh'] as const) {
        const begin = performance.now();
        const outcome = await tryReach(folder, 'n9', wish, { seconds: 2 });
        assert.ok(!outcome.ok);
        assert.equal(outcome.kind, 'unreachable');
        assert.ok(performance.now() - begin < 4000, 'seconds bound it');
      }
    } finally {
      host.thaw();
    }
  });

  test('can be called off', async () => {
    const host = lab.host('n9');
    host.freeze();
    try {
      const outcomes = (['auto', 'openssh'] as const).map(wish =>
        tryReach(folder, 'n9', wish, { abort: AbortSignal.timeout(500) }),
      );
      for (const outcome of await Promise.all(outcomes)) {
        assert.ok(!outcome.ok);
        assert.match(outcome.failure.message, /^n9: no connection: called off/);
      }
    } finally {
      host.thaw();
    }
  });

  test('to a host that falls silent is lost within 20 seconds', async () => {
    const host = lab.host('n9');
    const nodes = await Promise.all(
      (['node-ssh', 'openssh'] as const).map(wish => reach(folder, 'n9', wish)),
    );
    const begin = performance.now();
    host.freeze();
    try {
      const pending = nodes.map(node => node.exec('true', { seconds: 40 }));
      for (const reason of await Promise.all(nodes.map(node => node.lost)))
        assert.match(reason, /n9 was lost/);
      for (const { code } of await Promise.all(pending)) assert.equal(code, null);
      assert.ok(performance.now() - begin < 22_000);
    } finally {
      host.thaw();
      for (const node of nodes) await node.close();
    }
  });

  test('is refused when the host has another key than before', async () => {
    await lab.host('n9').newHostKey();
    for (const wish of ['auto', 'openssh', 'node-ssh'] as const) {
      const outcome = await tryReach(folder, 'n9', wish);
      assert.ok(!outcome.ok);
      assert.equal(outcome.kind, 'host-key');
      assert.match(
        outcome.failure.message,
        /^n9: refused, since its host key \(.*\) is another one than before$/,
      );
    }
  });

  test('is refused when its key was revoked', async () => {
    const key = readFileSync(join(lab.folder, '..', 'n8', 'host_key.pub'), 'utf8').trim();
    const { address, port } = lab.host('n8');
    appendFileSync(lab.knownHosts, `@revoked [${address}]:${port} ${key}\n[${address}]:${port} ${key}\n`);
    for (const wish of ['auto', 'openssh', 'node-ssh'] as const) {
      const outcome = await tryReach(folder, 'n8', wish);
      assert.ok(!outcome.ok);
      assert.equal(outcome.kind, 'host-key');
      assert.match(outcome.failure.message, /was revoked$/);
    }
  });

  test('waits its turn at a host that takes few new connections at once', async () => {
    for (const wish of ['node-ssh', 'openssh'] as const) {
      const nodes = await Promise.all(Array.from({ length: 3 }, () => reach(folder, 'n11', wish)));
      await Promise.all(nodes.map(node => node.close()));
    }
  });

  test('is made with port and user of the grid file, by an address', async () => {
    const { address, port, user: account } = lab.host('n1');
    for (const wish of ['auto', 'openssh'] as const) {
      const control = join(folder, `by-address-${wish}`);
      appendFileSync(
        lab.config,
        `Host ${address}\n  IdentityFile ${lab.key}\n  UserKnownHostsFile ${lab.knownHosts}\n`,
      );
      const host = { hostname: address, port, username: account.name };
      const outcome = await connect(host, wish, { control, seconds: 10, interactive: false });
      assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.message);
      assert.equal((await outcome.transport.exec('id -un')).stdout, user('n1'));
      await outcome.transport.close();
    }
  });

  test('never runs what a host is called', async () => {
    const trap = join(folder, 'trap');
    for (const hostname of [`-oProxyCommand=touch ${trap}`, `x;touch ${trap}`, `$(touch ${trap})`])
      for (const wish of ['auto', 'openssh'] as const) {
        const outcome = await tryReach(folder, hostname, wish);
        assert.ok(!outcome.ok);
      }
    assert.throws(() => readFileSync(trap), /ENOENT/);
  });

  test('takes the place of a master that died and left its socket', async () => {
    const control = join(folder, 'stale');
    const first = await reach(folder, 'n1', 'openssh', { control });
    const check = system('sh', ['-c', `ssh -S ${control} -O check n1 2>&1`]);
    process.kill(Number(/pid=(\d+)/.exec(check)?.[1]), 'SIGKILL');
    assert.match(await first.lost, /n1 was lost/);
    const second = await reach(folder, 'n1', 'openssh', { control });
    assert.equal((await second.exec('id -un')).stdout, user('n1'));
    await second.close();
  });
});

function fingerprintOf(lab: Lab, name: string): string {
  const path = join(lab.folder, '..', name, 'host_key.pub');
  return system('ssh-keygen', ['-l', '-f', path]).split(' ')[1] ?? '';
}
