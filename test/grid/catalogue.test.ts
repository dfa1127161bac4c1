/**
 * The messages about grid files, as whole texts. `UPDATE_GOLDEN=1` writes the golden file anew; its diff is then read like code.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderDiagnostics } from '../../src/diagnostic.ts';
import { readGrid } from '../../src/grid/read.ts';
import { GRID_CODES } from '../../src/read/codes.ts';
import { imageSources } from '../../src/read/sources.ts';

const GOLDEN = join(process.cwd(), 'test', 'grid', 'catalogue.golden.txt');

const ssh = (lines: string) =>
  `compute:\n  - name: a\n    type: ssh\n    hostname: a\n${lines.replace(/^/gm, '    ')}\n`;

/** By what is wrong in it. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'a file that is none': ['- a\n', 'compute: 5\n', 'storage: lab\n', '---\n---\n'],
  'keys that mean nothing': [
    'compue: []\n',
    ssh('slotz: 4\nremote_storage: [{name: x, paht: /mnt}]'),
    'compute:\n  - {name: a, type: local, hostname: b}\n  - {name: c, type: slurm, slots: 4, sge: {q: all.q}}\n',
  ],
  'keys that are missing': ['compute: [{type: shh}, {name: a, type: ssh}, {name: b}, c, {name: }]\n'],
  'names that are none': [
    "compute: [{name: -x, type: local}, {name: 'a b', type: local}, {name: '-', type: local}, {name: é, type: local}]\n",
  ],
  'names that are there twice': [
    'compute: [{name: Lab, type: ssh, hostname: a}, {name: lab, type: ssh, hostname: b}, {name: x, type: local}, {name: y, type: local}]\n',
    'storage: [{name: s}, {name: s}, t, T, {}]\n',
  ],
  'hosts and users that are something else': [
    'compute:\n' +
      ['-oProxyCommand=touch /tmp/pwn', 'a;id', 'a$(id)', 'a b', 'ann@lab', 'lab:22', '"a\\nb"', '[::1', '']
        .map(
          (host, i) =>
            `  - {name: h${i}, type: ssh, hostname: ${/^["[]/.test(host) ? `'${host}'` : JSON.stringify(host)}}\n`,
        )
        .join('') +
      '  - {name: n, type: ssh, hostname: "a\\nb"}\n',
    ssh('username: x;id'),
    ssh('username: -l'),
    ssh('username: a@b'),
  ],
  'ports and numbers': [
    'compute:\n' +
      ['0', '65536', '22;id', '0x16', '022', '1.5']
        .map((port, i) => `  - {name: p${i}, type: ssh, hostname: h${i}, port: ${port}}\n`)
        .join(''),
    'compute:\n' +
      ['0', '-1', '1.5', '"4"', '100000']
        .map((slots, i) => `  - {name: s${i}, type: ssh, hostname: h${i}, slots: ${slots}}\n`)
        .join(''),
    ssh('nice: 20\nmax_load: 0\nkeep: maybe\ntransport: telnet'),
  ],
  'folders that a shell could take for something else': [
    ssh(
      `fast_storage: [/, "~", scratch, /a/../b, $HOME/x, "/a'b", '/a\\b', "/a!b", "/a\\nb", "", "-x", "~ann/x", /ok]`,
    ),
  ],
  password: [ssh('password: geheim'), 'Password: x\n'],
  'storage-unknown': [
    ssh('remote_storage: [{name: lab, path: /mnt/lab}]'),
    `storage: [lab]\n${ssh('remote_storage: [{name: lba, path: /mnt}, {name: lab, path: /a}, {name: lab, path: /b}, {name: lab}, {name: lab, path: ~/x}]')}`,
  ],
  'duplicate-host': [
    'compute: [{name: a, type: ssh, hostname: lab1}, {name: b, type: ssh, hostname: LAB1, username: bob}]\n',
  ],
  'scheduler options': [
    'compute:\n  - name: c\n    type: slurm\n    slurm: {wrap: id, output: /etc/x, uid: 0, partiton: main, account: "a\\nb"}\n',
  ],
  'files of the first generation': [
    'Default_email: me@example.org\nStorage:\n  - name: s\nCompute:\n  - Name: lab1\n    Type: compute_server\n    hostname: lab1\n    multi_threaded: true\n',
    'compute:\n  lab1: {type: compute, hostname: lab1, multi_threaded: true}\n',
    'Compute: []\ncompute: []\n',
  ],
};

function complaints(text: string): string {
  writeFileSync('grid.yml', text);
  const read = readGrid('grid.yml');
  const shown = renderDiagnostics(read.ok ? read.warnings : read.diagnostics, imageSources('.'), {
    colour: false,
  });
  return `${shown}==== ${read.ok ? 'taken' : 'refused'}\n`;
}

test('every message about a grid file reads as it did', () => {
  // The messages name the file as it was given: so it is given without a folder.
  const folder = mkdtempSync(join(tmpdir(), 'logobatch-grid-'));
  const repository = process.cwd();
  process.chdir(folder);
  let text = '';
  try {
    for (const [what, examples] of Object.entries(EXAMPLES)) {
      text += `######## ${what}\n\n`;
      for (const example of examples) text += `${complaints(example)}\n`;
    }
  } finally {
    process.chdir(repository);
    rmSync(folder, { recursive: true });
  }
  for (const code of Object.keys(GRID_CODES)) assert.match(text, new RegExp(`\\[${code}\\]`), code);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(join(GOLDEN, '..'), { recursive: true });
    writeFileSync(GOLDEN, text);
  }
  assert.equal(text, readFileSync(GOLDEN, 'utf8'));
});
