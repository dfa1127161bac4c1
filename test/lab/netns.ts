/**
 * A network of its own for a host: a namespace and a pair of linked interfaces, one end here. When it is cut, packets
 * vanish both ways and nobody is told, as when a cable is pulled somewhere on the way.
 */
import { existsSync } from 'node:fs';
import { hasProgram, system } from './command.ts';

export interface Network {
  readonly name: string;
  /** The host's, as seen from here. */
  readonly address: string;
  /** Words that make a command run inside. */
  readonly prefix: readonly string[];
  readonly cut: () => void;
  readonly heal: () => void;
}

const ip = (...words: readonly string[]) => system('ip', words);

let reason: { readonly why: string | undefined } | undefined;

/** Why hosts cannot have networks of their own here; undefined where they can. Found out by making one. */
export function canNetns(): string | undefined {
  reason ??= { why: whyNot() };
  return reason.why;
}

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'a network of its own needs root';
  if (!hasProgram('ip')) return 'a network of its own needs ip (Debian: iproute2)';
  const name = `lbprobe${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'other');
    return undefined;
  } catch (error) {
    return `this kernel gives no network of its own: ${String(error)}`;
  } finally {
    if (existsSync(`/run/netns/${name}`)) ip('netns', 'del', name);
  }
}

/** `lab` below 50, `index` from 1 to 63. The name is to be written down before this is called. */
export function makeNetwork(name: string, lab: number, index: number): Network {
  removeNetwork(name);
  // Addresses reserved for measurements inside of networks (RFC 2544): nobody's.
  const near = `198.18.${lab}.${4 * index + 1}`;
  const address = `198.18.${lab}.${4 * index + 2}`;
  const far = 'eth0';
  const inside = (...words: readonly string[]) => ip('-n', name, ...words);
  ip('netns', 'add', name);
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', far, 'netns', name);
  inside('address', 'add', `${address}/30`, 'dev', far);
  inside('link', 'set', 'lo', 'up');
  inside('link', 'set', far, 'up');
  ip('address', 'add', `${near}/30`, 'dev', name);
  ip('link', 'set', name, 'up');
  // Without this the kernel here would notice that nobody answers, and say "no route to host" instead of keeping silent.
  const hardware = /link\/ether (\S+)/.exec(inside('link', 'show', far))?.[1] ?? '';
  ip('neighbour', 'replace', address, 'lladdr', hardware, 'dev', name, 'nud', 'permanent');
  return {
    name,
    address,
    prefix: ['ip', 'netns', 'exec', name],
    cut: () => void inside('link', 'set', far, 'down'),
    heal: () => void inside('link', 'set', far, 'up'),
  };
}

/** What runs inside has to be ended before. */
export function removeNetwork(name: string): void {
  if (existsSync(`/sys/class/net/${name}`)) ip('link', 'del', name);
  if (existsSync(`/run/netns/${name}`)) ip('netns', 'del', name);
}
