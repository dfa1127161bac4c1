/** The unprivileged account that makes a host's files and processes its own. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { system } from './command.ts';
import { endProcessesOf } from './processes.ts';
import { removeLeftovers } from './traces.ts';

/** The login shells a host can have. */
export type Shell = 'bash' | 'dash' | 'sh' | 'tcsh' | 'csh' | 'zsh' | 'fish' | 'busybox sh';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** What each shell reads before a command that `ssh` gave it; the others read nothing. */
const RC_FILES: Readonly<Partial<Record<Shell, string>>> = {
  bash: '.bashrc',
  tcsh: '.cshrc',
  csh: '.cshrc',
  zsh: '.zshenv',
  fish: '.config/fish/config.fish',
};

/** Makes the user anew, with an empty home; one of that name that is there was left by a lab that died. */
export function addUser(name: string, shell: string, hasHome: boolean): User {
  removeUser(name);
  // `*` is a password that nobody can give, where `!` would lock the account for sshd, too.
  system('useradd', ['-M', '-U', '-s', shell, '-p', '*', name]);
  const user = findUser(name);
  if (!user) throw new Error(`useradd made no ${name}`);
  if (hasHome) {
    mkdirSync(user.home, { mode: 0o700 });
    chownSync(user.home, user.uid, user.gid);
  }
  return user;
}

/** Ends all that the user runs and removes all that it has, then the user itself. */
export function removeUser(name: string): void {
  const user = findUser(name);
  if (!user) return;
  endProcessesOf(user.uid);
  removeLeftovers(user);
  rmSync(user.home, { recursive: true, force: true });
  system('userdel', ['-f', name]);
}

/** Writes files below the user's home, and what its shell reads first. */
export function furnish(
  user: User,
  shell: Shell,
  rc: string | undefined,
  files: Readonly<Record<string, string>>,
): void {
  const rcFile = RC_FILES[shell];
  if (rc !== undefined && rcFile === undefined) throw new Error(`${shell} reads no file before a command`);
  const all = rc !== undefined && rcFile !== undefined ? { ...files, [rcFile]: rc } : files;
  for (const [path, text] of Object.entries(all)) {
    let folder = user.home;
    for (const part of dirname(path).split('/')) {
      folder = join(folder, part);
      if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
      chownSync(folder, user.uid, user.gid);
    }
    const full = join(user.home, path);
    writeFileSync(full, text);
    chownSync(full, user.uid, user.gid);
    if (text.startsWith('#!')) chmodSync(full, 0o755);
  }
}

/** The path to give as a login shell. busybox is the shell that it is called as. */
export function shellPath(shell: Shell, folder: string): string {
  if (shell !== 'busybox sh') return `/bin/${shell}`;
  const link = join(folder, 'sh');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(link)) symlinkSync('/bin/busybox', link);
  return link;
}

function findUser(name: string): User | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(entry => entry.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [, , uid, gid, , home = ''] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid), home };
}
