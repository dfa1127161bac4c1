import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readGridText } from '../src/grid/read.ts';
import { gridSchema, resourceSchema } from '../src/grid/schema.ts';
import { readImage } from '../src/validate/image.ts';
import { batchSchema, bbatchSchema } from '../src/validate/schema.ts';

const readme = readFileSync('README.md', 'utf8');
const work = mkdtempSync(join(tmpdir(), 'logobatch-readme-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** The insides of the code blocks in a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, of]) => of === language)
    .map(([, , text = '']) => text);
}

/** The first cells of all tables: what they explain. */
const explained = readme
  .split('\n')
  .filter(line => line.startsWith('| '))
  .map(line => line.split(/ \| /)[0] ?? '');

/** The names in the first cells of the table that begins like this. */
function keysIn(head: string): string[] {
  const at = readme.indexOf(head);
  assert.ok(at >= 0, head);
  const rows = readme.slice(at, readme.indexOf('\n\n', at)).split('\n').slice(2);
  return rows.flatMap(row => [...(row.split(/ \| /)[0] ?? '').matchAll(/`(\w+)`/g)].map(m => m[1] ?? ''));
}

describe('README.md', () => {
  test('shows only YAML that is a valid bbatch or grid file', async () => {
    const isGrid = (text: string) => /^compute:/m.test(text);
    const grids = blocks('yaml').filter(isGrid);
    assert.ok(grids.length >= 1);
    for (const text of grids) {
      const read = readGridText(text, 'grid.yml');
      assert.deepEqual(read.ok ? read.warnings : read.diagnostics, [], text);
    }
    const files = blocks('yaml').filter(text => !isGrid(text));
    assert.ok(files.length >= 2);
    for (const [i, text] of files.entries()) {
      const root = join(work, `image${i}`);
      mkdirSync(join(root, 'batch_info'), { recursive: true });
      mkdirSync(join(root, 'src'));
      writeFileSync(join(root, 'batch_info/bbatch_1.yml'), text);
      writeFileSync(join(root, 'batch_info/sweep.csv'), 'density,seed\n0.5,1\n0.6,2\n');
      const read = await readImage(root);
      assert.deepEqual(read.diagnostics, [], text);
      assert.ok(read.ok);
    }
  });

  test('names only forms of inputs that are valid', async () => {
    const at = readme.indexOf('| `inputs:` |');
    const table = readme.slice(at, readme.indexOf('\n\n', at));
    const forms = [...table.matchAll(/^\| `[^|]*\|/gm)].flatMap(([cell]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, form = '']) => form).filter(form => form !== 'inputs:'),
    );
    assert.ok(forms.length >= 6);
    const root = join(work, 'inputs');
    mkdirSync(join(root, 'batch_info'), { recursive: true });
    mkdirSync(join(root, 'data/raw/maps'), { recursive: true });
    for (const file of ['batch_info/sweep.csv', 'model.nlogo', 'data/raw/maps/a.asc'])
      writeFileSync(join(root, file), '1\n2\n');
    for (const form of forms) {
      writeFileSync(
        join(root, 'batch_info/b.yml'),
        `batches:\n  - name: x\n    command: echo {i0}\n    inputs: ${form}\n`,
      );
      assert.deepEqual((await readImage(root)).diagnostics, [], form);
    }
  });

  test('explains every key of the schema', () => {
    const keys = [...Object.keys(batchSchema.shape)];
    assert.ok(keys.length > 30);
    for (const key of keys)
      assert.ok(
        explained.some(cell => cell.includes(`\`${key}\``)),
        key,
      );
    for (const key of Object.keys(bbatchSchema.shape)) assert.ok(readme.includes(`\`${key}\``), key);
    const machines = keysIn('| key of a machine |');
    assert.deepEqual(machines.sort(), Object.keys(resourceSchema.shape).sort());
    for (const key of Object.keys(gridSchema.shape)) assert.ok(readme.includes(`\`${key}\``), key);
  });

  test('speaks of no key that does not exist', () => {
    assert.deepEqual(
      keysIn('| key |').filter(key => !Object.hasOwn(batchSchema.shape, key)),
      [],
    );
  });

  test('names the targets of make help, no more and no fewer', () => {
    const help = spawnSync('sh', ['templates/shell/help'], { encoding: 'utf8' }).stdout;
    const targets = (text: string) =>
      new Set([...text.matchAll(/\bmake (-?[a-z]+)\b(?![\w/])/g)].map(([, name = '']) => name));
    const inReadme = targets([...readme.matchAll(/`(make [^`]*)`/g)].map(([, code]) => code).join('\n'));
    const inHelp = targets(help);
    // The list itself has no line about itself.
    inHelp.add('help');
    assert.deepEqual([...inReadme].sort(), [...inHelp].sort());
  });

  test('links only to what is there', () => {
    for (const [, target = ''] of readme.matchAll(/\]\(([^)#]+)\)/g)) {
      if (!/^https?:/.test(target)) assert.ok(existsSync(target), target);
    }
  });

  test('gives the two commands first, each in a block of its own', () => {
    assert.deepEqual(blocks('sh').slice(0, 2), ['npm run example\n', 'npm test\n']);
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, name = ''] of readme.matchAll(/^npm run (\w+)$/gm)) assert.ok(scripts[name], name);
  });

  test('shows output as it is, but for seconds and slots', { skip: !existsSync('dist/makebimg.mjs') }, () => {
    const cwd = join(work, 'start');
    mkdirSync(cwd);
    const bin = join(work, 'bin');
    mkdirSync(bin);
    for (const name of ['makebimg', 'logobatch'])
      writeFileSync(
        join(bin, name),
        `#!/bin/sh\nexec '${process.execPath}' '${process.cwd()}/dist/${name}.mjs' "$@"\n`,
        {
          mode: 0o755,
        },
      );
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: work,
      LOGOBATCH_SLOTS: join(work, 'slots'),
      LOGOBATCH_LOCAL_SLOTS: '2',
    };
    const sh = (folder: string, script: string) =>
      spawnSync('sh', ['-c', `exec 2>&1; ${script}`], { cwd: folder, env, encoding: 'utf8' }).stdout;
    const [start = '', edited = '', mistaken = ''] = blocks('console');
    const image = join(cwd, 'epidemic');
    // `cd` says nothing; each of the others is run where it stands.
    assert.equal(
      `$ makebimg epidemic\n${sh(cwd, 'makebimg epidemic')}$ cd epidemic\n${replay(start)}`,
      plain(start),
    );
    sh(image, 'sed -i "s/^0.6,3/0.7,3/" batch_info/inputs.csv');
    assert.equal(replay(edited), plain(edited));
    sh(image, 'sed -i "s/{seed}/{sead}/" batch_info/bbatch_1.yml');
    assert.equal(replay(mistaken), plain(mistaken));

    function replay(block: string): string {
      const commands = [...block.matchAll(/^\$ (logobatch.*|make\b.*)$/gm)].map(
        ([, command = '']) => command,
      );
      // A number would go stale with each script of ours.
      const said = (command: string) =>
        sh(image, command).replace(/and \d+ other files\./, 'and … other files.');
      return plain(commands.map(command => `$ ${command}\n${said(command)}`).join(''));
    }
    function plain(text: string): string {
      return text.replace(/ in \d+ s;/, ' in N s;');
    }
  });
});
