import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allowed, hostKeyAlgorithms, obstacle } from '../../src/transport/choose.ts';
import type { KnownKeys } from '../../src/transport/hostkeys.ts';
import { agentOrder, fileKeys, type KeyFile, type Keys } from '../../src/transport/keys.ts';
import { expand, parseSettings, type Resolved } from '../../src/transport/resolve.ts';
import { failureOf, troubleOf } from '../../src/transport/trouble.ts';

/** What `ssh -G` says for a plain host on Debian 12, shortened. */
const DEBIAN = `
hostname lab1.example.org
user ann
port 22
gssapiauthentication yes
pubkeyauthentication true
identitiesonly no
proxyusefdpass no
stricthostkeychecking ask
ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com
kexalgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,ecdh-sha2-nistp256
macs umac-64-etm@openssh.com,hmac-sha2-256
knownhostscommand none
revokedhostkeys none
pkcs11provider none
sendenv LANG
sendenv LC_*
`;

const host = (lines = ''): Resolved => {
  const added = parseSettings(lines);
  const settings = new Map([...parseSettings(DEBIAN), ...added]);
  return { name: 'lab1', hostname: 'lab1.example.org', user: 'ann', port: 22, settings };
};
const known: KnownKeys = {
  trusted: new Map([['ssh-ed25519', ['AAAA']]]),
  revoked: new Set(),
  authority: false,
  files: [],
};
const file = (blob: string, more: Partial<KeyFile> = {}): KeyFile => ({
  path: `/home/ann/.ssh/${blob}`,
  text: `private ${blob}`,
  publicKey: { type: 'ssh-ed25519', blob },
  certified: false,
  ...more,
});
const keys = (more: Partial<Keys> = {}): Keys => ({
  agent: undefined,
  offered: [],
  files: [file('F')],
  ...more,
});
const held = (...blobs: string[]): Partial<Keys> => ({
  agent: '/agent',
  offered: blobs.map(blob => ({ type: 'ssh-ed25519', blob })),
});

describe('the choice of a client', () => {
  test('is node-ssh for a plain host, Kerberos turned on by Debian or not', () => {
    assert.equal(obstacle(host(), keys(), known), undefined);
    assert.equal(obstacle(host('proxyjump ann@jump:2222'), keys(held('A')), known), undefined);
    assert.equal(obstacle(host('proxycommand nc %h %p'), keys(), known), undefined);
  });

  const REASONS: readonly (readonly [string, Resolved, Keys, KnownKeys, string])[] = [
    ['CertificateFile', host('certificatefile /c'), keys(), known, 'a user certificate'],
    [
      'a certificate beside the key',
      host(),
      keys({ files: [file('F', { certified: true })] }),
      known,
      'a user certificate',
    ],
    [
      'a certificate in the agent',
      host(),
      keys({ agent: '/a', offered: [{ type: 'ssh-ed25519-cert-v01@openssh.com', blob: 'C' }] }),
      known,
      'a user certificate in the agent',
    ],
    [
      'a FIDO key',
      host(),
      keys({
        files: [file('S', { text: undefined, publicKey: { type: 'sk-ssh-ed25519@openssh.com', blob: 'S' } })],
      }),
      known,
      'a hardware key',
    ],
    ['PKCS11Provider', host('pkcs11provider /lib/p11.so'), keys(), known, 'a smart card (PKCS11Provider)'],
    ['no public keys', host('pubkeyauthentication no'), keys(), known, 'no public keys wanted'],
    [
      'a preference',
      host('preferredauthentications gssapi-with-mic'),
      keys(),
      known,
      'only gssapi-with-mic wanted',
    ],
    ['no key at all', host(), keys({ files: [] }), known, 'no key, so a password or code'],
    [
      'a locked key',
      host(),
      keys({ files: [file('F', { text: undefined })] }),
      known,
      'a key with a passphrase, and no agent that holds it',
    ],
    ['BindAddress', host('bindaddress 10.0.0.1'), keys(), known, 'a chosen local address (BindAddress)'],
    ['ProxyUseFdpass', host('proxycommand x\nproxyusefdpass yes'), keys(), known, 'ProxyUseFdpass'],
    [
      'a token that is not known here',
      host('proxycommand nc %Q'),
      keys(),
      known,
      'a ProxyCommand with tokens of its own',
    ],
    ['RevokedHostKeys', host('revokedhostkeys /etc/krl'), keys(), known, 'a list of revoked host keys'],
    [
      'a host certificate',
      host(),
      keys(),
      { ...known, trusted: new Map(), authority: true },
      'a certificate authority for host keys',
    ],
    [
      'KnownHostsCommand',
      host('knownhostscommand /bin/k'),
      keys(),
      { ...known, trusted: new Map() },
      'KnownHostsCommand',
    ],
    ['kex', host('kexalgorithms mlkem768x25519-sha256'), keys(), known, 'an unusual key exchange'],
    ['ciphers', host('ciphers chacha20-poly1305@openssh.com'), keys(), known, 'an unusual cipher'],
    ['macs', host('macs umac-128-etm@openssh.com'), keys(), known, 'an unusual MAC'],
  ];
  for (const [what, resolved, mine, theirs, reason] of REASONS)
    test(`is ssh because of ${what}`, () => assert.equal(obstacle(resolved, mine, theirs), reason));

  test('finds a key that is locked in its file but open in the agent', () => {
    const mine = keys({ ...held('F'), files: [file('F', { text: undefined })] });
    assert.equal(obstacle(host(), mine, known), undefined);
  });

  test('finds no key in an agent whose keys are not to be used', () => {
    const mine = keys({ ...held('A'), files: [file('F', { text: undefined })] });
    const reason = 'a key with a passphrase, and no agent that holds it';
    assert.equal(obstacle(host('identitiesonly yes'), mine, known), reason);
  });
});

describe('keys to offer', () => {
  test('are first those of the agent that the configuration names, then its others, then files', () => {
    const mine = keys({ ...held('A', 'B', 'C'), files: [file('C'), file('D'), file('B')] });
    assert.deepEqual(agentOrder(mine, host()), ['C', 'B', 'A']);
    assert.deepEqual(agentOrder(mine, host('identitiesonly yes')), ['C', 'B']);
    assert.deepEqual(fileKeys(mine), ['private D']);
  });
});

describe('host key algorithms', () => {
  test('are those of the keys that are known, so that the host shows one of them', () => {
    const rsa = { ...known, trusted: new Map([['ssh-rsa', ['AAAA']]]) };
    assert.deepEqual(hostKeyAlgorithms(host(), known), ['ssh-ed25519']);
    assert.deepEqual(hostKeyAlgorithms(host(), rsa), ['rsa-sha2-512', 'rsa-sha2-256']);
    assert.deepEqual(hostKeyAlgorithms(host('hostkeyalgorithms rsa-sha2-256'), rsa), ['rsa-sha2-256']);
  });

  test('and others keep to what the configuration allows', () => {
    const [pattern] = allowed(host(), 'ciphers')?.remove ?? [];
    assert.deepEqual(
      ['aes128-ctr', 'aes128-cbc', 'aes256-gcm@openssh.com'].filter(name => !pattern?.test(name)),
      ['aes128-ctr', 'aes256-gcm@openssh.com'],
    );
  });
});

describe('the configuration', () => {
  test('fills in the tokens of ssh_config, and says when it does not know one', () => {
    assert.equal(expand('/k/%r@%h:%p-%n%%', host()), '/k/ann@lab1.example.org:22-lab1%');
    assert.equal(expand('/k/%Z', host()), undefined);
    assert.equal(expand('${LB_NOT_SET}/k', host()), undefined);
    assert.match(expand('~/.ssh/id', host()) ?? '', /^\/.*\/\.ssh\/id$/);
    assert.equal(expand('/a~b', host()), '/a~b');
  });
});

describe('what clients say when they fail', () => {
  const SAID: readonly (readonly [string, string, boolean?])[] = [
    ['ann@lab1: Permission denied (publickey).', 'auth'],
    ['All configured authentication methods failed', 'auth'],
    ['Received disconnect from 1.2.3.4: Too many authentication failures', 'auth'],
    ['ssh: connect to host lab1 port 22: Connection refused', 'unreachable'],
    ['connect ECONNREFUSED 127.0.0.1:22', 'unreachable'],
    ['getaddrinfo ENOTFOUND lab1', 'unreachable'],
    ['ssh: Could not resolve hostname lab1: Name or service not known', 'unreachable'],
    ['Timed out while waiting for handshake', 'unreachable'],
    ['connect to host lab1 port 22: No route to host', 'unreachable'],
    ['kex_exchange_identification: Connection closed by remote host', 'unreachable', true],
    ['kex_exchange_identification: read: Connection reset by peer', 'unreachable', true],
    ['Connection lost before handshake', 'unreachable', true],
    ['read ECONNRESET', 'unreachable', true],
    ['Host key verification failed.', 'host-key'],
    ['Handshake failed: no matching key exchange algorithm', 'other'],
    ['Bad configuration option: foo', 'other'],
    ['', 'other'],
  ];
  for (const [said, kind, busy = false] of SAID)
    test(`"${said}" is ${kind}${busy ? ', to be tried again' : ''}`, () => {
      const trouble = troubleOf(said);
      assert.deepEqual([trouble.kind, trouble.busy ?? false], [kind, busy]);
    });

  test('is told with the host, what was tried and what to do next', () => {
    const lab1 = { hostname: 'lab1', port: 2201, username: 'ann' };
    const texts = SAID.map(([said]) => failureOf(lab1, troubleOf(said), ['node-ssh', 'ssh']));
    for (const { message, hint } of texts) {
      assert.match(message, /^lab1: /);
      assert.match(hint, /"ssh -p 2201 -l ann lab1( -v)?( true)?"/);
    }
    assert.deepEqual(texts[0], {
      message:
        'lab1: the login was refused: ann@lab1: Permission denied (publickey). (tried node-ssh, then ssh)',
      hint: 'make "ssh -p 2201 -l ann lab1 true" work without a question: a key in ~/.ssh or in an agent (ssh-add)',
    });
  });
});
