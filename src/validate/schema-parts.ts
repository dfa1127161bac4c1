/** What the schemas of our YAML files are made of: each key says what it is for, and each error completes a sentence. */
import * as z from 'zod';
import type { Tree } from '../read/tree.ts';

interface About {
  readonly title: string;
  readonly description: string;
  readonly examples: readonly unknown[];
}

/** A key with what an editor shows about it; the first example also serves as the cure in messages. */
export function key<S extends z.ZodType>(
  schema: S,
  title: string,
  description: string,
  ...examples: unknown[]
): S {
  const about: About = { title, description, examples };
  return schema.meta({ ...about });
}

/** The error of each schema completes the sentence "… must be". */
export const text = (what: string) => z.string({ error: what });
export const filled = (what: string) => z.string({ error: what }).regex(/\S/, { error: what });
export const pattern = (form: RegExp, what: string) => z.string({ error: what }).regex(form, { error: what });
export const checked = (test: (text: string) => boolean, what: string) =>
  z.string({ error: what }).refine(test, { error: what });
/** Judged by what is wrong: `fault` completes the sentence, or returns undefined for a good text. */
export const judged = (fault: (text: string) => string | undefined, what: string) =>
  z.string({ error: what }).refine(typed => fault(typed) === undefined, {
    error: ({ input }) => (typeof input === 'string' ? fault(input) : undefined) ?? what,
  });
export const flag = () => z.boolean({ error: 'true or false' });
export const whole = (from: number, to: number) => {
  // Only when it is said: the first number that is written in a language takes 20 ms.
  const error = () => `a whole number from ${from.toLocaleString('en')} to ${to.toLocaleString('en')}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};
export const listOf = (item: z.ZodType<string>, what: string) =>
  z.union([item, z.array(item, { error: what })], { error: what });
export const textMap = (what: string, value: z.ZodType<string>) =>
  z.record(z.string(), value, { error: what });

/** A resource or a tag. */
export const place = pattern(/^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$/, 'a name of letters, digits and _ . : @ + -');

export const address = pattern(/^[^\s@<>",;]+@[^\s@<>",;]+$/, 'an address like me@example.org');

/** The example of a key that is most like what is there, as somebody would type it. */
export function exampleOf(schema: z.ZodType, kind: Tree['kind'] = 'scalar'): string | undefined {
  const examples = schema.meta()?.examples;
  if (!Array.isArray(examples)) return undefined;
  const alike: unknown = examples.find(example => kindOf(example) === kind) ?? examples[0];
  return alike === undefined ? undefined : flow(alike);
}

function kindOf(value: unknown): Tree['kind'] {
  return Array.isArray(value) ? 'list' : typeof value === 'object' && value !== null ? 'map' : 'scalar';
}

/** YAML on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}: ${flow(v)}`)
      .join(', ')}}`;
  }
  const plain = String(value);
  return /[{}[\],&*#?|<>=!%@:;]/.test(plain) ? JSON.stringify(plain) : plain;
}
