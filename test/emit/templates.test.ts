/** An image's own templates, through the whole of compile. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { compile } from '../../src/compile.ts';
import { renderDiagnostics } from '../../src/diagnostic.ts';
import { imageSources } from '../../src/read/sources.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const JOBFILE = readFileSync('templates/jobfile.sh.hbs', 'utf8');
const ARRAY = readFileSync('templates/array.sh.hbs', 'utf8');

type Own = Readonly<Record<string, string | Buffer>>;

function image(own: Own): string {
  const root = mkdtempSync(join(tmpdir(), 'logobatch-templates-'));
  folders.push(root);
  for (const folder of ['batch_info', 'src']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'src/x'), '');
  put(root, {
    'b.yml': 'batches:\n  - {name: fire, command: "echo {i0}", inputs: [1, 2], mem: 1G}\n',
    ...own,
  });
  return root;
}

function put(root: string, own: Own): void {
  for (const [name, text] of Object.entries(own)) writeFileSync(join(root, 'batch_info', name), text);
}

/** What compile says; an empty text if all is well. */
async function compiled(root: string): Promise<string> {
  const made = await compile(root, { dryRun: false, force: false });
  if (made.kind === 'failed') throw new Error(made.failure.message);
  return renderDiagnostics(made.diagnostics, imageSources(root), { colour: false });
}

/** How many jobfiles a compile writes. */
async function rewritten(root: string): Promise<number> {
  const made = await compile(root, { dryRun: false, force: false });
  assert.equal(made.kind, 'done');
  return made.kind === 'done' ? made.look.jobs.reduce((sum, { changes }) => sum + changes, 0) : 0;
}

const jobfile = (root: string) => readFileSync(join(root, 'data/processed/b/fire/Job2/jobfile.sh'), 'utf8');
const array = (root: string) => readFileSync(join(root, '.logobatch/arrays/b/fire.sh'), 'utf8');

describe("an image's own template", () => {
  test('is used instead of ours', async () => {
    const root = image({
      'jobfile.sh.hbs': JOBFILE.replace(
        '\nset {{options}}',
        '\necho mine: {{name}} of {{id}}\nset {{options}}',
      ),
      'array.sh.hbs': ARRAY.replace('fail() {', '# mine: {{count}}\n#SBATCH --constraint=mine\n\nfail() {'),
    });
    assert.equal(await compiled(root), '');
    assert.match(jobfile(root), /^echo mine: Job2 of b\/fire$/m);
    assert.match(array(root), /^# mine: 2$/m);
    const { stdout } = spawnSync('sh', ['.logobatch/arrays/b/fire.sh'], {
      cwd: root,
      env: { PATH: process.env.PATH, SLURM_ARRAY_TASK_ID: '2' },
      encoding: 'utf8',
    });
    assert.equal(stdout, 'mine: Job2 of b/fire\n2\n');
  });

  test('may use every value there is, and ours are templates like any other', async () => {
    const root = image({ 'jobfile.sh.hbs': JOBFILE, 'array.sh.hbs': ARRAY });
    assert.equal(await compiled(root), '');
    const [jobs, arrays] = [jobfile(root), array(root)];
    rmSync(join(root, 'batch_info/jobfile.sh.hbs'));
    rmSync(join(root, 'batch_info/array.sh.hbs'));
    assert.equal(await rewritten(root), 0);
    assert.deepEqual([jobfile(root), array(root)], [jobs, arrays]);
  });

  test('is noticed when it was edited, when nothing else was, and when it is gone', async () => {
    const root = image({});
    assert.equal(await rewritten(root), 2);
    put(root, { 'jobfile.sh.hbs': JOBFILE.replace('\nset {{options}}', '\n# mine\nset {{options}}') });
    assert.equal(await rewritten(root), 2);
    assert.equal(await rewritten(root), 0);
    // Only in what none of the jobs here say.
    put(root, { 'jobfile.sh.hbs': `${JOBFILE}{{#if pairs}}\n# pairs\n{{else}}\n# alone\n{{/if}}\n` });
    assert.equal(await rewritten(root), 2);
    assert.match(jobfile(root), /# alone\n$/);
    rmSync(join(root, 'batch_info/jobfile.sh.hbs'));
    assert.equal(await rewritten(root), 2);
    assert.doesNotMatch(jobfile(root), /alone|mine/);
  });

  test('may have the line ends of Windows and a mark at its start', async () => {
    const root = image({ 'array.sh.hbs': `\ufeff${ARRAY.replaceAll('\n', '\r\n')}` });
    assert.equal(await compiled(root), '');
    const own = array(root);
    rmSync(join(root, 'batch_info/array.sh.hbs'));
    assert.equal(await compiled(root), '');
    assert.equal(own, array(root));
  });

  const KNOWN =
    'interpreter, shell, options, digest, cpus, pairs, id, name, file, out, directives, values, from, env, modules, container, command';
  const first = '#!{{interpreter}}\n#: {{digest}} {{cpus}}\n{{#if pairs}}\n#: needs {{pairs}}\n{{/if}}\n';
  const wrong: [string, Own, string][] = [
    [
      'a value that is not there',
      { 'jobfile.sh.hbs': `${first}echo {{nme}}\n` },
      `6:8: error: no value is called "nme" [template]
 6 | echo {{nme}}
   |        ^^^
  hint: did you mean "name"? known here: ${KNOWN}
`,
    ],
    [
      'a value of a list that is not there',
      { 'jobfile.sh.hbs': `${first}{{#each env}}\n{{variable}}={{val}}\n{{/each}}\n` },
      `7:16: error: no value is called "val" [template]
 7 | {{variable}}={{val}}
   |                ^^^
  hint: known here: variable, value
`,
    ],
    [
      'a value in an if that does not hold',
      { 'jobfile.sh.hbs': `${first}{{#unless container}}{{#if name.first}}{{/if}}{{/unless}}\n` },
      `6:28: error: no value is called "name.first" [template]
 6 | {{#unless container}}{{#if name.first}}{{/if}}{{/unless}}
   |                            ^^^^^^^^^^
  hint: known here: ${KNOWN}
`,
    ],
    [
      'a helper that is not there',
      { 'array.sh.hbs': `${ARRAY}{{upper name}}\n` },
      `39:3: error: no helper is called "upper" [template]
 39 | {{upper name}}
    |   ^^^^^
  hint: known here: pad
`,
    ],
    [
      'a block that is not there',
      { 'array.sh.hbs': `${ARRAY}{{#directives}}{{/directives}}\n` },
      `39:4: error: no block is written "#directives" [template]
 39 | {{#directives}}{{/directives}}
    |    ^^^^^^^^^^
  hint: known here: #each VALUE, #if VALUE, #unless VALUE
`,
    ],
    [
      'a list that is none',
      { 'array.sh.hbs': `${ARRAY}{{#each name}}{{/each}}\n` },
      `39:9: error: "name" is no list [template]
 39 | {{#each name}}{{/each}}
    |         ^^^^
  hint: write it out
`,
    ],
    [
      'a template in it',
      { 'array.sh.hbs': `${ARRAY}{{> other}}\n` },
      `39:1: error: a template cannot be put into another one [template]
 39 | {{> other}}
    | ^^^^^^^^^^^
  hint: write it out
`,
    ],
    [
      'braces that are not closed',
      { 'jobfile.sh.hbs': `${first}echo {{name}\n` },
      `6:1: error: the template cannot be parsed: what stands in braces cannot be read [template]
 6 | echo {{name}
   | ^^^^^^^^^^^^
  hint: two braces begin a value, {{name}}, or a block, {{#if name}} … {{/if}}; \\{{ is as written
`,
    ],
    [
      'a block that is not closed',
      { 'jobfile.sh.hbs': `${first}{{#if name}}\n` },
      `7:1: error: the template cannot be parsed: a block is not closed [template]
 7 |
   | ^
  hint: two braces begin a value, {{name}}, or a block, {{#if name}} … {{/if}}; \\{{ is as written
`,
    ],
    [
      'a block that is closed as another one',
      { 'jobfile.sh.hbs': `${first}{{#if name}}{{/each}}\n` },
      `6:4: error: the template cannot be parsed: if doesn't match each [template]
 6 | {{#if name}}{{/each}}
   |    ^^^^^^^^^^^^^^^^^^
  hint: two braces begin a value, {{name}}, or a block, {{#if name}} … {{/if}}; \\{{ is as written
`,
    ],
    [
      'no line for make',
      { 'jobfile.sh.hbs': '#!/bin/sh\n# {{name}}\n#: {{digest}} {{cpus}}\n{{command}}\n' },
      `2:1: error: the second line of a jobfile is read by make: it must say what the job is [template]
 2 | # {{name}}
   | ^
  hint: write #: {{digest}} {{cpus}}
`,
    ],
    [
      'a line for make without its processors',
      { 'jobfile.sh.hbs': '#!/bin/sh\n#: {{digest}}\n{{command}}\n' },
      `2:1: error: the second line of a jobfile is read by make: it must say what the job is [template]
 2 | #: {{digest}}
   | ^
  hint: write #: {{digest}} {{cpus}}
`,
    ],
    [
      'no line for what a job needs',
      { 'jobfile.sh.hbs': '#!/bin/sh\n#: {{digest}} {{cpus}}\n{{command}}\n' },
      `3:1: error: make reads in the third line of a jobfile which jobs it needs, where there are some [template]
 3 | {{command}}
   | ^
  hint: write the three lines {{#if pairs}}, #: needs {{pairs}}, {{/if}}
`,
    ],
    [
      'no shell',
      { 'jobfile.sh.hbs': '{{command}}\n', 'array.sh.hbs': 'true\n' },
      `1:1: error: the first line of a job array names its shell [template]
 1 | true
   | ^
  hint: write #!/bin/sh

batch_info/jobfile.sh.hbs:1:1: error: the first line of a jobfile names its shell [template]
 1 | {{command}}
   | ^
  hint: write #!{{interpreter}}
`,
    ],
    [
      'no way for make to use it',
      { 'array.sh.hbs': ARRAY.replace(/^.*\/task".*\n/m, '# exec sh "$1/../../task" "$1" "$task"\n') },
      `1:1: error: make could not use this job array: it does not hand its task over [template]
 1 | #!/bin/sh
   | ^
  hint: keep the line [ $# -eq 0 ] || exec sh "$1/../../task" "$1" "$task" and the lines before it that set task
`,
    ],
    [
      'bytes that are no text',
      { 'array.sh.hbs': Buffer.from('#!/bin/sh\n# caf\xe9\n', 'latin1') },
      `1:1: error: the template is not text in UTF-8 [template]
 1 | #!/bin/sh
   | ^
  hint: save the file as UTF-8, without NUL characters
`,
    ],
    [
      'a NUL character',
      { 'array.sh.hbs': `${ARRAY}\0` },
      `1:1: error: the template is not text in UTF-8 [template]
 1 | #!/bin/sh
   | ^
  hint: save the file as UTF-8, without NUL characters
`,
    ],
  ];
  for (const [what, own, said] of wrong) {
    test(`with ${what} is a mistake with its place and cure, and nothing is written`, async () => {
      const root = image(own);
      assert.equal(await compiled(root), `batch_info/${Object.keys(own).sort()[0]}:${said}`);
      assert.deepEqual(
        [existsSync(join(root, 'Makefile')), existsSync(join(root, '.logobatch'))],
        [false, false],
      );
    });
  }

  test('in place of which a folder stands is a mistake, too', async () => {
    const root = image({});
    mkdirSync(join(root, 'batch_info/array.sh.hbs'));
    assert.match(
      await compiled(root),
      /^batch_info\/array\.sh\.hbs:1:1: error: this is no file \[template\]/,
    );
  });
});
