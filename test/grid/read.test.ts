import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Grid } from '../../src/grid/model.ts';
import { gridPath } from '../../src/grid/path.ts';
import { readGrid, readGridText, THIS_MACHINE } from '../../src/grid/read.ts';
import { folderFault, hostFault, userFault } from '../../src/grid/schema.ts';

const DESIGN = `
default_email: me@example.org
storage:
  - name: lab_nfs                 # seen by several nodes: staged once, not once per node
compute:
  - name: desk
    type: local
  - name: lab1
    type: ssh                     # also: compute, compute_server
    hostname: lab1                # anything ssh understands
    username: ann
    slots: 8
    fast_storage: [/disk/scratch, /tmp/]
    remote_storage: [{name: lab_nfs, path: /mnt//lab/.}]
    nice: 10
    max_load: 6.5
    transport: auto
    tags: [netlogo]
  - name: campus
    type: slurm
    hostname: login.campus.edu
    max_jobs: 200
    slurm: {partition: main, account: phys}
`;

function gridOf(text: string): Grid {
  const read = readGridText(text, 'grid.yml');
  assert.ok(read.ok, read.ok ? '' : JSON.stringify(read.diagnostics));
  assert.deepEqual(read.warnings, []);
  return read.grid;
}

describe('a grid file', () => {
  test('becomes resources with every default filled in', () => {
    const plain = { tags: [], nice: 0, keep: false };
    assert.deepEqual(gridOf(DESIGN), {
      defaultEmail: 'me@example.org',
      storages: [{ name: 'lab_nfs' }],
      resources: [
        { kind: 'local', name: 'desk', ...plain },
        {
          kind: 'ssh',
          name: 'lab1',
          tags: ['netlogo'],
          nice: 10,
          keep: false,
          slots: 8,
          maxLoad: 6.5,
          host: { hostname: 'lab1', username: 'ann' },
          fastStorage: ['/disk/scratch', '/tmp'],
          remoteStorage: [{ name: 'lab_nfs', path: '/mnt/lab' }],
          transport: 'auto',
        },
        {
          kind: 'slurm',
          name: 'campus',
          ...plain,
          host: { hostname: 'login.campus.edu' },
          maxJobs: 200,
          options: { partition: 'main', account: 'phys' },
          fastStorage: [],
          remoteStorage: [],
          transport: 'auto',
        },
      ],
    });
  });

  test('knows every word for a kind', () => {
    const kinds = {
      ssh: ['ssh', 'compute', 'compute_server'],
      slurm: ['slurm', 'cluster_slurm', 'slurm_cluster'],
    };
    const all = { ...kinds, local: ['local'], sge: ['sge', 'cluster_sge', 'sge_cluster'] };
    for (const [kind, words] of Object.entries(all))
      for (const word of words) {
        const host = kind === 'ssh' ? ', hostname: h' : '';
        const [resource] = gridOf(`compute: [{name: a, type: ${word}${host}}]`).resources;
        assert.equal(resource?.kind, kind, word);
      }
  });

  test('that names nothing means this machine', () => {
    for (const text of ['', '# nothing yet\n', 'compute:\n', 'compute: []\n', 'default_email: a@b.org\n'])
      assert.deepEqual(gridOf(text).resources, THIS_MACHINE.resources, text);
  });

  test('keeps numbers that are names, and takes addresses of both kinds', () => {
    const hosts = ['10.0.0.5', '::1', "'[fe80::1%eth0]'", 'lab-1.example.org', 'lab_1', '007'];
    const text = hosts
      .map((host, i) => `  - {name: 0${i}, type: ssh, hostname: ${host}, port: 22}\n`)
      .join('');
    const { resources } = gridOf(`compute:\n${text}`);
    assert.deepEqual(
      resources.map(one => one.kind === 'ssh' && [one.name, one.host.hostname, one.host.port]),
      ['10.0.0.5', '::1', 'fe80::1%eth0', 'lab-1.example.org', 'lab_1', '007'].map((host, i) => [
        `0${i}`,
        host,
        22,
      ]),
    );
  });

  test('of the first generation is read as what it means today', () => {
    const read = readGridText(
      'Default_email: me@example.org\nCompute:\n  lab1: {Type: compute_server, hostname: lab1, old_key: 1}\n',
      'grid.yml',
    );
    assert.ok(read.ok);
    assert.deepEqual(
      read.warnings.map(({ code }) => code),
      ['old-form', 'old-form', 'ignored-key'],
    );
    const [lab1] = read.grid.resources;
    assert.ok(
      lab1?.kind === 'ssh' && lab1.host.hostname === 'lab1' && read.grid.defaultEmail === 'me@example.org',
    );
  });

  test('may hold any text without a crash, and what is taken holds nothing that a shell would obey', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('lab1', '-oProxyCommand=x', '/tmp', '~/x', '/a b', '5', 'ssh'),
    );
    fc.assert(
      fc.property(word, word, word, word, (name, hostname, username, folder) => {
        const resource = { name, type: 'ssh', hostname, username, fast_storage: [folder] };
        const read = readGridText(`compute: [${JSON.stringify(resource)}]`, 'grid.yml');
        if (!read.ok) return;
        const [one] = read.grid.resources;
        assert.ok(one?.kind === 'ssh');
        assert.match(one.name, /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/);
        assert.match(one.host.hostname, /^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$/);
        assert.match(one.host.username ?? '', /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/);
        assert.doesNotMatch(one.fastStorage.join(), /['\\!$`\n]|\.\./);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.string(), text => {
        readGridText(text, 'grid.yml');
      }),
      { numRuns: 300 },
    );
  });
});

describe('hosts, users and folders', () => {
  test('that everybody uses are taken', () => {
    for (const host of ['lab1', 'a', 'lab1.example.org', '127.0.0.1', '::1', '[::1]', 'my_alias', 'x-1'])
      assert.equal(hostFault(host), undefined, host);
    for (const user of ['ann', 'a.b', 'a-b', '_x', '12ab']) assert.equal(userFault(user), undefined, user);
    for (const path of ['/tmp', '/a b/c', '~/scratch', '/home/jörg/x', '/a.b/..c', '/data@1/x+y'])
      assert.equal(folderFault(path), undefined, path);
  });

  test('that would be something else are not', () => {
    for (const host of ['-x', '', ' a', 'a ', 'a;b', 'a\nb', '::g', '[a]', 'a/b', `${'a'.repeat(256)}`, 'é'])
      assert.notEqual(hostFault(host), undefined, host);
    for (const user of ['-l', '', 'a b', 'a@b', 'a;b', 'a$'])
      assert.notEqual(userFault(user), undefined, user);
    for (const path of [
      '/',
      '/.',
      '~',
      '~/',
      '~/.',
      'a',
      '/a/..',
      '~x/a',
      '/a\tb',
      '/$(id)',
      '/a`b`',
      '/a"b',
      `/${'a'.repeat(1001)}`,
    ])
      assert.notEqual(folderFault(path), undefined, path);
  });
});

describe('the grid file that counts', () => {
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'logobatch-grid-'));
  });
  after(() => rmSync(home, { recursive: true }));

  test('is the one that was named, then the one of the environment, then the usual one, if it is there', () => {
    const env = { HOME: home, LOGOBATCH_GRID: 'b.yml' };
    assert.equal(gridPath(env, 'a.yml'), 'a.yml');
    assert.equal(gridPath(env, undefined), 'b.yml');
    assert.equal(gridPath(env, 'local'), undefined);
    assert.equal(gridPath({ HOME: home }, undefined), undefined);
    writeFileSync(join(home, '.logobatch.yml'), '');
    assert.equal(gridPath({ HOME: home, LOGOBATCH_GRID: '' }, undefined), join(home, '.logobatch.yml'));
    assert.equal(gridPath({ ...env, LOGOBATCH_GRID: 'local' }, undefined), undefined);
    assert.equal(gridPath({}, undefined), undefined);
  });

  test('that is not there, is a folder or cannot be read is a mistake, not a crash', () => {
    const codes = (path: string) => {
      const read = readGrid(path);
      return read.ok ? [] : read.diagnostics.map(({ code }) => code);
    };
    assert.deepEqual(codes(join(home, 'none.yml')), ['unreadable']);
    mkdirSync(join(home, 'folder'));
    assert.deepEqual(codes(join(home, 'folder')), ['path-kind']);
    const secret = join(home, 'secret.yml');
    writeFileSync(secret, '');
    chmodSync(secret, 0);
    if (process.geteuid?.() !== 0) assert.deepEqual(codes(secret), ['unreadable']);
    writeFileSync(join(home, 'latin.yml'), Buffer.from('default_email: caf\xe9@x.org\n', 'latin1'));
    assert.deepEqual(codes(join(home, 'latin.yml')), ['not-text']);
  });
});
