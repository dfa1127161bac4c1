/**
 * Checks the shape of one map of the YAML: unknown keys, missing values, values of the wrong kind. What passed comes
 * back typed, so that one mistake hides no other.
 */
import type * as z from 'zod';
import { excerpt, nearest } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { Report } from '../read/report.ts';
import { type Entry, entryOf, type MapTree, type Tree, toPlain, toTyped } from '../read/tree.ts';
import { exampleOf } from './schema-parts.ts';

type Shape = Readonly<Record<string, z.ZodType>>;

/** The keys whose values have the right shape, as plain data for the schema's own parse. */
export function goodKeys(map: MapTree, shape: Shape, of: string, report: Report): Record<string, unknown> {
  const good: Record<string, unknown> = {};
  for (const entry of map.entries) {
    const schema = Object.hasOwn(shape, entry.key) ? shape[entry.key] : undefined;
    if (!schema) unknownKey(entry, Object.keys(shape), of, report);
    else if (entry.value.kind === 'scalar' && entry.value.type === 'null') {
      const example = exampleOf(schema);
      report.error('no-value', entry.keyPlace, `"${entry.key}" has no value`, {
        hint:
          example === undefined ? 'give it one, or delete the line' : `for example: ${entry.key}: ${example}`,
      });
    } else {
      const wantsType = schema.safeParse(1).success || schema.safeParse(true).success;
      const value = wantsType ? toTyped(entry.value) : toPlain(entry.value);
      const result = schema.safeParse(value);
      if (result.success) good[entry.key] = value;
      else for (const issue of result.error.issues) explainIssue(issue, entry, schema, report);
    }
  }
  return good;
}

/** Reports a key nobody knows, with the one that may have been meant. */
function unknownKey(
  entry: Entry,
  known: readonly string[],
  of: string,
  report: Report,
  otherwise?: string,
): void {
  const meant = nearest(entry.key, known);
  const list = known.length > 8 ? 'the README has the table of keys' : `known keys: ${known.join(', ')}`;
  report.error('unknown-key', entry.keyPlace, `unknown key ${excerpt(entry.key, 40)} in ${of}`, {
    hint: meant ? `did you mean "${meant}"?` : (otherwise ?? list),
  });
}

/** Keys of the maps inside of values: inputs, ranges, needs, max_output, csv. */
const INNER_KEYS = [
  'matrix',
  'zip',
  'from',
  'to',
  'step',
  'each',
  'size',
  'files',
  'delimiter',
  'addresses',
  'from',
];

interface Found {
  readonly path: readonly PropertyKey[];
  readonly issue: z.core.$ZodIssue;
}

function explainIssue(top: z.core.$ZodIssue, entry: Entry, schema: z.ZodType, report: Report): void {
  const { path, issue } = furthest({ path: top.path, issue: top }, entry);
  const { tree, name, keyPlace } = walk(entry, path) ?? {
    tree: entry.value,
    name: entry.key,
    keyPlace: entry.keyPlace,
  };
  const example = exampleOf(schema, entry.value.kind);
  const hint = example === undefined ? undefined : `for example: ${entry.key}: ${example}`;
  if (issue.code === 'unrecognized_keys' && tree.kind === 'map') {
    for (const stranger of tree.entries.filter(e => issue.keys.includes(e.key))) {
      if (!INNER_KEYS.includes(stranger.key)) unknownKey(stranger, INNER_KEYS, `"${name}"`, report, hint);
      else
        report.error(
          'bad-value',
          stranger.keyPlace,
          `"${stranger.key}" does not go with the rest of "${name}"`,
          { hint },
        );
    }
    return;
  }
  const isNull = tree.kind === 'scalar' && tree.type === 'null';
  const actual =
    tree.kind === 'map'
      ? 'a map'
      : tree.kind === 'list'
        ? 'a list'
        : isNull
          ? 'nothing'
          : excerpt(tree.text, 40);
  report.error(
    'bad-value',
    isNull ? keyPlace : tree.place,
    `"${name}" must be ${issue.message}, not ${actual}`,
    { hint },
  );
}

/** Of a union the complaint of the branch that came furthest into the value: it is what the user meant. */
function furthest(found: Found, entry: Entry): Found {
  const { issue, path } = found;
  if (issue.code !== 'invalid_union') return found;
  let best = found;
  for (const inner of issue.errors.flat()) {
    const candidate = furthest({ path: [...path, ...inner.path], issue: inner }, entry);
    const strange = candidate.issue.code === 'unrecognized_keys' && best.issue.code !== 'unrecognized_keys';
    const closer =
      candidate.path.length > best.path.length || (candidate.path.length === best.path.length && strange);
    // A key that a branch misses says nothing: the user may have meant another branch.
    if (closer && walk(entry, candidate.path)) best = candidate;
  }
  return best;
}

/** The tree at a path of the plain data; undefined where nothing is. */
function walk(
  entry: Entry,
  path: readonly PropertyKey[],
): { tree: Tree; name: string; keyPlace: Place } | undefined {
  let tree = entry.value;
  let name = entry.key;
  let keyPlace = entry.keyPlace;
  for (const step of path) {
    const child: Entry | undefined = entryOf(tree, String(step));
    const next: Tree | undefined = tree.kind === 'list' ? tree.items[Number(step)] : child?.value;
    if (!next) return undefined;
    name = child ? `${name}.${child.key}` : name;
    keyPlace = child?.keyPlace ?? next.place;
    tree = next;
  }
  return { tree, name, keyPlace };
}
