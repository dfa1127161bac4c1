/** Looks through a folder that will travel to nodes, for what cannot or must not travel. */
import { accessSync, constants, type Dirent, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import { limited, type Report } from '../read/report.ts';
import { kindFault, leaves, normalise, type PathFault, systemFault } from './paths.ts';

/** A function that looks through each folder once, however many batches share it. */
export function newFolderCheck(
  root: string,
  report: Report,
): (folder: string, place: Place | undefined) => void {
  const done = new Set<string>();
  return (folder, place) => {
    if (done.has(folder)) return;
    done.add(folder);
    const faults = limited(report);
    for (const fault of faultsBelow(root, folder)) {
      if (fault.code !== 'path-missing') faults.error(fault.code, place, fault.why, { hint: fault.hint });
      else report.warn('path-link', place, fault.why, { hint: fault.hint });
    }
    faults.done(excerpt(folder, 60));
  };
}

/** Never opens a file and never follows a link. A link to nothing comes as `path-missing`. */
function* faultsBelow(root: string, top: string): Iterable<PathFault> {
  const open = [top];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    let entries: Dirent[];
    try {
      entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    } catch (error) {
      yield systemFault(error, folder);
      continue;
    }
    for (const entry of entries) {
      const relative = `${folder}/${entry.name}`;
      if (entry.isDirectory()) open.push(relative);
      const fault = faultOf(root, relative, entry);
      if (fault) yield fault;
    }
  }
}

function faultOf(root: string, relative: string, entry: Dirent): PathFault | undefined {
  const normal = normalise(relative);
  if ('code' in normal) return normal;
  const full = path.join(root, relative);
  try {
    if (!entry.isSymbolicLink()) {
      const fault = kindFault(entry, relative);
      if (!fault) accessSync(full, constants.R_OK);
      return fault;
    }
    const real = realpathSync(full);
    return real === root || real.startsWith(`${root}/`) ? undefined : leaves(relative);
  } catch (error) {
    const fault = systemFault(error, relative);
    if (fault.code !== 'path-missing') return fault;
    const why = `${excerpt(relative, 60)} is a symbolic link to nothing`;
    return { ...fault, why, hint: 'jobs will find a dead link, too: mend or remove it' };
  }
}
