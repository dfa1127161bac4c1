import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Project, project } from './rig.ts';

/** Values that mean something to sh, make, awk, sed, printf, YAML, CSV, Handlebars or a terminal. */
const VALUES: readonly string[] = [
  '',
  ' ',
  '  two  blanks  ',
  "'",
  '"',
  `it's "quoted"`,
  `'"'"'`,
  `'; touch "$HOME/pwned" #`,
  '"; touch "$HOME/pwned"; "',
  '$(touch "$HOME/pwned")',
  '`touch "$HOME/pwned"`',
  '\u0024{HOME}$HOME$$$1$@',
  '$((1+1))',
  '$(shell touch $(HOME)/pwned)',
  '\\',
  '\\\\',
  'ends in a backslash\\',
  '\\n\\t\\0\\x41\\101',
  '%s%d%n%%',
  'a\nb',
  '\n',
  'ends in a line break\n',
  '\n\n\nmany\n\n\n',
  'windows\r\nline\r',
  '\t',
  'tab\there',
  '*',
  '?[a-z]*.sh',
  '~',
  '~root/x',
  '-n',
  '--',
  '-rf /',
  '--help',
  '&',
  'a;b|c&d<e>f(g)h{i}j',
  '{out}',
  '{{x}}{{{y}}}',
  '{v}{id}',
  '#comment',
  '!history!',
  'a=b',
  "=cmd|' /C calc'!A0",
  'a,b;c',
  'EOF',
  'END\nEND\n',
  '\u0001\u0002\u0007\b\u000b\f\u000e\u001b[31mred\u001b[0m\u001f\u007f',
  '\u0085\u00a0\u2028\u2029\ufeff',
  'ünïcödé 日本語 🔥',
  'e\u0301',
  '__proto__',
  'constructor',
  '0',
  '007',
  '1e999',
  'NO',
  'null',
  'x'.repeat(100_000),
  `'"$\`\\\n`.repeat(2_000),
];

const PLACES = ['bare', 'double', 'single', 'within', 'variable', 'child', 'here'] as const;
/** Writes the value by each way a command may take it. */
const COMMAND = `
printf %s {v} > {out}/bare
printf %s "{v}" > {out}/double
printf %s '{v}' > {out}/single
printf %s a"b{v}c"'d{v}e'{v} > {out}/within
printf %s "$LB_v" > {out}/variable
awk 'BEGIN { printf "%s", ENVIRON["LB_v"] }' > {out}/child
cat > {out}/here <<LIMIT
{v}
LIMIT
`;

const wanted = (value: string, place: (typeof PLACES)[number]) =>
  place === 'within' ? `ab${value}cd${value}e${value}` : place === 'here' ? `${value}\n` : value;

const yaml = (inputs: string, shell: string) => `batches:
  - name: fire
    command: |
      ${COMMAND.trim().replaceAll('\n', '\n      ')}
    inputs: ${inputs}
    shell: ${shell}
    bundle: 20
`;
const csv = `k,v\n${VALUES.map((value, i) => `${i},"${value.replaceAll('"', '""')}"\n`).join('')}`;
/** Double-quoted YAML, in which JSON is at home. */
const list = `{zip: {k: [${VALUES.map((_, i) => i).join(', ')}], v: [${VALUES.map(value => JSON.stringify(value)).join(', ')}]}}`;

async function assertByteExact(image: Project): Promise<void> {
  const { code, out } = await image.make(['-k']);
  assert.equal(code, 0, out);
  for (const [i, value] of VALUES.entries()) {
    for (const place of PLACES) {
      const found = readFileSync(join(image.root, `data/processed/b/fire/Job${i + 1}/${place}`));
      const right = found.equals(Buffer.from(wanted(value, place)));
      assert.ok(
        right,
        `${place} of ${JSON.stringify(value).slice(0, 60)}: ${JSON.stringify(found.toString()).slice(0, 80)}`,
      );
    }
  }
  assert.equal(existsSync(join(image.home, 'pwned')), false);
  assert.doesNotMatch(image.read('Makefile'), /pwned/);
}

describe('a hostile table', () => {
  const cases: readonly (readonly [sh: string, shell: string, inputs: string])[] = [
    ['dash', 'sh', 't.csv'],
    ['bash', 'sh', 't.csv'],
    ['busybox', 'sh', list],
    ['dash', 'bash', 't.csv'],
  ];
  for (const [sh, shell, inputs] of cases) {
    test(`reaches jobs in ${shell} byte for byte through ${inputs === list ? 'YAML' : 'CSV'}, compile and make, where sh is ${sh}`, async () => {
      const image = await project({
        files: { 'batch_info/b.yml': yaml(inputs, shell), 'batch_info/t.csv': csv },
        sh,
      });
      try {
        await assertByteExact(image);
        assert.deepEqual(readdirSync(image.root).sort(), ['.logobatch', 'Makefile', 'batch_info', 'data']);
      } finally {
        image.remove();
      }
    });
  }
});
