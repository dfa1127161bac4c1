/** The static shell that travels in every image: clean for shellcheck, and sh for dash, bash and busybox alike. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';

const FOLDER = 'templates/shell';
const scripts = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter(path => statSync(join(FOLDER, path)).isFile())
  .filter(path => !basename(path).startsWith('.') && !path.endsWith('.awk'));

describe('templates/shell', () => {
  test('is clean for shellcheck, with the few reasons in its .shellcheckrc', () => {
    assert.ok(scripts.length > 15, scripts.join());
    const { stdout, status } = spawnSync('shellcheck', ['-s', 'sh', '-f', 'gcc', ...scripts], {
      cwd: FOLDER,
      encoding: 'utf8',
    });
    assert.deepEqual([stdout, status], ['', 0]);
  });

  for (const shell of [['dash'], ['bash', '--posix'], ['busybox', 'sh']]) {
    test(`parses in ${shell.join(' ')}`, () => {
      const [program = '', ...first] = shell;
      for (const name of scripts) execFileSync(program, [...first, '-n', join(FOLDER, name)]);
    });
  }

  test('says in its first lines what each file is for, and only programs are executable', () => {
    for (const name of scripts) {
      const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n');
      const program = !name.endsWith('.sh');
      assert.match(lines[program ? 1 : 0] ?? '', new RegExp(`^# ${basename(name)}\\b.*:`), name);
      assert.equal(lines[0] === '#!/bin/sh', program, name);
      assert.equal((statSync(join(FOLDER, name)).mode & 0o111) !== 0, program, name);
    }
  });
});
