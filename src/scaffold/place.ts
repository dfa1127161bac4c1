/** Puts a new image on the disk: whole or not at all, and never over anything. */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { visible } from '../diagnostic.ts';
import { writeNew } from '../emit/put.ts';
import { asFailure } from '../failure.ts';

export interface Refusal {
  readonly message: string;
  readonly hint: string;
}

/** Why no image can come to stand there; undefined if it can. An empty folder is no obstacle. */
export function obstacle(parent: string, name: string): Refusal | undefined {
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) {
    return {
      message: `there is no folder ${visible(parent)}`,
      hint: 'make it first (mkdir -p), or name another one',
    };
  }
  const found = lstatSync(join(parent, name), { throwIfNoEntry: false });
  if (!found || (found.isDirectory() && readdirSync(join(parent, name)).length === 0)) return undefined;
  return {
    message: `${name} is there already${found.isDirectory() ? ', and not empty' : ''}`,
    hint: 'take another name, or move it away; nothing is ever overwritten',
  };
}

/**
 * Writes into a folder beside the final one, which is renamed at the end: a reader finds the whole image or none. Says
 * why where the disk or somebody quicker is in the way; throws only for our bugs.
 */
export function place(
  parent: string,
  name: string,
  files: ReadonlyMap<string, string | Buffer>,
): Refusal | undefined {
  // `mkdtemp` would make it readable for its owner alone, and an image is to be shared.
  const temp = join(parent, `.${name}.new-${process.pid}`);
  try {
    const inTheWay = obstacle(parent, name);
    if (inTheWay) return inTheWay;
    mkdirSync(temp);
    for (const [path, content] of files) {
      mkdirSync(dirname(join(temp, path)), { recursive: true });
      writeNew(join(temp, path), [content]);
    }
    renameSync(temp, join(parent, name));
    return undefined;
  } catch (error) {
    rmSync(temp, { recursive: true, force: true });
    const failure = asFailure(error, parent);
    if (!failure) throw error;
    return (
      obstacle(parent, name) ?? {
        message: failure.message,
        hint: 'nothing was made; try again when that is mended',
      }
    );
  }
}
