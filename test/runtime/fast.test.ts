/** What dead tasks have left on a machine's own disk: that goes, and nothing else. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, test } from 'node:test';

const ROOT = process.getuid?.() === 0;
const ARRAY = 'lb-0123abcd-fire-ABCdef';
const LIB = ['processes.sh', 'node/remove.sh', 'node/fast.sh']
  .map(name => `. '${resolve('templates/shell', name)}'`)
  .join('\n');
const opened: string[] = [];
const children: ChildProcess[] = [];

function clear() {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of opened.splice(0)) rmSync(folder, { recursive: true, force: true });
}

for (const shell of ['dash', 'bash', 'busybox sh']) {
  const [program = '', ...first] = shell.split(' ');
  /** Runs lines with what the scripts of a task have, with these words. */
  const call = (lines: string, ...words: string[]) =>
    spawnSync(program, [...first, '-c', `set -u\n${LIB}\n${lines}`, 'sh', ...words], { encoding: 'utf8' });

  describe(`clear_left in ${shell}`, () => {
    afterEach(clear);
    const disk = () => {
      const fast = mkdtempSync(join(tmpdir(), 'logobatch fast-'));
      opened.push(fast);
      return fast;
    };
    /** A folder as a task leaves it that is dead by now: signed by a shell that has ended. */
    const left = (fast: string, name: string, owner?: (signed: string) => string) => {
      const folder = join(fast, name);
      mkdirSync(join(folder, 'stage.1/1/out'), { recursive: true });
      writeFileSync(join(folder, 'stage.1/1/out/large'), 'large');
      const { stderr } = call('cd "$1" && sign_folder', folder);
      assert.equal(stderr, '');
      if (owner) writeFileSync(join(folder, 'owner'), owner(readFileSync(join(folder, 'owner'), 'utf8')));
      return folder;
    };
    const cleared = (fast: string) => {
      const { stdout, stderr, status } = call('clear_left "$1"; echo done', fast);
      assert.deepEqual([stdout, stderr, status], ['done\n', '', 0]);
      return readdirSync(fast).sort();
    };
    /** Replaces the words of a signature by their place; undefined leaves one as it is. */
    const signature = (signed: string, ...words: (string | undefined)[]) =>
      `${signed
        .trim()
        .split(' ')
        .map((word, i) => words[i] ?? word)
        .join(' ')}\n`;

    test('removes what is left, with what may not be entered, and follows no link out of it', () => {
      const fast = disk();
      const one = left(fast, `${ARRAY}.1.101`);
      writeFileSync(join(fast, 'dear'), 'dear');
      symlinkSync('..', join(one, 'stage.1/link'));
      for (const name of ['-rf', '.hidden', 'a\nb']) writeFileSync(join(one, name), '');
      chmodSync(join(one, 'stage.1/1'), 0o000);
      chmodSync(join(one, 'stage.1'), 0o500);
      left(fast, `${ARRAY}.2.102`);
      assert.deepEqual(cleared(fast), ['dear']);
      assert.deepEqual(cleared(join(fast, 'nowhere/..')), ['dear']);
    });

    test('removes what was left before the machine was started anew, or by a pid that is another process by now', () => {
      const fast = disk();
      left(fast, `${ARRAY}.1.101`, signed => signature(signed, undefined, undefined, 'earlier', 'gone'));
      left(fast, `${ARRAY}.2.102`, signed =>
        signature(signed, undefined, undefined, undefined, undefined, String(process.pid), '1'),
      );
      assert.deepEqual(cleared(fast), []);
    });

    test('leaves what somebody lives in, or may live in, or has not signed', () => {
      const fast = disk();
      const living = join(fast, `${ARRAY}.1.101`);
      mkdirSync(living);
      const task = spawn(program, [
        ...first,
        '-c',
        `${LIB}\ncd "$1" && sign_folder && read -r _`,
        'sh',
        living,
      ]);
      children.push(task);
      const end = performance.now() + 10_000;
      while (!existsSync(join(living, 'owner')) && performance.now() < end) spawnSync('sleep', ['0.05']);
      spawnSync('sleep', ['0.05']);
      left(fast, `${ARRAY}.2.102`, signed => signature(signed, undefined, 'other/1'));
      left(fast, `${ARRAY}.3.103`, signed => signature(signed, undefined, undefined, undefined, 'pid:[1]'));
      left(fast, `${ARRAY}.4.104`, signed => signed.trim());
      left(fast, `${ARRAY}.5.105`, () => '');
      left(fast, `${ARRAY}.6.106`, signed => signature(signed, 'something'));
      left(fast, `${ARRAY}.7.107`, signed => signature(signed, ...Array(4), '-1'));
      rmSync(join(left(fast, `${ARRAY}.8.108`), 'owner'));
      spawnSync('mkfifo', [join(fast, `${ARRAY}.8.108`, 'owner')]);
      left(fast, `${ARRAY}.9`);
      left(fast, 'lb.ABCDEabcde');
      left(fast, 'mine.1.1');
      left(fast, `${ARRAY}.1.1.1`);
      symlinkSync(left(disk(), 'elsewhere'), join(fast, `${ARRAY}.10.110`));
      if (ROOT) chownSync(left(fast, `${ARRAY}.11.111`), 65_534, 65_534);
      const before = readdirSync(fast, { recursive: true, encoding: 'utf8' }).sort();
      assert.ok(before.includes(`${ARRAY}.1.101/owner`));
      cleared(fast);
      assert.deepEqual(readdirSync(fast, { recursive: true, encoding: 'utf8' }).sort(), before);
    });

    test('ends what the dead task has left running, and not what the scheduler has begun anew', async () => {
      const fast = disk();
      left(fast, `${ARRAY}.1.101`);
      const job = (word: string) => {
        const env = { ...process.env, LOGOBATCH_JOB: `${ARRAY}.${word}` };
        const child = spawn('sleep', ['60'], { env });
        children.push(child);
        return { child, ended: new Promise(done => child.on('exit', (_, signal) => done(signal))) };
      };
      const [dead, anew, other] = [job('1.101.1.1'), job('1.102.1.1'), job('13101.5.1.1')];
      assert.deepEqual(cleared(fast), []);
      assert.equal(await dead.ended, 'SIGTERM');
      assert.deepEqual(
        [anew, other].map(({ child }) => child.signalCode ?? child.exitCode),
        [null, null],
      );
    });
  });
}
