/** Adds resources to the text of a grid file; what is there stays as it is written, comments and order included. */
import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import type { OtherKind } from './model.ts';

/** A resource as somebody would write it; only what was said. */
export interface NewResource {
  readonly name: string;
  readonly type: OtherKind;
  readonly hostname?: string;
  readonly username?: string;
  readonly port?: number;
  readonly slots?: number;
  readonly fast_storage?: readonly string[];
  readonly nice?: number;
  readonly max_load?: number;
  readonly tags?: readonly string[];
  readonly max_jobs?: number;
}

/** What a new file begins with: who has other machines means to go on using this one. */
const BEGIN = `# The machines that LogoBatch may use. "logobatch nodes" looks at them; the README lists the keys.
compute:
  - name: local # this machine; without these two lines it runs no jobs
    type: local
`;

/**
 * The new text of a file that passed every check; \`text\` is empty for a new one. A file that names no resources so far means this
 * machine, so that is written down as well.
 */
export function addResources(text: string, additions: readonly NewResource[]): string {
  const isNew = text.trim() === '';
  const source = isNew ? BEGIN : text;
  const document = parseDocument(source, {
    version: '1.2',
    merge: true,
    stringKeys: true,
    uniqueKeys: false,
  });
  append(document, additions);
  const written = document.toString({
    lineWidth: 0,
    indent: indentOf(source),
    indentSeq: !/^[Cc]ompute:[^\n]*\n(?:\s*(?:#[^\n]*)?\n)*-/m.test(source),
    flowCollectionPadding: /[{[] \S/.test(source),
  });
  return source.includes('\r\n') ? written.replaceAll(/\r?\n/g, '\r\n') : written;
}

function append(document: Document.Parsed, additions: readonly NewResource[]): void {
  const top = isMap(document.contents) ? document.contents : undefined;
  const pair = top?.items.find(({ key }) => /^compute$/i.test(String(key)));
  const compute: unknown = pair?.value;
  if (isSeq(compute) && compute.items.length > 0) {
    for (const addition of additions) compute.add(node(document, addition, compute.flow));
  } else if (isMap(compute) && compute.items.length > 0) {
    // The first generation's form: names to what they mean.
    for (const { name, ...rest } of additions) compute.set(name, node(document, rest, compute.flow));
  } else {
    const list = [{ name: 'local', type: 'local' }, ...additions].map(each => node(document, each, false));
    document.set(pair ? String(pair.key) : 'compute', document.createNode(list));
  }
}

/** In the style of its neighbours; short lists stand on one line. */
function node(document: Document.Parsed, value: object, flow: boolean | undefined): YAMLMap {
  const made: unknown = document.createNode(value, { flow: flow ?? false });
  if (!isMap(made)) throw new Error('a map made no map');
  for (const { value: inner } of made.items) if (isSeq(inner)) inner.flow = true;
  return made;
}

/** How far nested lines are indented: that of the first one. */
function indentOf(text: string): number {
  const [, blanks = '  '] = /^[A-Za-z_]+:[^\n]*\n(?:\s*(?:#[^\n]*)?\n)*( +)\S/m.exec(text) ?? [];
  return Math.min(8, Math.max(2, blanks.length));
}
