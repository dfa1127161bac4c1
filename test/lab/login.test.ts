import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { canIpv6 } from './address.ts';
import { canLab, type Lab, startLab } from './hosts.ts';

const noIpv6 = await canIpv6();

describe('logins of a lab', { skip: canLab() }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({
      hashed: true,
      hosts: [
        {},
        { login: 'agent' },
        { login: 'encrypted' },
        { login: 'certificate' },
        { login: 'password' },
        { unknown: true },
      ],
    });
  });
  after(() => lab.stop());

  test('work with a key that only the agent has', async () => {
    assert.equal((await lab.ssh(['-o', 'BatchMode=yes', 'n2', 'true'])).code, 0);
    assert.equal((await lab.ssh(['-o', 'BatchMode=yes', 'n2', 'true'], '', { SSH_AUTH_SOCK: '' })).code, 255);
  });

  test('ask for the passphrase of a key until the agent has it', async () => {
    assert.equal((await lab.ssh(['-o', 'BatchMode=yes', 'n3', 'true'])).code, 255);
    assert.equal((await lab.ssh(['n3', 'true'], '', lab.person.env)).code, 0);
    assert.match(lab.person.asked().at(-1) ?? '', /^Enter passphrase for key/);
    lab.unlock(lab.host('n3'));
    assert.equal((await lab.ssh(['-o', 'BatchMode=yes', 'n3', 'true'])).code, 0);
  });

  test('work with a certificate', async () => {
    assert.equal((await lab.ssh(['-o', 'BatchMode=yes', 'n4', 'true'])).code, 0);
    assert.match(lab.host('n4').log(), /Accepted publickey for .* ID lab/);
  });

  test('ask for a password at each connection', async () => {
    assert.equal((await lab.ssh(['-o', 'BatchMode=yes', 'n5', 'true'])).code, 255);
    const before = lab.person.asked().length;
    for (let i = 0; i < 2; i++) assert.equal((await lab.ssh(['n5', 'true'], '', lab.person.env)).code, 0);
    assert.equal(lab.person.asked().length - before, 2);
  });

  test('need a host that is known, by a name that known_hosts does not show', async () => {
    assert.match((await lab.ssh(['n6', 'true'])).stderr, /No ED25519 host key is known/);
    assert.match(readFileSync(lab.knownHosts, 'utf8'), /^(\|1\|\S+ ssh-ed25519 \S+\n){5}$/);
    assert.equal((await lab.ssh(['n1', 'true'])).code, 0);
  });

  test('work over IPv6', { skip: noIpv6 }, async t => {
    const other = await startLab({ hosts: [{ ipv6: true }, { ipv6: true }] });
    t.after(() => other.stop());
    for (const { name, user } of other.hosts)
      assert.equal((await other.ssh([name, 'id -un'])).stdout, `${user.name}\n`);
  });
});
