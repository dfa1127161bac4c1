/** What others see while make runs: readers of results, and whoever looks at the terminal. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Project, project } from './rig.ts';
import { killAll } from './witness.ts';

const opened: Project[] = [];
afterEach(() => {
  for (const image of opened.splice(0)) {
    killAll(image);
    image.remove();
  }
});

async function image(keys: string, command: string, files: Readonly<Record<string, string>> = {}) {
  const made = await project({
    files: {
      'batch_info/b.yml': `batches:\n  - name: a\n    ${keys}\n    command: |\n      ${command}\n`,
      ...files,
    },
  });
  opened.push(made);
  return made;
}

/** One look at a result by somebody who trusts `.done`: undefined without one, otherwise whether all is as recorded. */
function look(folder: string): 'whole' | 'broken' | undefined {
  const record = tryRead(join(folder, '.done'));
  if (record === undefined) return undefined;
  const promised = record.split('\n').slice(3, -2);
  let sound = record.endsWith('\nend\n') && promised.length > 0;
  for (const line of promised) {
    const [sum = '', path = ''] = line.split('  ');
    const text = tryRead(join(folder, path));
    sound &&= text !== undefined && createHash('sha256').update(text).digest('hex') === sum;
  }
  sound &&= tryList(folder).length === promised.length + 4;
  // The record was taken away meanwhile: the reader knows that what it saw is not to be relied on.
  return tryRead(join(folder, '.done')) === record ? (sound ? 'whole' : 'broken') : undefined;
}

test('a reader that trusts .done never sees part of a result during 300 publications and reruns', async () => {
  const of = await image(
    'inputs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]\n    bundle: 3',
    'for n in 1 2 3; do cat src/version > {out}/$n; done; cat src/version > {out}/only-$(cat src/version)',
    { 'src/version': '0' },
  );
  const folders = Array.from({ length: 15 }, (_, i) => join(of.root, `data/processed/b/a/Job${i + 1}`));
  const seen = { whole: 0, broken: 0 };
  for (let version = 1; version <= 20; version++) {
    of.write({ 'src/version': `${version}\n` });
    const running = of.start();
    let ended = false;
    void running.ended.then(() => {
      ended = true;
    });
    while (!ended) {
      for (const folder of folders) {
        const what = look(folder);
        if (what) seen[what]++;
      }
      await setImmediate();
    }
    const { code, out } = await running.ended;
    assert.equal(code, 0, out);
    assert.match(out, /^15 done in/m);
  }
  assert.equal(seen.broken, 0);
  assert.ok(seen.whole > 1000, `only ${seen.whole} looks`);
});

test('without a terminal there is a line now and then, and a summary', async () => {
  const of = await image('inputs: [1, 2]', 'sleep 11');
  const { out } = await of.make();
  assert.match(
    out,
    /^running 2 jobs on 2 slots of this machine\n0 of 2 done, 2 running, 0 failed, about \? left\n2 done in \d+ s; results are in data\/processed\n$/,
  );
});

test('on a terminal one status line is written anew, and cleared for whatever else is said', async () => {
  const of = await image('inputs: [1, 2, 3]', 'sleep 1.2; [ {id} != Job2 ] || { echo oops >&2; exit 3; }');
  const child = spawn('script', ['-qec', 'make', '/dev/null'], {
    cwd: of.root,
    env: { ...of.environment, TERM: 'xterm' },
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  await new Promise(resolve => child.on('close', resolve));
  assert.match(out, /\r\x1b\[K\d of 3 done, \d running, \d failed, about [^\r\n]* left\r\x1b\[K/);
  const lines = screen(out);
  assert.deepEqual(
    lines
      .filter(line => !/^make|^ {2}b\/a|make retry/.test(line))
      .map(line => line.replace(/ in \d+ s;/, ' in # s;')),
    [
      'running 3 jobs on 2 slots of this machine',
      'failed  b/a/Job2: exit 3',
      '    | oops',
      '    log: data/processed/b/a/Job2.failed/job.err',
      '2 done, 1 failed in # s; results are in data/processed',
    ],
  );
});

test('make -s says nothing when all is well', async () => {
  const of = await image('inputs: [1, 2]', ':');
  assert.equal((await of.make(['-s'])).out, '');
});

/** What stands on the screen in the end. */
function screen(out: string): string[] {
  const lines = [''];
  for (const piece of out.split(/(\r\n|\r|\n|\x1b\[K)/)) {
    if (piece === '\r\n' || piece === '\n') lines.push('');
    else if (piece === '\x1b[K') lines[lines.length - 1] = '';
    else if (piece !== '\r') lines[lines.length - 1] += piece;
  }
  return lines.filter(Boolean);
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function tryList(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
