/** Whatever greets us on a host: login shells of every kind, rc files that talk, read or end, hosts with next to nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab, type HostOptions } from '../lab/hosts.ts';
import { broken } from '../run/witness.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

const NOISE = 'echo noise; echo result 1; echo lb-; echo "end 1 0 0 0 ok"';
const READS = 'read one; read two; read three; printf "no end of line"';

const HOSTS: Readonly<Record<string, HostOptions>> = {
  'bash that talks': { shell: 'bash', rc: `${NOISE}\necho noise >&2` },
  'bash that reads': { shell: 'bash', rc: READS },
  'bash with an alias and a function for everything': {
    shell: 'bash',
    rc: 'shopt -s expand_aliases\nfor word in sh env tar cat mkdir; do eval "alias $word=false; $word() { false; }; export -f $word"; done',
  },
  dash: { shell: 'dash' },
  'tcsh that talks': { shell: 'tcsh', rc: `${NOISE}\nalias sh false` },
  'csh that reads': { shell: 'csh', rc: 'set one = $<\necho noise' },
  'zsh that talks and reads': { shell: 'zsh', rc: `${NOISE}\n${READS}` },
  'fish that talks': { shell: 'fish', rc: 'echo noise; echo noise >&2' },
  'busybox and nothing else': { shell: 'busybox sh', path: 'all' },
  'no home': { shell: 'bash', noHome: true },
  'few open files': { shell: 'dash', forceCommand: 'ulimit -n 32' },
  'variables that mislead': {
    shell: 'bash',
    rc: 'export TAR_OPTIONS=--verbose CDPATH=/ ENV=/etc/passwd BASH_ENV=/etc/passwd POSIXLY_CORRECT=1 GREP_OPTIONS=-v LC_ALL=C IFS=/',
  },
  'a place from which nothing may be executed': { shell: 'bash' },
  'an rc file that ends': { shell: 'bash', rc: 'exit 3' },
  'an rc file that becomes another program': { shell: 'bash', rc: 'exec /usr/sbin/nologin' },
};
const names = Object.keys(HOSTS).map((what, i) => ({ name: `n${i + 1}`, what }));
const useless = names.filter(({ what }) => what.startsWith('an rc file'));
const useful = names.filter(host => !useless.includes(host));
const noexec = names.find(({ what }) => what.includes('executed'))?.name ?? '';

const batch = (name: string, keys: string) => `  - name: ${name}
    command: |
      printf %s {i0} > {out}/value; cat src/text > {out}/text; echo "$PWD" > {out}/where; mkdir {out}/empty; echo said
    inputs: ["it's $HOME \\"\\\\", ""]
${keys}`;
const FILES = {
  'src/text': 'text\n',
  'batch_info/b.yml': `batches:\n${useful.map(({ name }) => batch(name, `    resources: [${name}]\n    bundle: 2\n`)).join('')}${batch('any', '')}`,
};

describe('a pool of odd hosts', { skip: canLab() }, () => {
  let pool: Pool;
  let folder = '';
  let mounted = false;
  let out = '';
  before(async () => {
    folder = mkdtempSync('/var/tmp/noexec-');
    mounted =
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec,mode=1777,size=20m', 'tmpfs', folder]).status === 0;
    chmodSync(folder, 0o1777);
    pool = await startPool({
      hosts: Object.values(HOSTS),
      files: FILES,
      grid: { slots: 1, hosts: { [noexec]: { fast_storage: [join(folder, 'not there'), folder] } } },
    });
    // What a shell makes in its home when somebody logs in for the first time is not ours.
    await Promise.all(pool.lab.hosts.map(({ name }) => pool.lab.ssh([name, 'true'])));
    const clean = watchTraces(pool.lab, [folder]);
    const ended = await pool.make();
    out = ended.out;
    assert.equal(ended.code, 0, out);
    clean();
  });
  after(() => {
    pool?.stop();
    if (mounted) spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });

  for (const { name, what } of useful) {
    test(`runs jobs on one with ${what}`, () => {
      for (const [i, value] of ['it\'s $HOME "\\', ''].entries()) {
        const read = (file: string) => pool.image.read(`data/processed/b/${name}/Job${i + 1}/${file}`);
        assert.equal(read('value'), value);
        assert.equal(read('text'), 'text\n');
        assert.equal(read('job.out'), 'said\n');
        assert.equal(read('job.err'), '');
        assert.match(read('where'), name === noexec ? /^\/var\/tmp\/noexec-\w+\/lb\./ : /^\/tmp\/lb\./);
        assert.match(read('.done'), new RegExp(` node=${name} `));
      }
      assert.deepEqual(broken(pool.image), []);
    });
  }

  for (const { name, what } of useless) {
    test(`leaves out one with ${what}, and says why in a line`, () => {
      const lines = out.split('\n').filter(line => line.includes(`${name}:`));
      assert.equal(lines.length, 1, out);
      assert.match(lines[0] ?? '', new RegExp(`^left out {2}${name}: its login shell runs no commands`));
    });
  }
});
