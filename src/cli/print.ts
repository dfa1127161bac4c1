/** How commands speak: colours where there is somebody to see them, mistakes with the texts they stand in, failures with their cures. */
import { isAbsolute } from 'node:path';
import { type Sources, visible } from '../diagnostic.ts';
import type { Failure } from '../failure.ts';
import { imageSources } from '../read/sources.ts';

export function wantsColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  return Boolean(FORCE_COLOR) || (stream.isTTY === true && TERM !== 'dumb');
}

/** Texts of files that are called by their paths, absolute or from where the user stands. */
export function pathSources(): Sources {
  const here = imageSources(process.cwd());
  const anywhere = imageSources('/');
  return file => (isAbsolute(file) ? anywhere : here)(file);
}

/** Says what failed; returns the exit code for it. */
export function explain({ message, hint }: Failure): 1 {
  process.stderr.write(`logobatch: ${visible(message)}\n  hint: ${visible(hint)}\n`);
  return 1;
}
