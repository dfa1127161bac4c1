/**
 * Paths of the image, as users write them, looked up without ever opening a file: a fifo would block, and what is
 * outside of the image is nobody's business.
 */
import { accessSync, constants, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { Code } from '../read/codes.ts';
import type { Report } from '../read/report.ts';

export interface PathFault {
  readonly code: Code;
  readonly why: string;
  readonly hint: string;
}

export type Lookup =
  | { readonly ok: true; readonly path: string; readonly kind: 'file' | 'folder' }
  | { readonly ok: false; readonly fault: PathFault };

/** The image's files, as far as validation looks at them. */
export interface ImageFiles {
  /** Absolute, links resolved. */
  readonly root: string;
  /** Normalises a path as typed and says what is there. */
  readonly look: (typed: string) => Lookup;
}

/** A path that stays below the root by its text alone: normalised with forward slashes, `.` for the root itself. */
export function normalise(typed: string): { path: string } | PathFault {
  if (/[\u0000-\u001f\u007f]/.test(typed)) {
    return {
      code: 'path-name',
      why: `the name ${excerpt(typed, 60)} has a line break, tab or control character in it`,
      hint: 'rename the file: lists of files are kept in lines',
    };
  }
  const outside = (why: string): PathFault => ({
    code: 'path-outside',
    why: `${excerpt(typed, 60)} ${why}`,
    hint: 'an image is self-contained: put the file into it (data/raw, src) and name it from there',
  });
  if (typed.startsWith('/')) return outside('is an absolute path');
  if (typed.startsWith('~')) return outside('starts with a ~');
  const normal = path.posix.normalize(typed).replace(/\/$/, '');
  if (normal === '..' || normal.startsWith('../')) return outside('leads out of the image');
  return { path: normal };
}

export function openImageFiles(folder: string): ImageFiles {
  const root = realpathSync(folder);
  const inside = (real: string) => real === root || real.startsWith(`${root}/`);
  /** Folders whose real place is known: a table may name a million files in one folder. */
  const folders = new Map<string, boolean>();
  const folderInside = (relative: string): boolean => {
    const known = folders.get(relative);
    if (known !== undefined) return known;
    let answer = true;
    try {
      answer = inside(realpathSync(path.join(root, relative)));
    } catch {
      // Not there: the look-up of the file itself says so.
    }
    folders.set(relative, answer);
    return answer;
  };
  const look = (typed: string): Lookup => {
    const normal = normalise(typed);
    if ('code' in normal) return { ok: false, fault: normal };
    const relative = normal.path;
    if (!folderInside(path.posix.dirname(relative))) return { ok: false, fault: leaves(relative) };
    const full = path.join(root, relative);
    try {
      let stats: Stats = lstatSync(full);
      if (stats.isSymbolicLink()) {
        if (!inside(realpathSync(full))) return { ok: false, fault: leaves(relative) };
        stats = statSync(full);
      }
      const fault = kindFault(stats, relative);
      if (fault) return { ok: false, fault };
      accessSync(full, constants.R_OK);
      return { ok: true, path: relative, kind: stats.isDirectory() ? 'folder' : 'file' };
    } catch (error) {
      return { ok: false, fault: systemFault(error, relative) };
    }
  };
  return { root, look };
}

export function leaves(relative: string): PathFault {
  return {
    code: 'path-link',
    why: `${excerpt(relative, 60)} is a symbolic link out of the image`,
    hint: 'replace the link by the file: the image must work elsewhere, too',
  };
}

export function kindFault(
  stats: Pick<Stats, 'isFile' | 'isDirectory'>,
  relative: string,
): PathFault | undefined {
  if (stats.isFile() || stats.isDirectory()) return undefined;
  return {
    code: 'path-special',
    why: `${excerpt(relative, 60)} is a fifo, a socket or a device`,
    hint: 'only files and folders can travel to a node',
  };
}

/** What the operating system says, in our words. */
export function systemFault(error: unknown, relative: string): PathFault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const shown = excerpt(relative, 60);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return {
      code: 'path-missing',
      why: `there is no ${shown}`,
      hint: "paths start at the image's root; upper and lower case count",
    };
  }
  if (code === 'ELOOP')
    return { code: 'path-link', why: `${shown} is a symbolic link to itself`, hint: 'remove it' };
  if (code === 'ENAMETOOLONG')
    return { code: 'path-name', why: `the path ${shown} is too long`, hint: 'shorten it' };
  return {
    code: 'unreadable',
    why: `cannot read ${shown} (${code})`,
    hint: 'chmod u+r makes a file readable for its owner',
  };
}

export function reportPath(fault: PathFault, place: Place | undefined, report: Report): void {
  report.error(fault.code, place, fault.why, { hint: fault.hint });
}

/** A path that must be there and be of one kind; undefined after a diagnostic. */
export function mustBe(
  files: ImageFiles,
  typed: string,
  kind: 'file' | 'any',
  place: Place,
  report: Report,
): string | undefined {
  const found = files.look(typed);
  if (!found.ok) {
    reportPath(found.fault, place, report);
    return undefined;
  }
  if (kind === 'file' && found.kind === 'folder') {
    report.error('path-kind', place, `${excerpt(typed, 60)} is a folder`, { hint: 'name a file' });
    return undefined;
  }
  return found.path;
}
