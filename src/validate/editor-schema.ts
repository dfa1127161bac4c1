/** What editors complete and check while a bbatch file is written: JSON Schema draft-7, made from the one schema. */
import * as z from 'zod';
import { NAME } from './names.ts';
import { batchSchema, bbatchSchema } from './schema.ts';

/** The only keys a batch cannot do without; all others have a default. */
export const REQUIRED_KEYS: readonly string[] = ['name', 'command'];

/** Keys of the first generation: known, but no longer offered. */
const OLD_KEYS = new Set(['batch_type', 'hostnames']);

export function bbatchJsonSchema(): object {
  const schema = z.toJSONSchema(bbatchSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => {
      // A text may be typed as a number, too: `time: 90`, `inputs: [1, 2]`.
      if (jsonSchema.type === 'string' && !jsonSchema.enum)
        Object.assign(jsonSchema, { type: ['string', 'number', 'boolean'] });
      if (jsonSchema.type === 'object' && jsonSchema.propertyNames) delete jsonSchema.propertyNames;
      // Here names are judged by names.ts, which has more to say than a pattern.
      if (zodSchema === batchSchema.shape.name) jsonSchema.pattern = NAME.source;
      if (zodSchema === batchSchema) {
        jsonSchema.required = [...REQUIRED_KEYS];
        for (const old of OLD_KEYS) Object.assign(Object(jsonSchema.properties?.[old]), { deprecated: true });
      }
      if (zodSchema === bbatchSchema) {
        const { properties = {} } = jsonSchema;
        const old = (of: string) => ({
          ...Object(properties[of]),
          deprecated: true,
          description: `Now: ${of}`,
        });
        Object.assign(properties, { Batches: old('batches'), Email: old('email') });
        delete jsonSchema.required;
      }
    },
  });
  return { ...schema, title: 'LogoBatch bbatch file' };
}
