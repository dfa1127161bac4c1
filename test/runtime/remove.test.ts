/** Removing a work folder: it and nothing else, in every layout that could make one remove something else. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, test } from 'node:test';

const ROOT = process.getuid?.() === 0;
const NAME = 'lb.ABCDEabcde';
const opened: string[] = [];
const mounted: string[] = [];

function clear() {
  for (const path of mounted.splice(0)) spawnSync('umount', [path]);
  for (const folder of opened.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A folder with a work folder in it, and with somebody else's things. */
function layout() {
  const above = mkdtempSync(join(tmpdir(), 'logobatch remove-'));
  opened.push(above);
  const work = join(above, NAME);
  mkdirSync(join(work, 'image/src'), { recursive: true });
  writeFileSync(join(work, 'marker'), 'logobatch 1 token image run\n');
  writeFileSync(join(work, 'image/src/a'), 'a');
  mkdirSync(join(above, 'foreign/inner'), { recursive: true });
  writeFileSync(join(above, 'foreign/inner/dear'), 'dear');
  writeFileSync(join(above, 'foreign/marker'), 'logobatch 1 token image run\n');
  return { above, work, foreign: join(above, 'foreign') };
}

function remove(shell: string, work: string, token = 'token'): string {
  const [program = '', ...first] = shell.split(' ');
  const lib = ['processes.sh', 'node/remove.sh'].map(name => `. '${resolve('templates/shell', name)}'`);
  const script = `set -u\n${lib.join('\n')}\nif remove_work "$1" "$2"; then echo gone; else echo "refused: $why"; fi`;
  const { stdout, stderr } = spawnSync(program, [...first, '-c', script, 'sh', work, token], {
    encoding: 'utf8',
    cwd: '/',
  });
  return (stdout + stderr).trim();
}

for (const shell of ['dash', 'bash', 'busybox sh']) {
  describe(`remove_work in ${shell}`, () => {
    afterEach(clear);

    const refused = (work: string, why: RegExp, token?: string) => {
      assert.match(remove(shell, work, token), new RegExp(`^refused: ${why.source}`));
    };
    const untouched = (foreign: string) => {
      assert.deepEqual(readdirSync(foreign).sort(), ['inner', 'marker']);
      assert.equal(readFileSync(join(foreign, 'inner/dear'), 'utf8'), 'dear');
    };

    test('removes a work folder, with links, odd names and folders that may not be entered', () => {
      const { above, work, foreign } = layout();
      symlinkSync(foreign, join(work, 'image/link'));
      symlinkSync('/', join(work, 'root'));
      for (const name of ['-rf', '.hidden', '..x', 'a\nb', '*']) writeFileSync(join(work, name), '');
      chmodSync(join(work, 'image/src'), 0o000);
      chmodSync(join(work, 'image'), 0o500);
      assert.equal(remove(shell, work), 'gone');
      assert.deepEqual(readdirSync(above), ['foreign']);
      untouched(foreign);
      assert.equal(remove(shell, work), 'gone', 'a second time');
    });

    test('refuses a link in its place, whatever that leads to', () => {
      const { above, work, foreign } = layout();
      renameSync(work, join(above, 'moved'));
      symlinkSync(foreign, work);
      refused(work, /is a link/);
      untouched(foreign);
      assert.ok(existsSync(join(above, 'moved/image/src/a')));
    });

    test('refuses a folder without its marker, and one with another', () => {
      const { above, work } = layout();
      refused(work, /has the marker of something else/, 'other');
      rmSync(join(work, 'marker'));
      refused(work, /has no marker/);
      symlinkSync('../foreign/marker', join(work, 'marker'));
      refused(work, /has the marker of something else/);
      rmSync(join(work, 'marker'));
      spawnSync('mkfifo', [join(work, 'marker')]);
      refused(work, /has no marker/);
      assert.ok(existsSync(join(above, NAME, 'image/src/a')));
    });

    test('finishes a removal, and undoes a making, that were interrupted', () => {
      const { work } = layout();
      rmSync(join(work, 'image'), { recursive: true });
      writeFileSync(join(work, 'gone'), '');
      assert.equal(remove(shell, work), 'gone');
      mkdirSync(work);
      assert.equal(remove(shell, work), 'gone');
      mkdirSync(work);
      writeFileSync(join(work, 'marker.new'), '');
      assert.equal(remove(shell, work), 'gone');
      assert.ok(!existsSync(work));
    });

    test('refuses every other name, and a file', () => {
      const { above, work, foreign } = layout();
      for (const name of [
        foreign,
        above,
        '/',
        `${above}/lb.`,
        `${above}/lb.ABCDEabcd`,
        `${work}/`,
        `${work}/image`,
      ])
        refused(name, /is not named like a work folder/);
      refused(`${above}/lb.../../../x`, /is not named like a work folder/);
      refused(NAME, /is not named like a work folder/);
      assert.match(remove(shell, ''), /1/);
      assert.match(remove(shell, work, ''), /2/);
      rmSync(work, { recursive: true });
      writeFileSync(work, 'a file');
      refused(work, /is not a folder of ours/);
      assert.equal(readFileSync(work, 'utf8'), 'a file');
      untouched(foreign);
    });

    test("refuses somebody else's folder", { skip: !ROOT }, () => {
      const { work } = layout();
      chownSync(work, 65534, 65534);
      refused(work, /is not a folder of ours/);
      assert.ok(existsSync(join(work, 'image/src/a')));
    });

    test('refuses a folder with another file system in it', { skip: !ROOT }, t => {
      const { work, foreign } = layout();
      const point = join(work, 'image/mounted here');
      mkdirSync(point);
      if (spawnSync('mount', ['--bind', foreign, point]).status !== 0) return t.skip('cannot mount');
      mounted.push(point);
      refused(work, /has another file system mounted in it/);
      untouched(foreign);
      assert.ok(existsSync(join(work, 'image/src/a')));
    });
  });
}
