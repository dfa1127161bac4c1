/** Is this the host we know? node-ssh accepts every key, so each is looked up here, as `ssh` does. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { ask } from './program.ts';
import { expand, type Resolved, setting } from './resolve.ts';

/** What the known_hosts files say about one host. */
export interface KnownKeys {
  /** Public keys, base64, by type: `ssh-ed25519` … */
  readonly trusted: ReadonlyMap<string, readonly string[]>;
  /** Keys that must never be accepted, base64. */
  readonly revoked: ReadonlySet<string>;
  /** A certificate authority vouches for it: only the system's ssh can check that. */
  readonly authority: boolean;
  /** The files that were looked into. */
  readonly files: readonly string[];
}

export type Verdict = 'trusted' | 'unknown' | 'changed' | 'revoked';

/** Looks the host up in the user's and the system's files; hashed names, patterns and ports are `ssh-keygen`'s business. */
export async function knownKeys(
  resolved: Resolved,
  seconds: number,
  signal?: AbortSignal,
): Promise<KnownKeys> {
  const files = ['userknownhostsfile', 'globalknownhostsfile']
    .flatMap(key => setting(resolved, key)?.split(' ') ?? [])
    .flatMap(file => expand(file, resolved) ?? [])
    .filter(file => file !== '/dev/null' && existsSync(file));
  const found = await Promise.all(
    files.map(file => ask('ssh-keygen', ['-F', lookupName(resolved), '-f', file], { seconds, signal })),
  );
  return { ...parseKnown(found.map(({ stdout }) => stdout).join('\n')), files };
}

/** Lines as `ssh-keygen -F` prints them: `[@marker] names type base64 [comment]`. */
export function parseKnown(text: string): Omit<KnownKeys, 'files'> {
  const trusted = new Map<string, string[]>();
  const revoked = new Set<string>();
  let authority = false;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [, type, key] = words;
    if (type === undefined || key === undefined) continue;
    if (marker === '@revoked') revoked.add(key);
    else if (marker === '@cert-authority') authority = true;
    else if (marker === undefined) trusted.set(type, [...(trusted.get(type) ?? []), key]);
  }
  return { trusted, revoked, authority };
}

/** Judges the key that a host shows; `key` as it comes over the wire. Whatever is not `trusted` is refused. */
export function judge(known: KnownKeys, key: Buffer): Verdict {
  const text = key.toString('base64');
  if (known.revoked.has(text)) return 'revoked';
  const same = known.trusted.get(keyType(key));
  if (same?.includes(text)) return 'trusted';
  return same === undefined ? 'unknown' : 'changed';
}

/** The kind of a public key: `ssh-ed25519`, `ssh-rsa` … */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.subarray(4, 4 + Math.min(length, 100)).toString('latin1');
}

/** As `ssh` prints it when it asks. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The name under which the files know a host: its alias, or host and port. */
export function lookupName(resolved: Resolved): string {
  const alias = setting(resolved, 'hostkeyalias');
  if (alias !== undefined) return alias;
  return resolved.port === 22 ? resolved.hostname : `[${resolved.hostname}]:${resolved.port}`;
}
