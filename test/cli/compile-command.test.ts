import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';

const PROGRAM = resolve('dist/logobatch.mjs');
const FILE = 'batch_info/x.yml';
let work: string;

before(() => {
  assert.ok(existsSync(PROGRAM), 'npm run build first');
  work = mkdtempSync(join(tmpdir(), 'logobatch-command-'));
});
after(() => rmSync(work, { recursive: true, force: true }));

describe('a bbatch file that cannot be shown is a mistake in the image, with its place and no frame', () => {
  const kinds: [string, (path: string) => void, string][] = [
    ['a folder', path => mkdirSync(path), 'path-kind'],
    ['a fifo', path => assert.equal(spawnSync('mkfifo', [path]).status, 0), 'path-special'],
  ];
  for (const [what, make, code] of kinds) {
    test(what, () => {
      const root = join(work, code);
      mkdirSync(dirname(join(root, FILE)), { recursive: true });
      make(join(root, FILE));
      const options = { encoding: 'utf8', timeout: 20_000 } as const;
      const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'compile', root], options);
      assert.equal(status, 1, stderr);
      assert.match(
        stderr,
        new RegExp(
          `^${FILE}:1:1: error: .* \\[${code}\\]\n {2}hint: .*\n\n1 error; nothing was written\\.\n$`,
        ),
      );
    });
  }
});
