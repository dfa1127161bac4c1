/** A YAML document as the checks want it: plain data with places. */
import type { Place } from '../model.ts';

export type Tree = MapTree | ListTree | ScalarTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly type: 'string' | 'number' | 'boolean' | 'null';
  /** As typed for plain scalars, unescaped for quoted ones. */
  readonly text: string;
  /** Its first line. */
  readonly place: Place;
  /** Where a piece of `text` stands in the file. */
  readonly within: (start: number, end: number) => Place;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly place: Place;
  /** Nodes below, aliases followed. */
  readonly size: number;
}

export interface MapTree {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
  readonly place: Place;
  readonly size: number;
}

export interface Entry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Tree;
}

export function treeSize(trees: readonly Tree[]): number {
  return trees.reduce((sum, tree) => sum + 1 + (tree.kind === 'scalar' ? 0 : tree.size), 0);
}

export function entryOf(tree: Tree | undefined, key: string): Entry | undefined {
  return tree?.kind === 'map' ? tree.entries.find(entry => entry.key === key) : undefined;
}

export function childOf(tree: Tree | undefined, key: string): Tree | undefined {
  return entryOf(tree, key)?.value;
}

/** The text of a scalar that holds something. */
export function textOf(tree: Tree | undefined): string | undefined {
  return tree?.kind === 'scalar' && tree.type !== 'null' ? tree.text : undefined;
}

/** One scalar, or a list of them: what most keys allow. */
export function scalarsOf(tree: Tree | undefined): ScalarTree[] {
  if (!tree) return [];
  const items = tree.kind === 'list' ? tree.items : [tree];
  return items.flatMap(item => (item.kind === 'scalar' && item.type !== 'null' ? [item] : []));
}

/** Plain data for a schema, every scalar as its text. */
export function toPlain(tree: Tree): unknown {
  if (tree.kind === 'list') return tree.items.map(toPlain);
  if (tree.kind === 'map')
    return Object.fromEntries(tree.entries.map(entry => [entry.key, toPlain(entry.value)]));
  return tree.type === 'null' ? null : tree.text;
}

/** The same with numbers and booleans as YAML reads them: for the keys that want them. */
export function toTyped(tree: Tree): unknown {
  if (tree.kind === 'scalar' && tree.type === 'number') return Number(tree.text);
  if (tree.kind === 'scalar' && tree.type === 'boolean') return /^true$/i.test(tree.text);
  return toPlain(tree);
}
