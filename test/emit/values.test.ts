// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jobfileOf } from '../../src/emit/jobfile.ts';
import { batchOf, jobOf, run, SHELLS } from './jobfile-rig.ts';

const HOSTILE = [
  '',
  ' ',
  '-n',
  '--',
  '-rf /',
  "'",
  '"',
  '`',
  '\\',
  '\\\\',
  '$',
  '$$',
  '$HOME',
  '${HOME}',
  '$(id)',
  '`id`',
  '"$(id)"',
  "'; rm -rf ~ #",
  "it's",
  'a\nb',
  '\n',
  '\n\n',
  'x\n',
  '\nEOF\n',
  'EOF',
  '\tEOF\n\ttab',
  '\t',
  '\r',
  'a\r\nb',
  '\x01',
  '\x7f',
  '\x1b[31m',
  'a\\nb\\0c\\c',
  '%s %d %%',
  '*',
  '?',
  '[a-z]',
  '~',
  '~root',
  '{a,b}',
  '{1..3}',
  '{v}',
  '{{v}}',
  '!',
  '!!',
  '#',
  '# x',
  'a;b&c|d<e>f(g)h',
  'A=1',
  'if',
  'done',
  'esac',
  '2',
  '007',
  '1e3',
  'größe',
  '日本語',
  'ā\u0081\u0088',
  '\u0301',
  '😀',
  '\ufeffx',
  '\u2028',
  'é\n$(x)\\',
];

/** Each place a value may stand in, with what must arrive there. `v` is the value's marker. */
const PLACES: { name: string; command: (v: string) => string; arrives: (value: string) => string }[] = [
  { name: 'bare', command: v => `printf '%s\\0' ${v}`, arrives: x => x },
  { name: 'joined', command: v => `printf '%s\\0' a${v}b`, arrives: x => `a${x}b` },
  { name: 'twice', command: v => `printf '%s\\0' --k=${v}${v}`, arrives: x => `--k=${x}${x}` },
  { name: 'after a name', command: v => `e=E; printf '%s\\0' $e${v}"$e${v}"`, arrives: x => `E${x}E${x}` },
  { name: 'before a redirection', command: v => `printf '%s\\0' ${v}>&1`, arrives: x => x },
  { name: 'double', command: v => `printf '%s\\0' "a${v} b"`, arrives: x => `a${x} b` },
  { name: 'after a backslash', command: v => `printf '%s\\0' "\\${v}"`, arrives: x => `\\${x}` },
  { name: 'single', command: v => `printf '%s\\0' 'a${v} b'`, arrives: x => `a${x} b` },
  { name: 'assigned', command: v => `a=${v}; printf '%s\\0' "$a"`, arrives: x => x },
  {
    name: 'substitution',
    command: v => `printf '%s\\0' "$(printf '%s.' ${v} "${v}" '${v}')"`,
    arrives: x => `${x}.${x}.${x}.`,
  },
  {
    name: 'backticks',
    command: v => `a=\`printf '%s.' ${v} "${v}" '${v}'\`; printf '%s\\0' "$a\`printf %s. ${v}\`"`,
    arrives: x => `${x}.${x}.${x}.${x}.`,
  },
  {
    name: 'here-document',
    command: v => `cat <<EOF; printf '\\0'\n${v}\n\\${v}$(printf '%s.' ${v} "${v}")\nEOF`,
    arrives: x => `${x}\n\\${x}${x}.${x}.\n`,
  },
  {
    name: 'here-document without tabs',
    command: v => `cat <<-EOF; printf '\\0'\n\t${v}\n\tEOF`,
    arrives: x => `${x}\n`,
  },
  {
    name: 'default value',
    command: v => `printf '%s\\0' \${none:-${v}} "\${none:-${v}}" \${none-'${v}'}`,
    arrives: x => [x, x, x].join('\0'),
  },
  {
    name: 'case',
    command: v => `case ${v} in ${v}) printf '%s\\0' yes ;; *) printf '%s\\0' no ;; esac`,
    arrives: () => 'yes',
  },
];

/** Runs all values at all places in one script, and compares byte by byte what arrived. */
function arrivesEverywhere(shell: readonly string[], bash: boolean, values: readonly string[]): void {
  const columns = values.map((_, index) => `v${index}`);
  const lines = values.flatMap((_, index) => PLACES.map(place => place.command(`{v${index}}`)));
  const batch = batchOf([...lines, 'env -0'].join('\n'), columns, { shell: bash ? 'bash' : 'sh' });
  const { status, stdout, stderr } = run(shell, jobfileOf(batch)(jobOf(values)));
  assert.equal(stderr, '');
  assert.equal(status, 0);
  let at = 0;
  for (const value of values) {
    for (const place of PLACES) {
      const expected = Buffer.from(`${place.arrives(value)}\0`);
      const arrived = stdout.subarray(at, at + expected.length);
      if (!arrived.equals(expected)) {
        assert.equal(
          arrived.toString(),
          expected.toString(),
          `${shell.join(' ')}: ${place.name}: ${JSON.stringify(value)}`,
        );
      }
      at += expected.length;
    }
  }
  const env = new Map(
    stdout
      .subarray(at)
      .toString()
      .split('\0')
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  values.forEach((value, index) => {
    assert.equal(
      env.get(`LB_v${index}`),
      value,
      `${shell.join(' ')}: the environment: ${JSON.stringify(value)}`,
    );
  });
}

for (const shell of SHELLS) {
  test(`hostile values arrive byte for byte wherever they stand, in ${shell.join(' ')}`, () => {
    arrivesEverywhere(shell, false, HOSTILE);
    if (shell[0] === 'bash') arrivesEverywhere(shell, true, HOSTILE);
  });

  test(`random values arrive byte for byte wherever they stand, in ${shell.join(' ')}`, () => {
    const nasty = fc.constantFrom(
      ...'\'"`\\$\n\t\r !*?[]{}()<>|&;#~=%-_.,:@+^a1Eéā日😀\x01\x7f\u0081\u0088',
      'EOF',
      '$(',
      '${',
    );
    const value = fc.oneof(
      fc.string({ unit: nasty, maxLength: 20 }),
      fc.string({ unit: 'binary', maxLength: 20 }).map(text => text.replaceAll('\0', '')),
    );
    const values = fc.array(value, { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(values, all => arrivesEverywhere(shell, shell[0] === 'bash', all)),
      { numRuns: 5, endOnFailure: true },
    );
  });

  test(`a value of 100 kB arrives, in ${shell.join(' ')}`, () => {
    arrivesEverywhere(shell, false, ['$x\'"\\\n\tä'.repeat(10_000)]);
  });

  test(`what programs cannot take in their environment is known in the jobfile only, in ${shell.join(' ')}`, () => {
    const long = 'ab'.repeat(65_536);
    const batch = batchOf(`printf '%s' "$LB_a" | wc -c; printf %s {a} | wc -c; env | grep -c '^LB_a='`, [
      'a',
    ]);
    const { stdout, stderr } = run(shell, jobfileOf(batch)(jobOf([long])));
    assert.deepEqual([stdout.toString().split(/\s+/), stderr], [['131072', '131072', '0', ''], '']);
  });
}

test('markers nested in any quoting arrive exactly', () => {
  interface Nested {
    text: string;
    value: (v: string) => string;
  }
  const suffixed = (inner: Nested, text: string): Nested => ({ text, value: v => `${inner.value(v)}.` });
  const { word } = fc.letrec<{ word: Nested; quoted: Nested }>(tie => ({
    word: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom('{v}', "'{v}'", '"{v}"').map((text): Nested => ({ text, value: v => v })),
      tie('quoted').map(({ text, value }) => ({ text: `"${text}"`, value })),
      tie('word').map(inner => suffixed(inner, `"$(printf %s. ${inner.text})"`)),
      tie('word').map(inner => ({ text: `\${none:-${inner.text}}`, value: inner.value })),
    ),
    quoted: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant<Nested>({ text: '{v}', value: v => v }),
      tie('word').map(inner => suffixed(inner, `$(printf %s. ${inner.text})`)),
      tie('word').map(inner => suffixed(inner, `$(case x in (y) ;; x) printf %s. ${inner.text} ;; esac)`)),
      tie('word').map(inner => {
        // The end word of a here-document inside another must be a different one.
        const end = `E${inner.text.length}`;
        return suffixed(inner, `$(cat <<${end}\n$(printf %s. ${inner.text})\n${end}\n)`);
      }),
      tie('quoted').map(inner => ({ text: `\${none:-${inner.text}}`, value: inner.value })),
    ),
  }));
  fc.assert(
    fc.property(fc.array(word, { minLength: 40, maxLength: 40 }), fc.constantFrom(...HOSTILE), (all, v) => {
      const command = all.map(({ text }) => `printf '%s\\0' ${text}`).join('\n');
      const jobfile = jobfileOf(batchOf(command, ['v']))(jobOf([v]));
      const expected = all.map(({ value }) => value(v));
      for (const shell of SHELLS) {
        const { stdout, stderr } = run(shell, jobfile);
        assert.equal(stderr, '');
        const arrived = stdout.toString().split('\0');
        all.forEach(({ text }, index) => {
          assert.equal(
            arrived[index],
            expected[index],
            `${shell.join(' ')}: ${text} with ${JSON.stringify(v)}`,
          );
        });
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
});
