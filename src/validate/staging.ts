/** What of the image a batch needs on a node: `shared`, `files`, `setup`, `container`, `exe`. */
import { findMarkers } from '../command.ts';
import { excerpt } from '../diagnostic.ts';
import type { Table, Template } from '../model.ts';
import type { Report } from '../read/report.ts';
import { childOf, type MapTree, scalarsOf, textOf } from '../read/tree.ts';
import type { TableReader } from './inputs.ts';
import { type CpuCounts, checkJobFiles } from './jobs.ts';
import { type MarkerScope, template } from './markers.ts';
import { type ImageFiles, mustBe } from './paths.ts';

export interface StagingScope {
  readonly files: ImageFiles;
  readonly report: Report;
  /** Looks through a folder that will travel. */
  readonly checkFolder: (folder: string, place: MapTree['place'] | undefined) => void;
  /** Reads a CSV once, however many batches use it. */
  readonly readTable: TableReader;
}

/** Results and run state must not travel with every job. */
const NOT_SHARED = new Set(['.', 'data', 'data/processed', '.logobatch']);

/** Folders as asked for, or those of the usual ones that are there. */
export function sharedFolders(batch: MapTree, scope: StagingScope): string[] {
  const asked = childOf(batch, 'shared');
  const usual = childOf(batch, 'files') ? ['src'] : ['src', 'data/raw'];
  if (!asked) {
    const there = usual.filter(folder => scope.files.look(folder).ok);
    for (const folder of there) scope.checkFolder(folder, batch.place);
    return there;
  }
  const found = new Set<string>();
  for (const item of scalarsOf(asked)) {
    const path = mustBe(scope.files, item.text, 'any', item.place, scope.report);
    if (path === undefined) continue;
    if (NOT_SHARED.has(path)) {
      scope.report.error('path-kind', item.place, `${excerpt(item.text)} holds results or run state`, {
        hint: 'name the folders below it that jobs read; results of other batches come with needs:',
      });
      continue;
    }
    const look = scope.files.look(path);
    if (look.ok && look.kind === 'folder') scope.checkFolder(path, item.place);
    found.add(path);
  }
  return [...found];
}

/** Per-job files: looked up now, for every row where markers are in the path. */
export function jobFiles(
  batch: MapTree,
  table: Table | undefined,
  cpus: CpuCounts,
  markers: MarkerScope,
  scope: StagingScope,
): Template[] {
  return scalarsOf(childOf(batch, 'files')).flatMap(item => {
    if (findMarkers(item.text, false).length > 0) {
      // Without a table its markers mean nothing yet.
      if (!table) return [];
      const before = scope.report.found.length;
      const path = template(item, 'the path of a file', false, new Set(['cpus']), markers, scope.report);
      if (scope.report.found.length === before) checkJobFiles(path, table, cpus, scope.files, scope.report);
      return [path];
    }
    const path = template(item, 'the path of a file', false, new Set(), markers, scope.report);
    const [text] = path.parts;
    mustBe(scope.files, text?.kind === 'text' ? text.text : '', 'any', item.place, scope.report);
    return [path];
  });
}

export function setupScript(batch: MapTree, scope: StagingScope): string | undefined {
  const [setup] = scalarsOf(childOf(batch, 'setup'));
  return setup && mustBe(scope.files, setup.text, 'file', setup.place, scope.report);
}

/** A path of the image, or an address that Apptainer understands. */
export function containerImage(batch: MapTree, scope: StagingScope): string | undefined {
  const [container] = scalarsOf(childOf(batch, 'container'));
  if (!container) return undefined;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(container.text)?.[1];
  if (scheme === undefined) return mustBe(scope.files, container.text, 'any', container.place, scope.report);
  if (/^(docker|library|oras|shub|https):\/\/[^\s\u0000-\u001f\u007f]+$/.test(container.text))
    return container.text;
  scope.report.error(
    'bad-value',
    container.place,
    `${excerpt(container.text, 60)} is no address of a container`,
    {
      hint: 'docker://, library://, oras://, shub:// and https:// are known',
    },
  );
  return undefined;
}

/** `exe` is one word of the command: arguments in it would be quoted together with it. */
export function checkExe(batch: MapTree, scope: StagingScope): void {
  for (const key of ['exe', 'executable']) {
    const tree = childOf(batch, key);
    const exe = textOf(tree);
    if (exe === undefined || !/\s/.test(exe) || scope.files.look(exe).ok) continue;
    scope.report.warn('exe-words', tree?.place, `${key} is one word, and ${excerpt(exe, 60)} is no file`, {
      hint: 'put the arguments into the command: {exe} -v …',
    });
  }
  const both = childOf(batch, 'exe') && childOf(batch, 'executable');
  if (both) {
    scope.report.error('duplicate-key', both.place, '"exe" and "executable" mean the same', {
      hint: 'delete one of them',
    });
  }
}
