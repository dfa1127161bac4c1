/**
 * `npm test`: everything that must hold before a commit, from a fresh clone on. `npm test -- plan/ compile` builds and
 * runs only the tests whose path holds one of the words.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { buildPrograms, installPackages, step } from '../src/fresh.mjs';

/** Programs that tests run, with Debian's package. */
const PROGRAMS = {
  make: 'make',
  dash: 'dash',
  busybox: 'busybox',
  gawk: 'gawk',
  strace: 'strace',
  shellcheck: 'shellcheck',
  parallel: 'parallel',
  flock: 'util-linux',
  ps: 'procps',
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  tcsh: 'tcsh',
  zsh: 'zsh',
  fish: 'fish',
  rsync: 'rsync',
  ip: 'iproute2',
  munged: 'munge',
  slurmctld: 'slurm-wlm',
  sbatch: 'slurm-client',
  // Grid Engine wants something that sends mail, which would be a daemon if it had the choice.
  sendmail: 'esmtp-run',
  sge_qmaster: 'gridengine-master',
  sge_execd: 'gridengine-exec',
  qsub: 'gridengine-client',
};

/** Answers to what packages ask: no cell of Grid Engine is set up but those of the tests. */
const ANSWERS = 'gridengine-common shared/gridengineconfig boolean false\n';

/** While this file says so, packages start none of their daemons. */
const POLICY = '/usr/sbin/policy-rc.d';

const words = process.argv.slice(2);
installPackages();
installPrograms();
if (words.length === 0) {
  step('npx', 'tsc', '--noEmit', '-p', '.');
  step('npx', 'biome', 'check', '--error-on-warnings');
}
buildPrograms();
step(process.execPath, 'test/suite.mjs', ...words);

function installPrograms() {
  const missing = Object.keys(PROGRAMS).filter(
    name => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
  );
  if (missing.length === 0) return;
  const packages = missing.map(name => PROGRAMS[name]);
  const canInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
  if (!canInstall) {
    console.error(
      `The tests need programs that are missing here. On Debian: apt-get install ${packages.join(' ')}`,
    );
    process.exit(1);
  }
  step('apt-get', 'update', '-q');
  spawnSync('debconf-set-selections', { input: ANSWERS });
  keepDaemonsDown();
  const install = ['install', '-qy', '--no-install-recommends', ...packages];
  step('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...install);
}

/** Until this program ends. */
function keepDaemonsDown() {
  if (existsSync(POLICY)) return;
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  process.on('exit', () => rmSync(POLICY, { force: true }));
}
