/** What the user's own configuration says about a host, in the words of `ssh -G`: the real rules, whatever they are. */
import { homedir, hostname as localName, userInfo } from 'node:os';
import type { Failure } from '../failure.ts';
import type { Host } from '../grid/model.ts';
import { ask } from './program.ts';
import { sshOptions } from './transport.ts';

/** A host with everything that `ssh` would do to reach it. */
export interface Resolved {
  /** As the user calls it. */
  readonly name: string;
  /** Where the connection goes, lower case as `ssh` looks it up. */
  readonly hostname: string;
  readonly user: string;
  readonly port: number;
  /** Keys in lower case, values in the order in which they were given. */
  readonly settings: ReadonlyMap<string, readonly string[]>;
}

/** Asks `ssh -G`; a `Match exec` of the user's may run programs, as at any `ssh`. */
export async function resolveHost(
  host: Host,
  seconds: number,
  signal?: AbortSignal,
): Promise<{ ok: true; resolved: Resolved } | { ok: false; failure: Failure }> {
  const name = host.hostname;
  const { code, stdout, stderr } = await ask('ssh', ['-G', ...sshOptions(host), '--', name], {
    seconds,
    signal,
  });
  if (code !== 0) return { ok: false, failure: unreadable(name, stderr) };
  const settings = parseSettings(stdout);
  const first = (key: string) => settings.get(key)?.[0] ?? '';
  const hostname = (first('hostname') || name).toLowerCase();
  const port = Number(first('port') || '22');
  return { ok: true, resolved: { name, hostname, user: first('user'), port, settings } };
}

/** `key value` lines; a key may come several times. */
export function parseSettings(text: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const blank = line.indexOf(' ');
    if (blank < 1) continue;
    const key = line.slice(0, blank).toLowerCase();
    settings.set(key, [...(settings.get(key) ?? []), line.slice(blank + 1).trim()]);
  }
  return settings;
}

/** The first value of a setting; undefined where there is none, or it says `none`. */
export function setting({ settings }: Resolved, key: string): string | undefined {
  const value = settings.get(key)?.[0];
  return value === undefined || value === '' || value.toLowerCase() === 'none' ? undefined : value;
}

/** Whether a yes-or-no setting says yes; versions of `ssh -G` differ in the word. */
export function isOn(resolved: Resolved, key: string): boolean {
  return ['yes', 'true'].includes(setting(resolved, key)?.toLowerCase() ?? '');
}

/** Fills in `~`, `%h` and `${NAME}` as ssh_config(5) says; undefined where a token is not known here. */
export function expand(text: string, resolved: Resolved): string | undefined {
  const { home, user, uid } = me();
  const jump = setting(resolved, 'proxyjump') ?? '';
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: home,
    h: resolved.hostname,
    i: uid,
    j: jump,
    k: setting(resolved, 'hostkeyalias') ?? resolved.name,
    L: localName().split('.')[0] ?? '',
    l: localName(),
    n: resolved.name,
    p: String(resolved.port),
    r: resolved.user,
    u: user,
  };
  let known = true;
  const filled = text.replace(/^~(?=\/|$)|%(.)|\$\{(\w+)\}/gs, (all, token?: string, name?: string) => {
    const value = all === '~' ? home : token === undefined ? process.env[name ?? ''] : tokens[token];
    known &&= value !== undefined;
    return value ?? '';
  });
  return known ? filled : undefined;
}

/** As the user database has it: `ssh` does not look at $HOME. */
function me(): { home: string; user: string; uid: string } {
  try {
    const { homedir: home, username: user, uid } = userInfo();
    return { home, user, uid: String(uid) };
  } catch {
    return { home: homedir(), user: process.env.USER ?? '', uid: String(process.getuid?.() ?? '') };
  }
}

function unreadable(name: string, stderr: string): Failure {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (/not found on PATH/.test(said)) {
    const hint = 'install the OpenSSH client, or run on this machine alone: make GRID=local';
    return { message: `${name}: there is no ssh on PATH`, hint };
  }
  return {
    message: `${name}: ssh cannot read its configuration for this host${said === '' ? '' : `: ${said}`}`,
    hint: `mend what it names (often in ~/.ssh/config), then try: ssh ${name} true`,
  };
}
