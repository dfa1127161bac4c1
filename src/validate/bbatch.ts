/** One file of `batch_info/`: its top level, and its batches one by one. */
import path from 'node:path';
import type { Email } from '../model.ts';
import type { Report } from '../read/report.ts';
import { fileStart } from '../read/report.ts';
import { childOf, entryOf, type MapTree, scalarsOf, type Tree, textOf } from '../read/tree.ts';
import { type Draft, readBatch } from './batch.ts';
import { modernise } from './modernise.ts';
import { uniqueNames } from './names.ts';
import { mustBe } from './paths.ts';
import { bbatchSchema } from './schema.ts';
import { goodKeys } from './shape.ts';
import type { StagingScope } from './staging.ts';
import { readYamlFile } from './yaml-file.ts';

export interface BbatchDraft {
  readonly name: string;
  readonly file: string;
  readonly email: Email | undefined;
  readonly drafts: readonly Draft[];
}

const EXAMPLE = 'for example:  batches: [{name: hello, command: echo hello}]';

export async function readBbatch(name: string, file: string, scope: StagingScope): Promise<BbatchDraft> {
  const { report } = scope;
  const nothing: BbatchDraft = { name, file, email: undefined, drafts: [] };
  const tree = readTree(file, scope);
  if (!tree) return nothing;
  if (tree.kind !== 'map') {
    const empty = tree.kind === 'scalar' && tree.type === 'null';
    const what = empty ? 'the file is empty' : `the file holds a ${tree.kind === 'list' ? 'list' : 'text'}`;
    report.error('no-batches', tree.place, `${what} where batches: should be`, { hint: EXAMPLE });
    return nothing;
  }
  const before = report.found.length;
  const top = modernise(tree, report);
  const batches = entryOf(top, 'batches');
  const other: MapTree = { ...top, entries: top.entries.filter(entry => entry !== batches) };
  const good = goodKeys(
    other,
    { email: bbatchSchema.shape.email, batches: bbatchSchema.shape.batches },
    'the file',
    report,
  );
  const email = Object.hasOwn(good, 'email') ? emailOf(childOf(top, 'email'), report) : undefined;
  const items = batches?.value.kind === 'list' ? batches.value.items : [];
  if (items.length === 0 && report.found.length === before) {
    const absent = batches === undefined || batches.value.kind !== 'scalar' || batches.value.type === 'null';
    const place = batches?.keyPlace ?? fileStart(file);
    if (absent) report.error('no-batches', place, 'the file has no batches', { hint: EXAMPLE });
    else report.error('bad-value', batches.value.place, '"batches" must be a list', { hint: EXAMPLE });
  }
  const drafts: Draft[] = [];
  const isNew = uniqueNames(report.error, 'duplicate-name', 'the batch', (draft: Draft) => draft);
  for (const item of items) {
    if (item.kind !== 'map') {
      report.error('bad-value', item.place, 'a batch must be a map', { hint: EXAMPLE });
      continue;
    }
    const draft = await readBatch(item, name, scope);
    if (draft && isNew(draft.name, draft)) drafts.push(draft);
  }
  return { name, file, email, drafts };
}

function readTree(file: string, { files, report }: StagingScope): Tree | undefined {
  const found = mustBe(files, file, 'file', fileStart(file), report);
  return found === undefined ? undefined : readYamlFile(path.join(files.root, found), file, report);
}

/** `email: me@x.org`, a list, or `{addresses, from}`. */
function emailOf(tree: Tree | undefined, report: Report): Email | undefined {
  if (!tree) return undefined;
  if (tree.kind !== 'map')
    return { addresses: scalarsOf(tree).map(address => address.text), from: undefined };
  if (!entryOf(tree, 'addresses')) {
    report.error('missing-key', tree.place, '"email" has no "addresses"', {
      hint: 'for example: addresses: [me@example.org]',
    });
  }
  const addresses = scalarsOf(childOf(tree, 'addresses')).map(address => address.text);
  return { addresses, from: textOf(childOf(tree, 'from')) };
}
