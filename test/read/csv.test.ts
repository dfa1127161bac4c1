import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { readCsv } from '../../src/read/csv.ts';
import { newReport } from '../../src/read/report.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lb-csv-'));
after(() => rmSync(folder, { recursive: true }));

async function read(bytes: string | Uint8Array, delimiter?: string) {
  const file = path.join(folder, 'x.csv');
  writeFileSync(file, bytes);
  const report = newReport();
  const csv = await readCsv(file, 'x.csv', delimiter, report);
  return {
    rows: csv?.rows.map(row => row.split('\0')),
    lines: csv && [...csv.lines],
    suspect: csv?.suspect,
    found: report.found.map(d => `${d.place?.line}: ${d.message} [${d.code}]`),
    hints: report.found.map(d => d.hint ?? ''),
  };
}

test('line ends of every kind, also mixed, and a byte order mark are no part of a value', async () => {
  const { rows, lines } = await read('\ufeffa,b\r\n1,2\n3,4\r5,6');
  assert.deepEqual(rows, [
    ['a', 'b'],
    ['1', '2'],
    ['3', '4'],
    ['5', '6'],
  ]);
  assert.deepEqual(lines, [1, 2, 3, 4]);
});

test('UTF-16 with a byte order mark is read', async () => {
  const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a,b\n火,é\n', 'utf16le')]);
  const big = Buffer.from(little).swap16();
  const expected = [
    ['a', 'b'],
    ['火', 'é'],
  ];
  assert.deepEqual((await read(little)).rows, expected);
  assert.deepEqual((await read(big)).rows, expected);
});

test('quoted separators, quotes and line breaks are kept byte for byte, and lines counted past them', async () => {
  const { rows, lines } = await read('a,b\n"1,2","say ""hi"""\n\n"x\ny\r\nz", t \n"\r",=1+1\n');
  assert.deepEqual(rows?.slice(1), [
    ['1,2', 'say "hi"'],
    ['x\ny\r\nz', ' t '],
    ['\r', '=1+1'],
  ]);
  assert.deepEqual(lines, [1, 2, 4, 7]);
});

test('in a table with one column a blank line is an empty value, except at the end of the file', async () => {
  assert.deepEqual((await read('a\n\nb\n\n\n')).rows, [['a'], [''], ['b']]);
  assert.deepEqual((await read('a\n""\n')).rows, [['a'], ['']]);
  assert.deepEqual((await read('a\n')).rows, [['a']]);
});

test('every ragged row and stray quote is reported with its line, and reading goes on', async () => {
  const { rows, found } = await read('a,b\n1,2,3\n1,x"y"\n5\n"q"r,1\n');
  assert.equal(rows, undefined);
  assert.deepEqual(found, [
    '2: this row has 3 values, the first one 2 [csv-ragged]',
    '3: a quote in the middle of a value [csv-quote]',
    '4: this row has 1 value, the first one 2 [csv-ragged]',
    '5: text after a closing quote [csv-quote]',
  ]);
});

test('lines stay right after a row that was given up', async () => {
  const { found } = await read('a,b\n"m\nn",x"y\n\n1\n2,2\n3\n');
  assert.deepEqual(
    found.map(line => line.slice(0, line.indexOf(':'))),
    ['3', '5', '7'],
  );
});

test('a quote that never closes is reported where its row starts', async () => {
  assert.deepEqual((await read('a,b\n1,2\n3,"x\ny\nz\n')).found, [
    '3: a quote opens in this row and never closes [csv-quote]',
  ]);
});

test('more than twenty mistakes are counted instead of shown', async () => {
  const { found } = await read(`a,b\n${'1\n'.repeat(50)}`);
  assert.equal(found.length, 21);
  assert.equal(found.at(-1), '51: … and 30 more mistakes like these in this file [more]');
});

test('another separator is suspected where there is a single column, or rows are ragged because of it', async () => {
  assert.equal((await read('a;b\n1;2\n')).suspect, ';');
  assert.equal((await read('a;b\n1;2\n', ',')).suspect, undefined);
  assert.deepEqual((await read('a;b\n1;2\n', ';')).rows, [
    ['a', 'b'],
    ['1', '2'],
  ]);
  assert.match((await read('a;b\n2,5;1\n')).hints[0] ?? '', /delimiter: ";"/);
});

test('bytes that are no text are reported with their offset', async () => {
  assert.deepEqual((await read(Buffer.from([0x61, 0x0a, 0x62, 0xe9, 0x0a]))).found, [
    '2: byte 0xe9 at byte 3 is not UTF-8 [not-text]',
  ]);
  assert.deepEqual((await read('a\nb\0c\n')).found, [
    '2: a NUL character at byte 3: this is no text file [not-text]',
  ]);
  assert.deepEqual((await read(Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x62]))).found, [
    '1: byte 0x62 at byte 4 is not UTF-16 [not-text]',
  ]);
});

test('whatever is written by the rules comes back, with its lines', async () => {
  const value = fc.string({
    unit: fc.constantFrom('a', ' ', ',', '"', '\n', '\r', 'é', '火', ';'),
    maxLength: 6,
  });
  const table = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom('\n', '\r\n', '\r'), async (rows, end) => {
      const cells = rows.map(row => row.map(v => `"${v.replaceAll('"', '""')}"`).join(','));
      const result = await read(cells.join(end) + end);
      assert.deepEqual(result.rows, rows);
      let line = 1;
      const lines = cells.map(cell => {
        const start = line;
        line += cell.split(/\r\n|\n|\r/).length;
        return start;
      });
      assert.deepEqual(result.lines, lines);
    }),
    { numRuns: 300 },
  );
});

test('a table larger than one chunk keeps values and lines, wherever the chunks are cut', async () => {
  const row = (i: number) => `${i},"é\r\n${'x'.repeat(i % 97)}"`;
  const { rows, lines } = await read(Array.from({ length: 20_000 }, (_, i) => row(i)).join('\r\n'));
  assert.equal(rows?.length, 20_000);
  assert.ok(rows?.every(([n, v], i) => n === String(i) && v === `é\r\n${'x'.repeat(i % 97)}`));
  assert.ok(lines?.every((line, i) => line === 2 * i + 1));
});
