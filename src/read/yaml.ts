/**
 * YAML → a tree in which everything knows where it stands and scalars keep the text as typed: `007`, `1.10`, `1e3`
 * and 20-digit numbers reach a job as they were written.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Place } from '../model.ts';
import { count, fileStart, type Report } from './report.ts';
import { type Entry, type ListTree, type MapTree, type ScalarTree, type Tree, treeSize } from './tree.ts';
import { explainSyntax } from './yaml-syntax.ts';

/** More is data that belongs into a CSV: the parser needs seconds a megabyte. */
export const MAX_YAML_BYTES = 8 * 1024 * 1024;
/** The parser recurses; nobody nests this deep by hand. */
const MAX_DEPTH = 200;
/** Nodes after aliases are followed; stops "billion laughs". */
const MAX_NODES = 1_000_000;

/** The document's tree; undefined after a diagnostic. What could still be read comes back beside its mistakes. */
export function readYaml(text: string, file: string, report: Report): Tree | undefined {
  if (nesting(text) > MAX_DEPTH) {
    const message = `nested more than ${MAX_DEPTH} levels deep`;
    report.error('yaml-too-deep', fileStart(file), message, { hint: 'is a bracket missing its partner?' });
    return undefined;
  }
  const counter = new LineCounter();
  const place = (from: number, to: number): Place => {
    const { line, col } = counter.linePos(from);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), length: Math.max(1, to - from) };
  };
  // logLevel 'silent' would also silence the error about several documents.
  const document = parseDocument(text, {
    version: '1.2',
    stringKeys: true,
    merge: true,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: counter,
  });
  const before = report.found.length;
  if (document.directives?.yaml.explicit) {
    const at = Math.max(0, text.search(/^%YAML/m));
    report.error('yaml-directive', place(at, at + 5), 'a %YAML directive changes what values mean', {
      hint: 'delete the line: these files are YAML 1.2',
    });
  }
  // One mistake often makes the parser stumble again on the next lines: the first one is what matters.
  for (const problem of document.errors.slice(0, 1)) {
    const { message, hint } = explainSyntax(problem, text);
    report.error('yaml-syntax', place(...problem.pos), message, { hint });
  }
  for (const warning of document.warnings) {
    const unknownTag = warning.code === 'TAG_RESOLVE_FAILED';
    const message = unknownTag ? warning.message.replace('Unresolved tag:', 'unknown tag') : warning.message;
    report.error('yaml-tag', place(...warning.pos), message, {
      hint: 'tags (!name) mean nothing here: quote the value if the ! belongs to it',
    });
  }
  if (report.found.length > before) return undefined;
  return buildTree(document, text, file, place, report);
}

type PlaceOf = (from: number, to: number) => Place;

function buildTree(
  document: Document.Parsed,
  text: string,
  file: string,
  place: PlaceOf,
  report: Report,
): Tree | undefined {
  const before = report.found.length;
  const anchors = new Map<string, Tree | 'open'>();
  const empty = (at: number): ScalarTree => ({
    kind: 'scalar',
    type: 'null',
    text: '',
    place: place(at, at + 1),
    within: () => place(at, at + 1),
  });

  const build = (node: ParsedNode | null, at: number): Tree => {
    if (node === null) return empty(at);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target !== undefined && target !== 'open') return target;
      const what =
        target === 'open' ? `*${node.source} contains itself` : `nothing is named &${node.source} above`;
      report.error('yaml-alias', place(node.range[0], node.range[1]), what, {
        hint:
          target === 'open' ? 'an alias repeats a finished value' : 'quote the value if it starts with a *',
      });
      return empty(node.range[0]);
    }
    if (node.anchor) anchors.set(node.anchor, 'open');
    const tree = isMap(node) ? buildMap(node) : isSeq(node) ? buildList(node) : buildScalar(node);
    if (node.anchor) anchors.set(node.anchor, tree);
    return tree;
  };

  const buildScalar = (node: ParsedNode): Tree => {
    if (!isScalar(node)) return empty(node.range[0]);
    const [from, to] = node.range;
    const typed = node.type === 'PLAIN' && !node.tag ? typeof node.value : 'string';
    const type = node.value === null ? 'null' : typed === 'number' || typed === 'boolean' ? typed : 'string';
    const value = node.source ?? String(node.value ?? '');
    if (/\0|\p{Surrogate}/u.test(value)) {
      report.error('not-text', place(from, to), 'a NUL character or half a character in a text', {
        hint: 'no program can receive it: leave it out',
      });
    }
    const within = (start: number, end: number) => placeWithin(text, from, to, value, start, end, place);
    const firstLine = text.slice(from, to).search(/[\r\n]/);
    const shownTo = firstLine < 0 ? to : from + firstLine;
    return { kind: 'scalar', type, text: value, place: place(from, shownTo), within };
  };

  const buildList = (node: ParsedNode): ListTree => {
    const items = isSeq(node) ? node.items.map(item => build(toParsed(item), node.range[0])) : [];
    return { kind: 'list', items, place: place(node.range[0], node.range[0] + 1), size: treeSize(items) };
  };

  const buildMap = (node: YAMLMap.Parsed): MapTree => {
    const own = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const pair of node.items) {
      const keyNode = pair.key;
      if (!isScalar(keyNode)) continue;
      const key = String(keyNode.source ?? keyNode.value);
      const keyPlace = place(keyNode.range[0], keyNode.range[1]);
      const value = build(pair.value, keyNode.range[1]);
      if (key === '<<' && keyNode.type === 'PLAIN') {
        for (const source of value.kind === 'list' ? value.items : [value]) {
          if (source.kind === 'map') merged.push(...source.entries);
          else {
            report.error('yaml-merge', source.place, 'only a map can be merged with <<', {
              hint: 'write <<: *name, where &name stands before a map',
            });
          }
        }
        continue;
      }
      const first = own.get(key);
      if (first) {
        report.error('duplicate-key', keyPlace, `the key "${key}" is there twice`, {
          hint: 'one of the two would be ignored: delete it',
          notes: [{ message: 'the first one is here', place: first.keyPlace }],
        });
      } else own.set(key, { key, keyPlace, value });
    }
    for (const entry of merged) if (!own.has(entry.key)) own.set(entry.key, entry);
    const entries = [...own.values()];
    const size = treeSize(entries.map(entry => entry.value));
    return { kind: 'map', entries, place: place(node.range[0], node.range[0] + 1), size };
  };

  const tree = build(document.contents, 0);
  if (treeSize([tree]) > MAX_NODES) {
    const message = `aliases unfold to more than ${count(MAX_NODES, 'value')}`;
    report.error('yaml-alias', fileStart(file), message, { hint: 'repeat less, or use a CSV' });
  }
  return report.found.length > before ? undefined : tree;
}

/** Items of a parsed sequence are nodes; the type of the package also knows pairs of `!!omap`, which is refused. */
function toParsed(item: ParsedNode | { key: unknown } | null): ParsedNode | null {
  return item !== null && 'range' in item ? item : null;
}

/**
 * Where a piece of a scalar's value stands in the file. The value was unfolded and unescaped, so its offsets say
 * little; but the piece itself stands there as often before as in the value.
 */
function placeWithin(
  text: string,
  from: number,
  to: number,
  value: string,
  start: number,
  end: number,
  place: PlaceOf,
): Place {
  const piece = value.slice(start, end);
  let at = text.indexOf(piece, from);
  for (let seen = value.indexOf(piece); seen >= 0 && seen < start && at >= 0; ) {
    at = text.indexOf(piece, at + 1);
    seen = value.indexOf(piece, seen + 1);
  }
  return at < 0 || at + piece.length > to ? place(from, from + 1) : place(at, at + piece.length);
}

/**
 * An upper bound of how deep the text nests, without parsing: brackets open at once, or the indentation and dashes
 * of one line. Brackets inside of quotes count, too; hence the generous limit.
 */
function nesting(text: string): number {
  let open = 0;
  let most = 0;
  let lead = 0;
  let leading = true;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x5b || char === 0x7b) most = Math.max(most, ++open);
    else if ((char === 0x5d || char === 0x7d) && open > 0) open--;
    if (char === 0x0a || char === 0x0d) {
      leading = true;
      lead = 0;
    } else if (leading) {
      if (char === 0x2d || char === 0x3f || char === 0x3a) most = Math.max(most, ++lead);
      else leading = char === 0x20;
    }
  }
  return most;
}
