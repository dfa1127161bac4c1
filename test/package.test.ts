import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';

/** What `npm publish` would send, installed where nothing else is. */
const work = mkdtempSync(join(tmpdir(), 'logobatch-package-'));
const installed = join(work, 'node_modules/logobatch');
after(() => rmSync(work, { recursive: true, force: true }));

describe('the npm package', () => {
  before(() => {
    assert.ok(existsSync('dist/logobatch.mjs'), 'npm run build first');
    npm('pack', '--ignore-scripts', '--silent', '--pack-destination', work);
    const [tarball = ''] = readdirSync(work).filter(name => name.endsWith('.tgz'));
    npm('install', '--prefix', work, '--offline', '--no-audit', '--no-fund', '--silent', join(work, tarball));
  });

  function npm(...args: string[]): void {
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  test('brings all it needs: no other package is installed', () => {
    assert.deepEqual(
      readdirSync(join(work, 'node_modules')).filter(name => !name.startsWith('.')),
      ['logobatch'],
    );
    const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    assert.equal(dependencies, undefined);
  });

  test('runs as a command', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.equal(
      execFileSync(join(work, 'node_modules/.bin/logobatch'), ['--version'], { encoding: 'utf8' }),
      `${version}\n`,
    );
  });

  test('compiles an image that make runs', () => {
    const image = join(work, 'image');
    mkdirSync(join(image, 'batch_info'), { recursive: true });
    mkdirSync(join(image, 'src'));
    const command = 'echo {a} > {out}/x';
    writeFileSync(
      join(image, 'batch_info/b.yml'),
      `batches:\n  - {name: t, command: "${command}", inputs: {matrix: {a: [7]}}}\n`,
    );
    const env = { PATH: process.env.PATH, HOME: work };
    const compiled = spawnSync(join(work, 'node_modules/.bin/logobatch'), ['compile', image], {
      encoding: 'utf8',
      env,
    });
    assert.equal(compiled.status, 0, compiled.stderr);
    const made = spawnSync('make', ['-C', image], { encoding: 'utf8', env });
    assert.equal(made.status, 0, made.stdout + made.stderr);
    assert.equal(readFileSync(join(image, 'data/processed/b/t/Job1/x'), 'utf8'), '7\n');
  });

  test('makes an image that it compiles and make runs', () => {
    const env = { PATH: process.env.PATH, HOME: work, LOGOBATCH_SLOTS: join(work, 'slots') };
    for (const command of [
      ['node_modules/.bin/makebimg', 'made', '--yes'],
      ['node_modules/.bin/logobatch', 'compile', 'made'],
      ['make', '-C', 'made'],
    ]) {
      const [program = '', ...args] = command;
      const { status, stdout, stderr } = spawnSync(program, args, { cwd: work, env, encoding: 'utf8' });
      assert.equal(status, 0, `${command.join(' ')}\n${stdout}${stderr}`);
    }
    assert.ok(existsSync(join(work, 'made/data/processed/bbatch_1/summary/Job1/summary.csv')));
    assert.ok(existsSync(join(work, 'made/.gitignore')));
  });

  test('holds every template, also those whose names npm treats apart', () => {
    const list = (folder: string) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => relative(folder, join(entry.parentPath, entry.name)))
        .sort();
    assert.deepEqual(list(join(installed, 'templates')), list('templates'));
  });

  test('holds what the law and its readers ask for, and no sources', () => {
    const names = readdirSync(installed);
    for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
      if (existsSync(name)) assert.ok(names.includes(name), name);
    }
    const notices = readFileSync(join(installed, 'dist/THIRD_PARTY_LICENSES'), 'utf8');
    for (const name of ['handlebars', 'yaml', 'yargs', 'zod', 'csv-parse', 'nodemailer']) {
      assert.match(notices, new RegExp(`^${name} \\d`, 'm'));
    }
    assert.ok(!names.includes('src') && !names.includes('test'));
  });

  test('its runtime is one file that needs nothing beside itself', () => {
    const alone = join(work, 'alone');
    mkdirSync(alone);
    const runtime = join(alone, 'runtime.mjs');
    writeFileSync(runtime, readFileSync(join(installed, 'dist/runtime.mjs')));
    assert.match(
      execFileSync(process.execPath, [runtime, '--version'], { encoding: 'utf8' }),
      /^\d+\.\d+\.\d+\n$/,
    );
    // A sendmail that keeps what it is given.
    const sendmail = join(alone, 'sendmail');
    writeFileSync(sendmail, `#!/bin/sh\ncat > ${join(alone, 'mail')}\n`, { mode: 0o755 });
    const args = [runtime, 'mail', '--to', 'a@example.org,b@example.org', '--subject', 'made: 3 done'];
    const sent = spawnSync(process.execPath, args, {
      input: 'all is well\n',
      encoding: 'utf8',
      env: { LOGOBATCH_SENDMAIL: sendmail, USER: 'ann' },
    });
    assert.equal(sent.status, 0, sent.stderr);
    const mail = readFileSync(join(alone, 'mail'), 'utf8');
    assert.match(mail, /^To: a@example\.org, b@example\.org$/m);
    assert.match(mail, /^Subject: made: 3 done$/m);
    assert.match(mail, /\nall is well/);
    const failed = spawnSync(process.execPath, args, {
      input: '',
      encoding: 'utf8',
      env: { LOGOBATCH_SENDMAIL: '/nowhere' },
    });
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /^logobatch: no mail was sent: /);
    assert.equal(spawnSync(process.execPath, [runtime, 'mial']).status, 2);
  });
});
