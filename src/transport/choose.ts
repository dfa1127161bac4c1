/** What node-ssh cannot do: where one of these is needed, the system's `ssh` carries the connection. */

import type { KnownKeys } from './hostkeys.ts';
import { agentOrder, fileKeys, type Keys } from './keys.ts';
import { proxyOf } from './proxy.ts';
import { expand, isOn, type Resolved, setting } from './resolve.ts';

/**
 * Why node-ssh is of no use for this host, in words for a table: "a user certificate"; undefined where it may be tried.
 * Known to be missing in ssh2 1.17: user and host certificates, FIDO keys, Kerberos, key revocation lists, post-quantum
 * key exchange. GSSAPIAuthentication alone says nothing: Debian turns it on for all hosts.
 */
export function obstacle(resolved: Resolved, keys: Keys, known: KnownKeys): string | undefined {
  return (
    byConfiguration(resolved) ??
    byHostKey(resolved, known) ??
    byAlgorithms(resolved) ??
    byKeys(resolved, keys)
  );
}

function byConfiguration(resolved: Resolved): string | undefined {
  const has = (key: string) => setting(resolved, key) !== undefined;
  const preferred = setting(resolved, 'preferredauthentications');
  if (has('pkcs11provider')) return 'a smart card (PKCS11Provider)';
  const asked = setting(resolved, 'pubkeyauthentication')?.toLowerCase();
  if (asked === 'no' || asked === 'false') return 'no public keys wanted';
  if (preferred !== undefined && !preferred.split(',').includes('publickey'))
    return `only ${preferred} wanted`;
  if (has('bindaddress') || has('bindinterface')) return 'a chosen local address (BindAddress)';
  if (isOn(resolved, 'proxyusefdpass')) return 'ProxyUseFdpass';
  if (proxyOf(resolved) === 'unknown') return 'a ProxyCommand with tokens of its own';
  return undefined;
}

function byHostKey(resolved: Resolved, known: KnownKeys): string | undefined {
  if (setting(resolved, 'revokedhostkeys') !== undefined) return 'a list of revoked host keys';
  if (known.trusted.size > 0) return undefined;
  if (known.authority) return 'a certificate authority for host keys';
  return setting(resolved, 'knownhostscommand') === undefined ? undefined : 'KnownHostsCommand';
}

function byKeys(resolved: Resolved, keys: Keys): string | undefined {
  const named = setting(resolved, 'certificatefile');
  const certified = named !== undefined && expand(named, resolved) !== undefined;
  if (certified || keys.files.some(file => file.certified)) return 'a user certificate';
  if (keys.offered.some(({ type }) => type.includes('-cert-v01@'))) return 'a user certificate in the agent';
  const usable = keys.offered.filter(
    ({ blob, type }) => isPlain(type) && agentOrder(keys, resolved).includes(blob),
  );
  if (usable.length > 0 || fileKeys(keys).length > 0) return undefined;
  const all = [...keys.offered, ...keys.files.flatMap(({ publicKey }) => publicKey ?? [])];
  if (all.some(({ type }) => !isPlain(type))) return 'a hardware key';
  return keys.files.length > 0
    ? 'a key with a passphrase, and no agent that holds it'
    : 'no key, so a password or code';
}

/** Kinds of keys that ssh2 can sign with. */
function isPlain(type: string): boolean {
  return /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/.test(type);
}

/** What the user's configuration allows, of what ssh2 does by itself: a policy counts for node-ssh, too. */
export function allowed(resolved: Resolved, key: string): { remove: readonly RegExp[] } | undefined {
  const names = setting(resolved, key)?.split(',');
  if (names === undefined) return undefined;
  const some = names.map(name => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return { remove: [new RegExp(`^(?!(?:${some})$)`)] };
}

/** Lists of which ssh2 does at least one, in each of its builds. */
const COMMON: Readonly<Record<string, { label: string; does: RegExp }>> = {
  kexalgorithms: {
    label: 'key exchange',
    does: /^(ecdh-sha2-nistp\d+|diffie-hellman-group(1[4-8]-sha\d+|-exchange-sha256))$/,
  },
  ciphers: { label: 'cipher', does: /^aes(128|192|256)-(ctr|gcm@openssh\.com)$/ },
  macs: { label: 'MAC', does: /^hmac-sha(1|2-256|2-512)(-etm@openssh\.com)?$/ },
};

function byAlgorithms(resolved: Resolved): string | undefined {
  for (const [key, { label, does }] of Object.entries(COMMON)) {
    const names = setting(resolved, key)?.split(',');
    if (names && !names.some(name => does.test(name) || name.startsWith('curve25519-sha256')))
      return `an unusual ${label}`;
  }
  return undefined;
}

/** Host key algorithms to ask for: those of the keys we know, so that the host shows one we can compare. */
export function hostKeyAlgorithms(resolved: Resolved, known: KnownKeys): readonly string[] {
  const permitted = setting(resolved, 'hostkeyalgorithms')?.split(',');
  const order = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'ssh-rsa',
  ];
  const types = known.trusted.size > 0 ? order.filter(type => known.trusted.has(type)) : order;
  return types
    .flatMap(type => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]))
    .filter(name => permitted === undefined || permitted.includes(name));
}
