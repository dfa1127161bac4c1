/** The whole image: every file of `batch_info/`, and what holds between batches. */
import { readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../diagnostic.ts';
import type { Batch, Bbatch, Image, Need } from '../model.ts';
import { fileStart, newReport, type Report } from '../read/report.ts';
import { type BbatchDraft, readBbatch } from './bbatch.ts';
import { newFolderCheck } from './folders.ts';
import { newTableReader } from './inputs.ts';
import { nameFault, targetFault, uniqueNames } from './names.ts';
import { type Known, resolveNeeds } from './needs.ts';
import { openImageFiles } from './paths.ts';
import type { StagingScope } from './staging.ts';

export type ReadImage =
  | { readonly ok: true; readonly image: Image; readonly diagnostics: Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: Diagnostic[] };

const INFO = 'batch_info';

/** Reads and checks the image in a folder: all of it, or everything that is wrong with it. Throws only for our bugs. */
export async function readImage(root: string): Promise<ReadImage> {
  const report = newReport();
  const image = await checkImage(root, report);
  const diagnostics = sortDiagnostics(report.found);
  return image && !hasErrors(diagnostics) ? { ok: true, image, diagnostics } : { ok: false, diagnostics };
}

async function checkImage(root: string, report: Report): Promise<Image | undefined> {
  const names = listBbatches(root, report);
  if (names.length === 0) return undefined;
  const files = openImageFiles(root);
  if (/[\u0000-\u001f\u007f]/.test(files.root)) {
    report.error(
      'path-name',
      undefined,
      `the folder ${JSON.stringify(files.root)} has a control character in its name`,
      {
        hint: 'rename it: make and sh read paths line by line',
      },
    );
    return undefined;
  }
  const scope: StagingScope = {
    files,
    report,
    checkFolder: newFolderCheck(files.root, report),
    readTable: newTableReader(files.root, report),
  };
  const drafts: BbatchDraft[] = [];
  for (const { name, file } of names) drafts.push(await readBbatch(name, file, scope));
  const known: Known[] = drafts.flatMap(({ name: bbatch, drafts: batches }) =>
    batches.map(draft => ({ ...draft, bbatch, id: `${bbatch}/${draft.name}` })),
  );
  const needs = resolveNeeds(known, report);
  return { bbatches: drafts.map(draft => finish(draft, needs)) };
}

function finish({ drafts, ...bbatch }: BbatchDraft, needs: ReadonlyMap<string, Need[]>): Bbatch {
  const batches = drafts.flatMap(({ batch, enabled }): Batch[] =>
    batch && enabled ? [{ ...batch, needs: needs.get(batch.id) ?? [] }] : [],
  );
  return { ...bbatch, batches };
}

/** The bbatch files in the order of their names. */
function listBbatches(root: string, report: Report): { name: string; file: string }[] {
  let found: string[];
  try {
    found = readdirSync(path.join(realpathSync(root), INFO));
  } catch {
    report.error('no-batches', undefined, `there is no folder ${INFO} here, so this is no Batch Image`, {
      hint: 'makebimg makes a new one; logobatch is started in an image, or with its path',
    });
    return [];
  }
  const bbatches: { name: string; file: string }[] = [];
  const isNew = uniqueNames(
    report.error,
    'duplicate-name',
    'the bbatch',
    (bbatch: { name: string; file: string }) => ({
      name: bbatch.name,
      place: fileStart(bbatch.file),
    }),
  );
  let seen = 0;
  for (const entry of found.sort()) {
    const name = /^(?!\.)(.*)\.ya?ml$/s.exec(entry)?.[1];
    if (name === undefined) continue;
    seen++;
    const file = `${INFO}/${entry}`;
    const fault = nameFault(name) ?? targetFault(name);
    if (fault)
      report.error('bad-name', fileStart(file), `the file's name is the bbatch's: ${fault.why}`, {
        hint: fault.hint,
      });
    else if (isNew(name, { name, file })) bbatches.push({ name, file });
  }
  if (seen === 0) {
    report.error('no-batches', undefined, `there is no .yml file in ${INFO}`, {
      hint: 'each one is a bbatch: a batch of batches',
    });
  }
  return bbatches;
}
