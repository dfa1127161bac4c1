/** What editors complete and check while a file of ours is written: JSON Schema draft-7, made from the one schema. */
import * as z from 'zod';
import { NAME } from './names.ts';
import { batchSchema, bbatchSchema } from './schema.ts';

/** The only keys a batch cannot do without; all others have a default. */
export const REQUIRED_KEYS: readonly string[] = ['name', 'command'];

/** Keys of the first generation: known, but no longer offered. */
const OLD_KEYS = new Set(['batch_type', 'hostnames']);

type JsonSchema = Parameters<NonNullable<z.core.ToJSONSchemaContext['override']>>[0]['jsonSchema'];

/** `adjust` says what the checks know beyond the schema. */
export function editorSchema(
  schema: z.ZodType,
  title: string,
  adjust: (zodSchema: z.core.$ZodType, jsonSchema: JsonSchema) => void,
): object {
  const json = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => {
      // A text may be typed as a number, too: `time: 90`, `inputs: [1, 2]`.
      if (jsonSchema.type === 'string' && !jsonSchema.enum)
        Object.assign(jsonSchema, { type: ['string', 'number', 'boolean'] });
      if (jsonSchema.type === 'object' && jsonSchema.propertyNames) delete jsonSchema.propertyNames;
      adjust(zodSchema, jsonSchema);
    },
  });
  return { ...json, title };
}

/** A key of the first generation that stands for one of today's. */
export function oldKey(properties: JsonSchema['properties'], now: string): object {
  return { ...Object(properties?.[now]), deprecated: true, description: `Now: ${now}` };
}

export function bbatchJsonSchema(): object {
  return editorSchema(bbatchSchema, 'LogoBatch bbatch file', (zodSchema, jsonSchema) => {
    // Here names are judged by names.ts, which has more to say than a pattern.
    if (zodSchema === batchSchema.shape.name) jsonSchema.pattern = NAME.source;
    if (zodSchema === batchSchema) {
      jsonSchema.required = [...REQUIRED_KEYS];
      for (const old of OLD_KEYS) Object.assign(Object(jsonSchema.properties?.[old]), { deprecated: true });
    }
    if (zodSchema === bbatchSchema) {
      const { properties = {} } = jsonSchema;
      Object.assign(properties, {
        Batches: oldKey(properties, 'batches'),
        Email: oldKey(properties, 'email'),
      });
      delete jsonSchema.required;
    }
  });
}
