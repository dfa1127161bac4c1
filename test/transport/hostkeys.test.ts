import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fingerprint, judge, keyType, knownKeys, lookupName } from '../../src/transport/hostkeys.ts';
import type { Resolved } from '../../src/transport/resolve.ts';
import { makeKey } from '../lab/client.ts';
import { hasProgram, system } from '../lab/command.ts';

describe('host keys', { skip: !hasProgram('ssh-keygen') }, () => {
  let folder: string;
  let own: string;
  let other: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lbk.'));
    for (const name of ['own', 'other']) makeKey(join(folder, name));
    own = publicKey('own');
    other = publicKey('other');
  });
  after(() => rmSync(folder, { recursive: true }));

  const publicKey = (name: string) => readFileSync(join(folder, `${name}.pub`), 'utf8').trim();
  const wire = (key: string) => Buffer.from(key.split(' ')[1] ?? '', 'base64');

  const resolved = (settings: Readonly<Record<string, string>> = {}, port = 22): Resolved => ({
    name: 'lab1',
    hostname: 'lab1.example.org',
    user: 'ann',
    port,
    settings: new Map(
      Object.entries({
        userknownhostsfile: `${join(folder, 'missing')} ${join(folder, 'known')}`,
        globalknownhostsfile: join(folder, 'global'),
        ...settings,
      }).map(([key, value]) => [key, [value]]),
    ),
  });
  const verdict = async (known: string, host = resolved(), global = '') => {
    writeFileSync(join(folder, 'known'), known);
    writeFileSync(join(folder, 'global'), global);
    return judge(await knownKeys(host, 5), wire(own));
  };

  test('are trusted when a file of the user or of the system has them', async () => {
    assert.equal(await verdict(`lab1.example.org ${own}\n`), 'trusted');
    assert.equal(await verdict('', resolved(), `lab1.example.org ${own}\n`), 'trusted');
    assert.equal(await verdict(`other.org,*.example.org ${own} a comment\n`), 'trusted');
    assert.equal(await verdict(`lab1.example.org ${other}\nlab1.example.org ${own}\n`), 'trusted');
  });

  test('are unknown when the files know the host by another port or name only', async () => {
    assert.equal(await verdict(`lab1.example.org ${own}\n`, resolved({}, 2201)), 'unknown');
    assert.equal(await verdict(`[lab1.example.org]:2201 ${own}\n`), 'unknown');
    assert.equal(await verdict(`[lab1.example.org]:2201 ${own}\n`, resolved({}, 2201)), 'trusted');
    assert.equal(await verdict(`lab1.example.org ${own}\n`, resolved({ hostkeyalias: 'login' })), 'unknown');
    assert.equal(await verdict(`login ${own}\n`, resolved({ hostkeyalias: 'login' }, 2201)), 'trusted');
    assert.equal(await verdict(`lab1.example.org,!lab1.example.org ${own}\n`), 'unknown');
    assert.equal(await verdict(''), 'unknown');
    assert.equal(await verdict('not a line of such a file\n@revoked\n\u0000\n'), 'unknown');
  });

  test('are found in a file that hides its names', async () => {
    const known = join(folder, 'known');
    writeFileSync(known, `[lab1.example.org]:2201 ${own}\n`);
    system('ssh-keygen', ['-q', '-H', '-f', known]);
    const hidden = readFileSync(known, 'utf8');
    assert.doesNotMatch(hidden, /lab1/);
    assert.equal(await verdict(hidden, resolved({}, 2201)), 'trusted');
  });

  test('are changed when the host had another one of that kind', async () => {
    assert.equal(await verdict(`lab1.example.org ${other}\n`), 'changed');
  });

  test('are unknown when the host had one of another kind', async () => {
    system('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(folder, 'ecdsa')]);
    assert.equal(await verdict(`lab1.example.org ${publicKey('ecdsa')}\n`), 'unknown');
  });

  test('are revoked when any file says so', async () => {
    assert.equal(await verdict(`lab1.example.org ${own}\n@revoked * ${own}\n`), 'revoked');
  });

  test('of an authority do not make a host known, but are noticed', async () => {
    const line = `@cert-authority *.example.org ${own}\n`;
    assert.equal(await verdict(line), 'unknown');
    assert.equal((await knownKeys(resolved(), 5)).authority, true);
  });

  test('are shown as ssh shows them', () => {
    const shown = system('ssh-keygen', ['-l', '-f', join(folder, 'own.pub')]).split(' ')[1];
    assert.equal(fingerprint(wire(own)), shown);
    assert.equal(keyType(wire(own)), 'ssh-ed25519');
  });

  test('that are no keys have no kind, and harm nobody', () => {
    for (const bytes of [[], [0, 0, 0], [255, 255, 255, 255, 65], [0, 0, 0, 3, 65]])
      assert.ok(keyType(Buffer.from(bytes)).length <= 1);
  });

  test('are looked up by host and port, or by the alias alone', () => {
    assert.equal(lookupName(resolved()), 'lab1.example.org');
    assert.equal(lookupName(resolved({}, 2201)), '[lab1.example.org]:2201');
    assert.equal(lookupName(resolved({ hostkeyalias: 'login' }, 2201)), 'login');
  });
});
