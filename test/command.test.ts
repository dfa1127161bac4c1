// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnVariables, shellText } from '../src/command/fill.ts';
import { fill, findMarkers, parseTemplate } from '../src/command.ts';
import type { MarkerRef } from '../src/model.ts';

const job = { values: ['0.5', "it's"], name: 'Job7', number: 7, cpus: 4, out: 'data/processed/b/f/Job7' };
const refs: Record<string, MarkerRef> = {
  a: { kind: 'column', index: 0 },
  b: { kind: 'column', index: 1 },
  exe: { kind: 'constant', value: 'my model' },
  id: { kind: 'job', what: 'id' },
  n: { kind: 'job', what: 'n' },
  cpus: { kind: 'job', what: 'cpus' },
  out: { kind: 'job', what: 'out' },
};
const parse = (source: string, bash = false) =>
  parseTemplate(source, true, marker => refs[marker.name], bash);

/** The command of a job, and what had to be refused. */
function shell(source: string, values: readonly string[] = job.values, bash = false): string {
  const { template, unknown, unusable, unterminated } = parse(source, bash);
  assert.deepEqual([unknown, unusable, unterminated], [[], [], []]);
  const { texts, pieces } = shellText(template, ['LB_a', 'LB_b']);
  return texts.map((text, index) => text + (pieces[index]?.({ ...job, values }) ?? '')).join('');
}

/** `name:where` of each marker, with `+var` where the value comes out of a variable. */
const quoting = (source: string, bash = false) =>
  findMarkers(source, true, bash).map(m => `${m.name}:${m.where}${m.byVariable ? '+var' : ''}`);

test('a marker is an identifier in braces that does not follow a $; every other brace stays', () => {
  const source = "awk '{print $1} {a}' ${HOME} {a,b} {} { a } {1} {a-b} $${a} {a}";
  assert.deepEqual(
    findMarkers(source, true).map(m => [m.name, m.start, m.end]),
    [
      ['a', 16, 19],
      ['a', source.length - 3, source.length],
    ],
  );
  assert.equal(shell(source, ['x']), "awk '{print $1} x' ${HOME} {a,b} {} { a } {1} {a-b} $${a} x");
});

test('doubled braces yield single ones, in a shell text and in any other', () => {
  assert.equal(
    shell('awk \'{{print}}\' {{a}} "{{a}}" {{{a}}} {{ a }}'),
    'awk \'{print}\' {a} "{a}" {{a}} {{ a }}',
  );
  const { template } = parseTemplate('{{a}}-{a}.{n}', false, marker => refs[marker.name]);
  assert.equal(fill(template, job), '{a}-0.5.7');
});

test('a text that no shell reads takes the values as they are', () => {
  const { template, unknown } = parseTemplate(
    '"{b}" $(x) {id} {cpus} {out} {exe} {what}',
    false,
    m => refs[m.name],
  );
  assert.equal(fill(template, job), '"it\'s" $(x) Job7 4 data/processed/b/f/Job7 my model {what}');
  assert.deepEqual(
    unknown.map(m => [m.name, m.start, m.end, m.where]),
    [['what', 35, 41, 'plain']],
  );
});

test('each marker knows the quoting it stands in', () => {
  const cases: [string, string[]][] = [
    ['x {a} "{b}" \'{n}\'', ['a:bare', 'b:double', 'n:single']],
    ['"\\"{a}" \\"{b} \\\\"{n}"', ['a:double', 'b:bare', 'n:double']],
    ['"$(x {a} "{b}" \'{n}\')" {id}', ['a:bare', 'b:double', 'n:single', 'id:bare']],
    ['"$(x "$(y {a})")" "{b}"', ['a:bare', 'b:double']],
    [
      '`x {a} \'{b}\'` "`{n} "{id}"`{a}"',
      ['a:bare+var', 'b:single+var', 'n:bare+var', 'id:double+var', 'a:double'],
    ],
    ['${x:-{a}} "${x:+{b}\'}" {n}', ['a:bare+var', 'b:double+var', 'n:bare']],
    ['$(case x in a) {a};; (b) {b};; esac; "{n}") {id}', ['a:bare', 'b:bare', 'n:double', 'id:bare']],
    ['$((a) | (b "{a}")) {b}', ['a:double', 'b:bare']],
    ['$((1 + (2) )) {a} # {b}\n{n}#{id}', ['a:bare', 'b:comment', 'n:bare', 'id:bare']],
    ['x $# {a} a#"{b}"', ['a:bare', 'b:double']],
    ['cat <<E {a}\n{b} "\n$(x {n})\nE\n"{id}"', ['a:bare', 'b:heredoc+var', 'n:bare+var', 'id:double']],
    ["cat <<A <<-'B'\n{a}\nA\n\t'\n\tB\n{b}", ['a:heredoc+var', 'b:bare']],
    ['cat <<E\n\\\\\\\nE\n{a}\nE\n{b}', ['a:heredoc+var', 'b:bare']],
    ['cat <<<"{a}" >&2\n{b}', ['a:double', 'b:bare']],
    ['x=$(cat <<E\n)\nE\n) "{a}"', ['a:double']],
  ];
  for (const [source, expected] of cases) {
    assert.deepEqual(quoting(source), expected, source);
    assert.deepEqual(quoting(source, true), expected, source);
  }
});

test('bash has quotes and expressions of its own', () => {
  assert.deepEqual(quoting("$'\\'{a}' {b}", true), ['a:single', 'b:bare']);
  assert.deepEqual(quoting('((x = {n})); [[ x == {a} ]]; l=({a} "{b}")', true), [
    'n:plain',
    'a:bare',
    'a:bare',
    'b:double',
  ]);
});

test('a value is quoted only where it has to be', () => {
  assert.equal(shell('x -d={a} {b} {exe}', ['0.5', 'oak']), "x -d=0.5 oak 'my model'");
  assert.equal(shell('{a}', ['']), "''");
  assert.equal(shell('{a}{b}', ["a'b", '-n']), "'a'\\''b'-n");
  assert.equal(shell('"{a}" \'{b}\'', ['$x`"\\', "'"]), "\"\\$x\\`\\\"\\\\\" ''\\'''");
  assert.equal(shell('x > {out}/a "{out}" \'{out}\''), 'x > "$LB_OUT"/a "${LB_OUT}" \'\'"$LB_OUT"\'\'');
  assert.equal(shell('$(({cpus} * {n}))'), '$((4 * 7))');
  assert.equal(shell('x {1..{cpus}}', [], true), 'x {1..4}');
});

test('a plain value never becomes syntax beside the text around it', () => {
  const cases: [string, string[], string][] = [
    ['{a}; x', ['if'], "'if'; x"],
    ['i{a}; x', ['f'], "i'f'; x"],
    ['{a}{b}', ['i', 'f'], "'i''f'"],
    ['echo {a}> x', ['2'], "echo '2'> x"],
    ['echo {n}> x', [], "echo '7'> x"],
    ['{a}=1', ['PATH'], "'PATH'=1"],
    ['{a} x', ['A=1'], "'A=1' x"],
    ['~{a}/x', ['root'], "~'root'/x"],
    ['ls [{a}]', ['a-z'], "ls ['a-z']"],
    ['x {1,{a}}', ['2'], "x {1,'2'}"],
    ['$HOME{a}', ['x'], "$HOME'x'"],
    ['"$HOME{a}"', ['x'], '"$HOME""x"'],
    ['"\\{a}"', ['$x'], '"\\\\\\$x"'],
  ];
  for (const [source, values, expected] of cases) assert.equal(shell(source, values), expected, source);
});

test('a place where no value could arrive exactly is refused, with the reason and the cure', () => {
  const cases: [string, RegExp, bash?: boolean][] = [
    ["cat <<'E'\n{a}\nE", /end word of this here-document is quoted.*leave its quotes out/],
    ['cat <<{a}\nE', /end word/],
    ["x $'{a}'", /close the quote/, true],
    ['$((1 + {a}))', /computed as an expression here; set a variable to it first \(x=\{a\}\)/],
    ['((x = {a}))', /expression/, true],
    ['l[{a}]=1', /expression/, true],
    ['${x#{a}}', /pattern/],
    ['"${x:-"{a}"}"', /inner quotes/],
    ['"`x \\"{a}\\"`"', /write \$\(…\) instead/],
    ['\\{a}', /backslash.*\{\{a\}\} for a literal \{a\}/],
  ];
  for (const [source, why, bash] of cases) {
    const { unusable } = parse(source, bash);
    assert.equal(unusable.length, 1, source);
    assert.match(unusable[0]?.why ?? '', why);
    assert.equal(unusable[0]?.marker.name, 'a');
  }
});

test('in a comment nothing is filled in, and nothing is unknown', () => {
  assert.equal(
    shell('x # the {a} of {what}, not its\' "{b}"\n{a}'),
    'x # the {a} of {what}, not its\' "{b}"\n0.5',
  );
});

test('what is opened and never ended is found at its opening', () => {
  const cases: [string, number, string][] = [
    ["x 'a", 2, "'"],
    ['x "a', 2, '"'],
    ['x "$(y "a)"', 3, '$('],
    ['x $(y', 2, '$('],
    ['x ${y', 2, '${'],
    ['x `y', 2, '`'],
    ['x <<E\ny', 2, '<<'],
  ];
  for (const [source, start, opening] of cases) {
    const [found] = parse(source).unterminated;
    assert.deepEqual(
      [found?.start, found?.why],
      [start, `${opening} is opened here and never ended`],
      source,
    );
  }
});

test('any text can be taken apart, nested as deep as one likes', () => {
  const bits = [
    '{a}',
    '{{a}}',
    '$(',
    '$((',
    '${x:-',
    '((',
    ')',
    '}',
    '`',
    '"',
    "'",
    '\\',
    '<<E\n',
    'E\n',
    '#',
    ' ',
    '$',
    'case ',
    'esac ',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...bits), { maxLength: 40 }), fc.boolean(), (pieces, bash) => {
      const source = pieces.join('');
      const markers = findMarkers(source, true, bash);
      for (const { name, start, end } of markers) assert.equal(source.slice(start, end), `{${name}}`);
      const { template, unusable, unterminated } = parse(source, bash);
      if (unusable.length + unterminated.length === 0) shellText(template, ['LB_a', 'LB_b']);
    }),
    { numRuns: 2000 },
  );
  const deep = parse(`${'$('.repeat(100_000)}{a}`);
  assert.equal(deep.unterminated[0]?.why, 'nested too deeply to be followed');
});

test('each column has a variable of its own, by its name or by its position', () => {
  assert.deepEqual(columnVariables(['density', undefined, 'OUT', 'i1', 'density', 'a-b']), [
    'LB_density',
    'LB_i1_',
    'LB_i2',
    'LB_i1',
    'LB_i4',
    'LB_i5',
  ]);
});
