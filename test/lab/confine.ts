/** Hosts that offer less than this machine does. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { system } from './command.ts';

/** A folder of links to busybox, to be the whole of PATH. */
export function applets(folder: string, wanted: readonly string[] | 'all'): string {
  mkdirSync(folder, { recursive: true });
  const names = wanted === 'all' ? system('busybox', ['--list']).split('\n').filter(Boolean) : wanted;
  for (const name of names) symlinkSync('/bin/busybox', join(folder, name));
  return folder;
}

/** A script that runs these lines and then what the client asked for, in the login shell, as sshd would. */
export function before(path: string, lines: string): string {
  const command = '[ -n "${SSH_ORIGINAL_COMMAND-}" ] && exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"';
  writeFileSync(path, `#!/bin/sh\n${lines}\n${command}\nexec "$SHELL" -l\n`);
  chmodSync(path, 0o755);
  return path;
}
