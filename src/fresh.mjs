/** What a fresh clone lacks: the packages that LogoBatch is built from, and dist/. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Runs a command in the project's folder for all to see; ends this program with its exit code if it fails. */
export function step(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`${[command, ...args].join(' ')}: ${error?.message ?? `exit code ${status}`}`);
  process.exit(status || 1);
}

export function installPackages() {
  // npm writes this file last, so it is not there after an installation that was broken off.
  if (!existsSync(join(root, 'node_modules/.package-lock.json')))
    step('npm', 'ci', '--no-audit', '--no-fund');
}

export function buildPrograms() {
  step(process.execPath, 'src/build.mjs');
}
