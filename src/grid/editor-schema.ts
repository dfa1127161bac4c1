/** What editors complete and check while a grid file is written. */
import { editorSchema, oldKey } from '../validate/editor-schema.ts';
import { NAME } from '../validate/names.ts';
import { gridSchema, port, resourceSchema } from './schema.ts';

export function gridJsonSchema(): object {
  return editorSchema(gridSchema, 'LogoBatch grid file', (zodSchema, jsonSchema) => {
    if (zodSchema === resourceSchema.shape.name) jsonSchema.pattern = NAME.source;
    if (zodSchema === resourceSchema.shape.port || zodSchema === port)
      Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: 65_535 });
    if (zodSchema === resourceSchema) jsonSchema.required = ['name', 'type'];
    if (zodSchema === gridSchema) {
      const { properties = {} } = jsonSchema;
      Object.assign(properties, {
        Default_email: oldKey(properties, 'default_email'),
        Storage: oldKey(properties, 'storage'),
        Compute: oldKey(properties, 'compute'),
      });
      delete jsonSchema.required;
    }
  });
}
