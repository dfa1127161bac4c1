import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Diagnostic,
  diagnosticToJson,
  excerpt,
  nearest,
  renderDiagnostics,
  sortDiagnostics,
} from '../src/diagnostic.ts';

const at = (line: number, column: number, length: number) => ({ file: 'b.yml', line, column, length });
const render = (d: Diagnostic, text: string, colour = false) =>
  renderDiagnostics([d], () => text, { colour });

test('a diagnostic has a GNU first line, a frame with carets, its cure and its notes', () => {
  const d: Diagnostic = {
    severity: 'error',
    code: 'unknown-key',
    message: 'unknown key "exectuor"',
    place: at(2, 5, 8),
    hint: 'did you mean "executor"?',
    notes: [{ message: 'the batch starts here', place: at(1, 3, 1) }],
  };
  assert.equal(
    render(d, '  - name: a\n    exectuor: slurm\n'),
    `b.yml:2:5: error: unknown key "exectuor" [unknown-key]
 2 |     exectuor: slurm
   |     ^^^^^^^^
  hint: did you mean "executor"?
  note: the batch starts here (b.yml:1:3)
 1 |   - name: a
   |   ^
`,
  );
});

const frameOf = (text: string, column: number, length: number) =>
  render({ severity: 'error', code: 'x', message: 'm', place: at(1, column, length) }, text)
    .split('\n')
    .slice(1, 3);

test('carets stand below their text after tabs and wide characters', () => {
  assert.deepEqual(frameOf('a\tbad', 3, 3), [' 1 | a   bad', '   |     ^^^']);
  assert.deepEqual(frameOf('火災x', 3, 1), [' 1 | 火災x', '   |     ^']);
  assert.deepEqual(frameOf('火災', 2, 1), [' 1 | 火災', '   |   ^^']);
  assert.deepEqual(frameOf('😀é: z', 6, 1), [' 1 | 😀é: z', '   |      ^']);
});

test('control characters are written out and never reach the terminal', () => {
  assert.deepEqual(frameOf('\u001b[31mred', 2, 1), [' 1 | \\x1b[31mred', '   |     ^']);
  const text = render(
    { severity: 'error', code: 'x', message: 'm\u001b]52;\u0007\u202e\ud800', place: at(1, 1, 1) },
    '\u009b',
  );
  assert.match(text, /m\\x1b\]52;\\x07\\u202e\\ud800/);
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('a long line is cut around the caret', () => {
  const [shown = '', carets = ''] = frameOf(`${'a'.repeat(500)}BAD${'z'.repeat(500)}`, 501, 3);
  assert.ok(shown.length < 120 && shown.startsWith(' 1 | … a') && shown.endsWith('z …'));
  assert.equal(shown.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1), 'BAD');
});

test('a caret past the end of its line, or a line that is not there, still gives text', () => {
  assert.deepEqual(frameOf('ab', 9, 5), [' 1 | ab', '   |   ^']);
  assert.equal(
    render({ severity: 'warning', code: 'x', message: 'm', place: at(7, 1, 1) }, 'one line'),
    'b.yml:7:1: warning: m [x]\n',
  );
});

test('colours appear only when asked for', () => {
  const d: Diagnostic = { severity: 'error', code: 'x', message: 'm' };
  assert.equal(render(d, '').includes('\u001b'), false);
  assert.equal(render(d, '', true), '\u001b[31;1merror:\u001b[0m m \u001b[2m[x]\u001b[0m\n');
});

test('diagnostics are sorted by place and said once', () => {
  const d = (line: number): Diagnostic => ({
    severity: 'error',
    code: 'x',
    message: 'm',
    place: at(line, 1, 1),
  });
  const general: Diagnostic = { severity: 'error', code: 'x', message: 'm' };
  assert.deepEqual(sortDiagnostics([d(9), d(2), general, d(9)]), [general, d(2), d(9)]);
});

test('the plain form for programs is flat', () => {
  assert.deepEqual(
    diagnosticToJson({ severity: 'error', code: 'x', message: 'm', place: at(1, 2, 3), hint: 'h' }),
    {
      severity: 'error',
      code: 'x',
      message: 'm',
      file: 'b.yml',
      line: 1,
      column: 2,
      length: 3,
      hint: 'h',
    },
  );
});

test('did-you-mean finds typing errors and stays silent about different words', () => {
  assert.equal(nearest('comand', ['name', 'command']), 'command');
  assert.equal(nearest('Retries', ['retries']), 'retries');
  assert.equal(nearest('form', ['from', 'addresses']), 'from');
  assert.equal(nearest('c', ['a', 'b']), undefined);
  assert.equal(nearest('xyzzy', ['command', 'name']), undefined);
});

test('an excerpt is short and escaped', () => {
  assert.equal(excerpt('a\nb'), '"a\\nb"');
  assert.equal(excerpt('x'.repeat(100), 5), '"xxxxx…"');
});
