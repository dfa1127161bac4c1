import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderDiagnostics } from '../../src/diagnostic.ts';
import { imageSources } from '../../src/read/sources.ts';
import { readImage } from '../../src/validate/image.ts';
import { batchSchema } from '../../src/validate/schema.ts';
import { newImage } from './rig.ts';

const root = newImage({ 'batch_info/t.csv': 'x\n1\n', 'src/a': '' });

/** Reads the image, and renders what is wrong, which must not throw either, nor hold raw control characters. */
async function survives(): Promise<void> {
  const start = performance.now();
  const result = await readImage(root);
  const text = renderDiagnostics(result.diagnostics, imageSources(root), { colour: false });
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  assert.equal(result.ok, !result.diagnostics.some(d => d.severity === 'error'));
  assert.ok(
    result.diagnostics.every(
      d => !d.place || (d.place.line >= 1 && d.place.column >= 1 && d.place.length >= 1),
    ),
  );
  assert.ok(performance.now() - start < 2000);
}

const write = (name: string, content: string | Uint8Array) =>
  writeFileSync(path.join(root, 'batch_info', name), content);

const yamlPieces = fc.constantFrom(
  ...[
    'batches:',
    '\n',
    '  ',
    '- ',
    'name: a',
    'command: "echo {x}"',
    '{',
    '}',
    '[',
    ']',
    ': ',
    '&a ',
    '*a',
    '<<: ',
    '!x ',
  ],
  ...[
    '|\n',
    '>',
    '"',
    "'",
    '#',
    '---\n',
    '%YAML 1.1\n',
    '\t',
    '\r',
    '\0',
    'é',
    '\ud800',
    '1e3',
    'null',
    '__proto__: ',
    ',',
  ],
  ...Object.keys(batchSchema.shape).map(key => `${key}: `),
);

test('random pieces of YAML never crash or hang the reader', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(yamlPieces, { maxLength: 40 }), async pieces => {
      write('b.yml', pieces.join(''));
      await survives();
    }),
    { numRuns: 700 },
  );
});

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e9,
    '',
    'a',
    '../x',
    '/etc',
    't.csv',
    'src',
    '{x}',
    '{out}',
    '{{x}}',
    '1-8',
    '4G',
    '\n',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const value = fc.letrec(tie => ({
  node: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('matrix', 'zip', 'from', 'to', 'step', 'each', 'a', '__proto__', 'size'),
      tie('node'),
      { maxKeys: 3 },
    ),
  ),
})).node;
const anyBatch = fc.dictionary(fc.constantFrom(...Object.keys(batchSchema.shape)), value, { maxKeys: 8 });

test('well-formed YAML with any value below any key never crashes the checks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyBatch, { maxLength: 3 }), fc.option(value), async (batches, email) => {
      write(
        'b.yml',
        JSON.stringify({
          batches: batches.map((batch, i) => ({ name: `n${i}`, command: 'echo {x}', ...batch })),
          email,
        }),
      );
      await survives();
    }),
    { numRuns: 700 },
  );
});

const csvPieces = fc.constantFrom(
  'a',
  'x',
  ',',
  ',',
  '"',
  '"',
  '\n',
  '\n',
  '\r',
  '\r\n',
  ';',
  ' ',
  'é',
  '\0',
  '\ufeff',
  '{x}',
  '1',
);

test('random pieces of CSV never crash or hang the reader', async () => {
  write('b.yml', 'batches: [{name: a, command: "echo {x}", inputs: t.csv, job_name: "{x}"}]');
  await fc.assert(
    fc.asyncProperty(fc.array(csvPieces, { maxLength: 30 }), async pieces => {
      write('t.csv', pieces.join(''));
      await survives();
    }),
    { numRuns: 600 },
  );
});

test('random bytes never crash or hang the reader', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, table) => {
      write(table ? 't.csv' : 'b.yml', bytes);
      if (table) write('b.yml', 'batches: [{name: a, command: "echo {i0}", inputs: t.csv}]');
      await survives();
    }),
    { numRuns: 300 },
  );
});
