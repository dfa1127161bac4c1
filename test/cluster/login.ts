/** What the login node's user has on PATH before the scheduler's own programs: they count how often they are called, and may be late. */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Slurm } from '../lab/slurm.ts';

/** `before`: lines of sh that come before the program itself; `"$program" "$@"` runs it, and what follows does not unless it is left to. */
export function intercept(
  { home, user }: Pick<Slurm, 'home' | 'user'>,
  programs: Readonly<Record<string, string>>,
): { readonly calls: (program: string) => string[] } {
  const bin = join(home, 'bin');
  const log = (program: string) => join(home, `calls.${program}`);
  const rc = join(home, '.bashrc');
  mkdirSync(bin, { recursive: true });
  for (const [program, before] of Object.entries(programs)) {
    const path = join(bin, program);
    writeFileSync(
      path,
      `#!/bin/sh\nprogram=/usr/bin/${program}\necho "$*" >>~/calls.${program}\n${before}\nexec "$program" "$@"\n`,
    );
    chmodSync(path, 0o755);
    writeFileSync(log(program), '');
    chownSync(log(program), user.uid, user.gid);
  }
  if (!existsSync(rc) || !readFileSync(rc, 'utf8').includes(bin)) appendFileSync(rc, `PATH=${bin}:$PATH\n`);
  return { calls: program => readFileSync(log(program), 'utf8').split('\n').filter(Boolean) };
}
