/** The client's side of a lab: a key, a configuration that names the hosts, and an `ssh` that reads it. */
import { appendFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { system } from './command.ts';

export interface Client {
  readonly folder: string;
  /** `ssh`, `scp` and `sftp` that read this client's configuration and no other: to come first on PATH. */
  readonly bin: string;
  readonly config: string;
  readonly knownHosts: string;
  /** The private key that all hosts know, unless they want another login. */
  readonly key: string;
  /** Adds a block to the configuration. */
  readonly add: (name: string, lines: readonly string[]) => void;
  /** What `ssh` would note at a first connection; `key` as in a `.pub` file. */
  readonly know: (address: string, port: number, key: string) => void;
  /** Makes the names in known_hosts unreadable, as some distributions have it. */
  readonly hash: () => void;
}

export function makeClient(folder: string): Client {
  const bin = join(folder, 'bin');
  const config = join(folder, 'config');
  const knownHosts = join(folder, 'known_hosts');
  const key = join(folder, 'id_ed25519');
  mkdirSync(bin, { recursive: true });
  makeKey(key);
  // ssh finds `~` by the user database and not by $HOME, so only an option leads it to another configuration.
  for (const program of ['ssh', 'scp', 'sftp']) {
    const path = join(bin, program);
    writeFileSync(path, `#!/bin/sh\nexec /usr/bin/${program} -F ${config} "$@"\n`);
    chmodSync(path, 0o755);
  }
  writeFileSync(config, '');
  writeFileSync(knownHosts, '');
  const common = [
    `UserKnownHostsFile ${knownHosts}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
  ];
  return {
    folder,
    bin,
    config,
    knownHosts,
    key,
    add: (name, lines) =>
      appendFileSync(config, `Host ${name}\n${[...lines, ...common].map(line => `  ${line}\n`).join('')}`),
    hash: () => {
      system('ssh-keygen', ['-q', '-H', '-f', knownHosts]);
      rmSync(`${knownHosts}.old`);
    },
    know: (address, port, hostKey) => appendFileSync(knownHosts, `[${address}]:${port} ${hostKey}\n`),
  };
}

/** An ed25519 key without a comment, since comments tell where it was made. */
export function makeKey(path: string, passphrase = ''): void {
  system('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', '', '-f', path]);
}
