import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bbatchJsonSchema } from '../../src/validate/editor-schema.ts';
import { batchSchema } from '../../src/validate/schema.ts';

/** What the test looks at of a JSON schema. */
interface Node {
  readonly type?: string | string[];
  readonly title?: string;
  readonly description?: string;
  readonly examples?: unknown[];
  readonly deprecated?: boolean;
  readonly required?: string[];
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

const schema: Node & { $schema?: string } = bbatchJsonSchema();
const batch = schema.properties?.batches?.items;

test('the schema for editors is draft-7 and closed', () => {
  assert.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#');
  assert.equal(schema.additionalProperties, false);
  assert.equal(batch?.additionalProperties, false);
  assert.deepEqual(batch?.required, ['name', 'command']);
});

test('every key has a title, a description and an example', () => {
  const keys = Object.entries(batch?.properties ?? {});
  assert.deepEqual(keys.map(([key]) => key).sort(), Object.keys(batchSchema.shape).sort());
  for (const [key, node] of keys) assert.ok(node.title && node.description && node.examples?.length, key);
});

test('texts may be typed as numbers, and old keys are marked', () => {
  assert.deepEqual(batch?.properties?.time?.type, ['string', 'number', 'boolean']);
  assert.equal(batch?.properties?.cpus?.type, 'integer');
  assert.equal(batch?.properties?.hostnames?.deprecated, true);
  assert.equal(schema.properties?.Batches?.deprecated, true);
});
