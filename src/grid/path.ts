/** Which grid file counts: the one place that knows the order. (The shell's find_grid keeps to the same.) */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where the grid file is looked for when nobody names one, and where `nodes add` begins one. */
export function usualGridPath(env: NodeJS.ProcessEnv): string | undefined {
  return env.HOME ? join(env.HOME, '.logobatch.yml') : undefined;
}

/** The file that was named, on the command line before `LOGOBATCH_GRID`, whether it is there or not; undefined: none. */
export function namedGridPath(env: NodeJS.ProcessEnv, given: string | undefined): string | undefined {
  return given || env.LOGOBATCH_GRID || undefined;
}

/** Path of the grid file; undefined: this machine alone, one slot a processor. A file that was named need not be there. */
export function gridPath(env: NodeJS.ProcessEnv, given: string | undefined): string | undefined {
  const named = namedGridPath(env, given);
  if (named !== undefined) return named === 'local' ? undefined : named;
  const usual = usualGridPath(env);
  return usual !== undefined && existsSync(usual) ? usual : undefined;
}
