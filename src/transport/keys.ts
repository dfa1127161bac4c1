/** With what the user could log in: keys in the agent and in files, each looked at before anything is tried. */
import { existsSync, readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { keyType } from './hostkeys.ts';
import { ask } from './program.ts';
import { expand, isOn, type Resolved } from './resolve.ts';

/** What there is to log in with; `files` in the order of the configuration. */
export interface Keys {
  /** The agent's socket, where an agent answers. */
  readonly agent: string | undefined;
  readonly offered: readonly PublicKey[];
  readonly files: readonly KeyFile[];
}

export interface PublicKey {
  readonly type: string;
  /** As on the wire, base64. */
  readonly blob: string;
}

/** A file that `IdentityFile` names and that exists. */
export interface KeyFile {
  readonly path: string;
  /** Where the private key could be read without a passphrase: its text. */
  readonly text: string | undefined;
  readonly publicKey: PublicKey | undefined;
  /** A certificate lies beside it, as `ssh` looks for it. */
  readonly certified: boolean;
}

/** Reads the key files and asks the agent. */
export async function userKeys(resolved: Resolved, seconds: number, signal?: AbortSignal): Promise<Keys> {
  const files = (resolved.settings.get('identityfile') ?? []).flatMap(named => {
    const path = expand(named, resolved);
    return path === undefined ? [] : (readKeyFile(path) ?? []);
  });
  const agent = agentSocket(resolved);
  if (agent === undefined) return { agent, offered: [], files };
  const { code, stdout } = await ask('ssh-add', ['-L'], {
    seconds,
    signal,
    env: { ...process.env, SSH_AUTH_SOCK: agent },
  });
  // 1: the agent answers, but holds nothing.
  if (code !== 0) return { agent: code === 1 ? agent : undefined, offered: [], files };
  return { agent, offered: stdout.split('\n').flatMap(line => parsePublic(line) ?? []), files };
}

/** Keys to offer, as `ssh` orders them: the agent's that are named by files, then the agent's others (unless IdentitiesOnly). */
export function agentOrder(keys: Keys, resolved: Resolved): readonly string[] {
  const offered = keys.offered.map(({ blob }) => blob);
  const named = keys.files.flatMap(({ publicKey }) => publicKey?.blob ?? []);
  const first = named.filter(blob => offered.includes(blob));
  const others = isOn(resolved, 'identitiesonly') ? [] : offered.filter(blob => !named.includes(blob));
  return [...new Set([...first, ...others])];
}

/** Private keys in files that the agent does not hold: their texts. */
export function fileKeys(keys: Keys): readonly string[] {
  const held = new Set(keys.offered.map(({ blob }) => blob));
  return keys.files
    .filter(({ publicKey }) => publicKey !== undefined && !held.has(publicKey.blob))
    .flatMap(({ text }) => text ?? []);
}

function agentSocket(resolved: Resolved): string | undefined {
  const named = resolved.settings.get('identityagent')?.[0];
  if (named === undefined || named === 'SSH_AUTH_SOCK') return process.env.SSH_AUTH_SOCK || undefined;
  if (named === 'none') return undefined;
  if (named.startsWith('$') && !named.startsWith('${')) return process.env[named.slice(1)] || undefined;
  return expand(named, resolved);
}

/** Undefined where there is no such file at all: `ssh -G` also names all its defaults. */
function readKeyFile(path: string): KeyFile | undefined {
  const certified = existsSync(`${path}-cert.pub`);
  const text = read(path);
  const beside = parsePublic(read(`${path}.pub`) ?? '');
  if (text === undefined) return beside && { path, text, publicKey: beside, certified };
  // An `IdentityFile` may also be a public key, to choose one of the agent's.
  const named = parsePublic(text);
  if (named) return { path, text: undefined, publicKey: named, certified };
  const parsed = ssh2.utils.parseKey(text);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error || !key.isPrivateKey())
    return { path, text: undefined, publicKey: beside, certified };
  const blob = key.getPublicSSH();
  return {
    path,
    text,
    publicKey: { type: keyType(blob), blob: blob.toString('base64') },
    certified,
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** One line of a `.pub` file or of `ssh-add -L`. */
function parsePublic(line: string): PublicKey | undefined {
  const match = /^((?:ssh|ecdsa|sk)-[\w@.-]+) ([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line);
  return match?.[1] !== undefined && match[2] !== undefined ? { type: match[1], blob: match[2] } : undefined;
}
