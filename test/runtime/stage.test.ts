/** Staging: what is on the node afterwards is what is here, whatever was there before; and no more is sent than has changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Entry } from '../../src/runtime/ledger.ts';
import { stage } from '../../src/runtime/stage.ts';
import { treeOf } from '../../src/runtime/tree.ts';
import { adoptWork, makeWork, type Work } from '../../src/runtime/work.ts';
import { applets } from '../lab/confine.ts';
import { hereTransport } from './here.ts';

const repository = process.cwd();
const opened: string[] = [];
const back = () => process.chdir(repository);
after(() => {
  for (const folder of opened) rmSync(folder, { recursive: true, force: true });
});

/** An image, which becomes the current folder, and a node that is this machine; `busybox`: with nothing but its applets. */
async function node({ busybox = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'logobatch-stage-test-'));
  opened.push(folder);
  const root = join(folder, 'image');
  mkdirSync(join(root, '.logobatch'), { recursive: true });
  cpSync('templates/shell', join(root, '.logobatch/shell'), { recursive: true });
  const transport = hereTransport(busybox ? applets(join(folder, 'bin'), 'all') : undefined);
  process.chdir(root);
  const entry: Entry = {
    node: 'here',
    host: { hostname: 'here' },
    transport: 'auto',
    work: join(folder, 'lb.ABCDEabcde'),
    token: 'token',
    run: 'r1',
    warm: true,
  };
  const made = await makeWork(transport, entry);
  assert.ok(made.ok, JSON.stringify(made));
  let work: Work = made.work;
  let run = 1;
  return {
    there: join(entry.work, 'image'),
    /** How many entries were sent. */
    stage: async (shared: readonly string[] = ['src']): Promise<number> => {
      const staged = await stage(transport, work, await treeOf(shared), { memory: 'memory', busybox });
      assert.ok(staged.ok, JSON.stringify(staged));
      return staged.sent;
    },
    /** The next run takes the work folder over. */
    again: async () => {
      const adopted = await adoptWork(transport, work.entry, `r${++run}`);
      assert.ok(adopted.ok, JSON.stringify(adopted));
      work = adopted.work;
    },
  };
}

/** Everything below a folder: kind, mode, contents or target, time. Names as bytes, one character each. */
function picture(folder: string, below = ''): string[] {
  const at = (path: string) => Buffer.concat([Buffer.from(folder), Buffer.from(path, 'latin1')]);
  return readdirSync(at(below), 'latin1')
    .sort()
    .flatMap(name => {
      const path = `${below}/${name}`;
      const stats = lstatSync(at(path));
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) return `link ${path} ${readlinkSync(at(path), 'latin1')}`;
      if (stats.isDirectory()) return [`folder ${mode} ${path}`, ...picture(folder, path)];
      const text = stats.size < 1e6 ? readFileSync(at(path), 'latin1') : stats.size;
      return `file ${mode} ${path} ${Math.floor(stats.mtimeMs / 1000)} ${text}`;
    });
}

const same = (there: string) => assert.deepEqual(picture(join(there, 'src')), picture('src'));

for (const busybox of [false, true]) {
  describe(`stage, to a node with ${busybox ? 'busybox alone' : 'what this machine has'}`, () => {
    afterEach(back);

    test('keeps modes, times, links, sparse files and odd names, and leaves rubbish at home', async () => {
      const { there, stage } = await node({ busybox });
      mkdirSync('src/empty', { recursive: true });
      mkdirSync('src/deep/er', { recursive: true });
      mkdirSync('src/__pycache__');
      for (const name of ['-rf', 'a b', "it's", 'new\nline', '\\', 'x\t', '*', 'é', 'f 644 2 3 .', '~'])
        writeFileSync(`src/${name}`, name);
      writeFileSync(Buffer.from('src/\xff', 'latin1'), 'not UTF-8');
      for (const name of ['src/__pycache__/x', 'src/x.py~', 'src/.x.swp']) writeFileSync(name, '');
      writeFileSync('src/deep/er/run', '#!/bin/sh\n', { mode: 0o755 });
      writeFileSync('src/sparse', 'x');
      truncateSync('src/sparse', 64 * 2 ** 20);
      chmodSync('src/a b', 0o4640);
      utimesSync('src/a b', 1e9, 1e9);
      chmodSync('src/deep', 0o500);
      symlinkSync('../a b', 'src/empty/link');
      symlinkSync('nowhere', 'src/dead');
      linkSync("src/it's", 'src/hard');
      await stage();
      chmodSync('src/a b', 0o640);
      rmSync('src/__pycache__', { recursive: true });
      for (const name of ['src/x.py~', 'src/.x.swp', 'src/~']) rmSync(name);
      if (!busybox) same(there);
      if (!busybox) assert.ok(lstatSync(join(there, 'src/sparse')).blocks < 1000);
      // It has no way to close a folder after it is full.
      for (const folder of ['src/deep', join(there, 'src/deep')]) chmodSync(folder, 0o700);
      same(there);
    });

    test('sends to a warm node what has changed and nothing else, and removes what is gone', async () => {
      const { there, stage, again } = await node({ busybox });
      mkdirSync('src/sub', { recursive: true });
      for (const name of ['a', 'b', 'c', 'sub/d', 'sub/e']) writeFileSync(`src/${name}`, name);
      symlinkSync('a', 'src/link');
      assert.equal(await stage(), 8);
      await again();
      assert.equal(await stage(), 0);
      writeFileSync('src/b', 'B');
      rmSync('src/c');
      rmSync('src/link');
      symlinkSync('b', 'src/link');
      await again();
      assert.equal(await stage(), 2);
      same(there);
      rmSync('src/sub', { recursive: true });
      writeFileSync('src/sub', 'a file now');
      rmSync('src/a');
      mkdirSync('src/a');
      await again();
      await stage();
      same(there);
      await again();
      assert.equal(await stage(), 0);
    });

    test('mends what jobs have done to it, and takes away what earlier runs have put there', async () => {
      const { there, stage, again } = await node({ busybox });
      mkdirSync('src/sub', { recursive: true });
      for (const name of ['a', 'b', 'sub/c']) writeFileSync(`src/${name}`, name);
      await stage();
      const bystander = join(there, '../../bystander');
      mkdirSync(bystander);
      writeFileSync(join(bystander, 'c'), 'not ours');
      rmSync(join(there, 'src/sub'), { recursive: true });
      symlinkSync(bystander, join(there, 'src/sub'));
      writeFileSync(join(there, 'src/a'), 'changed');
      mkdirSync(join(there, 'data/processed/x'), { recursive: true });
      writeFileSync(join(there, 'data/processed/x/y\nz'), '');
      execFileSync('mkfifo', [join(there, 'src/fifo')]);
      chmodSync(join(there, 'data/processed/x'), 0o000);
      await again();
      await stage();
      same(there);
      assert.deepEqual(readdirSync(there), ['src']);
      assert.equal(readFileSync(join(bystander, 'c'), 'utf8'), 'not ours');
    });
  });
}

describe('stage', () => {
  afterEach(back);

  test('sends a file again that was changed within its second and kept its size', async () => {
    const { there, stage, again } = await node();
    mkdirSync('src');
    writeFileSync('src/a', 'one');
    utimesSync('src/a', 1e9, 1e9);
    await stage();
    writeFileSync('src/a', 'two');
    utimesSync('src/a', 1e9, 1e9);
    await again();
    assert.equal(await stage(), 1);
    same(there);
  });

  test('takes nothing for whole that was interrupted', async () => {
    const { there, stage, again } = await node();
    mkdirSync('src');
    writeFileSync('src/a', 'one');
    await stage();
    rmSync(join(there, '../staged'));
    writeFileSync(join(there, 'src/a'), 'two');
    utimesSync(join(there, 'src/a'), lstatSync('src/a').atime, lstatSync('src/a').mtime);
    await again();
    assert.equal(await stage(), 2);
    same(there);
  });

  test('fails, and says why, when a file cannot be read here', {
    skip: process.getuid?.() === 0,
  }, async () => {
    const { stage } = await node();
    mkdirSync('src');
    writeFileSync('src/a', 'one', { mode: 0o000 });
    await assert.rejects(stage(), /Permission denied/);
  });

  test('follows a shared folder that is a link within the image, and no link out of it', async () => {
    const { there, stage } = await node();
    mkdirSync('code/real', { recursive: true });
    writeFileSync('code/real/a', 'a');
    symlinkSync('code/real', 'src');
    symlinkSync('/etc', 'outside');
    await stage(['src', 'outside', 'missing']);
    assert.equal(readFileSync(join(there, 'src/a'), 'utf8'), 'a');
    assert.equal(readlinkSync(join(there, 'outside')), '/etc');
    assert.deepEqual(readdirSync(there).sort(), ['code', 'outside', 'src']);
  });

  test('brings any tree in line with any other', async () => {
    const name = fc
      .string({ unit: 'binary-ascii', minLength: 1, maxLength: 6 })
      .filter(text => !/[/\0]|^\.{1,2}$|~$|^\..*\.swp$/.test(text));
    const { there, stage, again } = await node();
    const tree = fc.dictionary(
      name,
      fc.oneof(fc.constant(null), fc.string(), fc.dictionary(name, fc.string())),
      {
        maxKeys: 5,
      },
    );
    await fc.assert(
      fc.asyncProperty(tree, async wanted => {
        rmSync('src', { recursive: true, force: true });
        mkdirSync('src');
        for (const [path, content] of Object.entries(wanted)) {
          if (content === null) symlinkSync('x', `src/${path}`);
          else if (typeof content === 'string') writeFileSync(`src/${path}`, content);
          else {
            mkdirSync(`src/${path}`);
            for (const [inner, text] of Object.entries(content)) writeFileSync(`src/${path}/${inner}`, text);
          }
        }
        await stage();
        same(there);
        await again();
      }),
      { numRuns: 40, includeErrorInReport: true },
    );
  });
});
