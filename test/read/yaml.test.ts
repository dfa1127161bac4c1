import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newReport } from '../../src/read/report.ts';
import { childOf, type Tree, textOf, toPlain } from '../../src/read/tree.ts';
import { readYaml } from '../../src/read/yaml.ts';

function read(text: string) {
  const report = newReport();
  const tree = readYaml(text, 'b.yml', report);
  const found = report.found.map(d => `${d.place?.line}:${d.place?.column}: ${d.message} [${d.code}]`);
  return { tree, found, report };
}

const at = (tree: Tree | undefined) => `${tree?.place.line}:${tree?.place.column}+${tree?.place.length}`;

test('scalars keep the text as typed', () => {
  const { tree } = read(
    'a: 007\nb: 1.10\nc: 1e3\nd: 12345678901234567890\ne: NO\nf: 24:00:00\ng: "0x1F"\nh: !!str 5\n',
  );
  const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(key => textOf(childOf(tree, key)));
  assert.deepEqual(texts, ['007', '1.10', '1e3', '12345678901234567890', 'NO', '24:00:00', '0x1F', '5']);
});

test('everything knows its place', () => {
  const { tree } = read('a: one\nlist:\n  - {x: "two"}\n');
  assert.equal(at(childOf(tree, 'a')), '1:4+3');
  const list = childOf(tree, 'list');
  assert.equal(list?.kind === 'list' ? at(childOf(list.items[0], 'x')) : '', '3:9+5');
});

test('a piece of a scalar is found in every style of writing', () => {
  const places = (text: string, piece: string) => {
    const tree = childOf(read(text).tree, 'k');
    if (tree?.kind !== 'scalar') return 'none';
    const start = tree.text.lastIndexOf(piece);
    const place = tree.within(start, start + piece.length);
    return `${place.line}:${place.column}+${place.length}`;
  };
  assert.equal(places('k: a {x} {x}', '{x}'), '1:10+3');
  assert.equal(places('k: "a\\t{x}"', '{x}'), '1:8+3');
  assert.equal(places("k: 'it''s {x}'", '{x}'), '1:11+3');
  assert.equal(places('k: |\n  a {x}\n  b {x}\nx: 1', '{x}'), '3:5+3');
  assert.equal(places('k: >-\n    a\n    b {x}\n', '{x}'), '3:7+3');
});

test('aliases and merge keys work, the own key wins', () => {
  const { tree } = read('base: &b {a: 1, c: 2}\nx:\n  <<: *b\n  a: 9\ny: *b\n');
  const plain = { base: { a: '1', c: '2' }, x: { a: '9', c: '2' }, y: { a: '1', c: '2' } };
  assert.deepEqual(tree && toPlain(tree), plain);
});

test('two hundred uses of one anchor are fine', () => {
  const { tree, found } = read(`e: &e {a: 1}\nl: [${'*e, '.repeat(200)}]\n`);
  assert.deepEqual(found, []);
  assert.equal(childOf(tree, 'l')?.kind, 'list');
});

const refused: [string, string, string][] = [
  ['a duplicate key', 'a: 1\nb: 2\na: 3', '3:1: the key "a" is there twice [duplicate-key]'],
  ['an unknown tag', 'a: !!js/function x', '1:4: unknown tag tag:yaml.org,2002:js/function [yaml-tag]'],
  ['a YAML 1.1 type', 'a: !!binary aGk=', '1:4: unknown tag tag:yaml.org,2002:binary [yaml-tag]'],
  [
    'a version line',
    '%YAML 1.1\n---\na: yes',
    '1:1: a %YAML directive changes what values mean [yaml-directive]',
  ],
  ['a second document', 'a: 1\n---\nb: 1', '2:1: a second document starts here [yaml-syntax]'],
  ['an unquoted {{', 'a: {{x}}', '1:5: a key must be a plain text [yaml-syntax]'],
  ['a tab as indentation', 'a:\n\tb: 1', '2:1: a tab is no indentation in YAML [yaml-syntax]'],
  ['a second colon', 'a: echo b: c', '1:4: a second ": " on one line [yaml-syntax]'],
  ['an unknown alias', 'a: *b', '1:4: nothing is named &b above [yaml-alias]'],
  ['an alias to itself', 'a: &a [*a]', '1:8: *a contains itself [yaml-alias]'],
  ['a merge of a text', '<<: 5', '1:5: only a map can be merged with << [yaml-merge]'],
  ['deep nesting', '['.repeat(9999), '1:1: nested more than 200 levels deep [yaml-too-deep]'],
  ['deep dashes', `${'- '.repeat(9999)}x`, '1:1: nested more than 200 levels deep [yaml-too-deep]'],
  ['NUL by escape', 'a: "\\0"', '1:4: a NUL character or half a character in a text [not-text]'],
];
for (const [what, text, expected] of refused) {
  test(`${what} is refused`, () => assert.deepEqual(read(text).found, [expected]));
}

test('a duplicate key shows both places', () => {
  assert.deepEqual(read('a: 1\na: 2').report.found[0]?.notes?.[0]?.place, {
    file: 'b.yml',
    line: 1,
    column: 1,
    length: 1,
  });
});

test('a bomb of aliases is refused fast', () => {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`);
  const start = performance.now();
  assert.match(read(lines.join('\n')).found[0] ?? '', /aliases unfold to more than 1,000,000 values/);
  assert.ok(performance.now() - start < 500);
});

test('a key called __proto__ is a key like any other', () => {
  const { tree } = read('__proto__: {polluted: true}\n');
  assert.deepEqual(Object.keys(Object(tree && toPlain(tree))), ['__proto__']);
  assert.equal('polluted' in {}, false);
});
