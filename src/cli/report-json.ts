import type { Compiled } from '../compile.ts';
import { diagnosticToJson } from '../diagnostic.ts';
import type { Summary } from './summary.ts';

/** The one object that `--format json` prints, for editors and CI. */
export function reportJson(compiled: Compiled, summary: Summary | undefined, dryRun: boolean): object {
  return {
    result: compiled.kind,
    dryRun,
    diagnostics: compiled.diagnostics.map(diagnosticToJson),
    ...(compiled.kind === 'failed' ? { failure: compiled.failure } : {}),
    ...(summary
      ? {
          jobs: summary.jobs,
          batches: summary.batches,
          changed: summary.changed,
          first: summary.first,
          stale: summary.stale,
        }
      : {}),
  };
}
