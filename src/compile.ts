/** The pipeline on one screen: a Batch Image's folder in, its Makefile and all that goes with it out. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from './diagnostic.ts';
import { hasErrors } from './diagnostic.ts';
import { copiedFiles } from './emit/copied.ts';
import { FORMAT, FORMAT_FILE } from './emit/emission.ts';
import { emit } from './emit/files.ts';
import { holdImage, runningMake } from './emit/hold.ts';
import type { Look } from './emit/look.ts';
import { lookAt } from './emit/look.ts';
import { sourcesOf } from './emit/sources.ts';
import { imageTemplates } from './emit/templates.ts';
import { writeImage } from './emit/write.ts';
import type { Failure } from './failure.ts';
import { asFailure } from './failure.ts';
import { gridJsonSchema } from './grid/editor-schema.ts';
import type { Plan } from './model.ts';
import { LOCK_FILE } from './plan/lock.ts';
import { planImage } from './plan/plan.ts';
import { bbatchJsonSchema } from './validate/editor-schema.ts';
import { readImage } from './validate/image.ts';

export interface CompileOptions {
  /** Stop before writing. */
  readonly dryRun: boolean;
  /** Write although the image is of a newer format, or make is running in it. */
  readonly force: boolean;
}

export type Compiled =
  /** The user's image is wrong; nothing was written. */
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }
  /** The machine misbehaved; the old Makefile still stands. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly kind: 'done';
      readonly plan: Plan;
      readonly look: Look;
      readonly diagnostics: readonly Diagnostic[];
    };

/** Compiles the image in `root`, an absolute path. Throws only what is our own mistake. */
export async function compile(root: string, { dryRun, force }: CompileOptions): Promise<Compiled> {
  let diagnostics: readonly Diagnostic[] = [];
  const release: (() => void)[] = [];
  try {
    const refusal = force ? undefined : (newerFormat(root) ?? runningMake(root));
    if (refusal) return { kind: 'refused', diagnostics: [refusal] };

    const read = await readImage(root);
    const templates = imageTemplates(root);
    diagnostics = [...read.diagnostics, ...templates.diagnostics];
    if (!read.ok || !templates.ok) return { kind: 'refused', diagnostics };

    const planned = planImage(read.image, readLockFile(root));
    diagnostics = [...diagnostics, ...planned.diagnostics];
    if (!planned.ok) return { kind: 'refused', diagnostics };

    const { plan } = planned;
    const emission = emit(
      read.image,
      plan,
      new Map([
        ...copiedFiles({ bbatch: bbatchJsonSchema(), grid: gridJsonSchema() }),
        ['sources', sourcesOf(root, read.image)],
      ]),
      templates.templates,
    );
    if (!dryRun) {
      const held = holdImage(root, force);
      if (!held.ok) return { kind: 'refused', diagnostics: [...diagnostics, held.diagnostic] };
      release.push(held.release);
    }
    const look = lookAt(root, emission);
    diagnostics = [...diagnostics, ...look.diagnostics];
    if (hasErrors(diagnostics)) return { kind: 'refused', diagnostics };
    if (!dryRun) writeImage(root, emission, look);
    return { kind: 'done', plan, look, diagnostics };
  } catch (error) {
    const failure = asFailure(error, root);
    if (!failure) throw error;
    return { kind: 'failed', failure, diagnostics };
  } finally {
    for (const step of release) step();
  }
}

function readLockFile(root: string): string | undefined {
  const path = join(root, LOCK_FILE);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** An image whose files a newer LogoBatch wrote: what we would put there, it may not understand. */
function newerFormat(root: string): Diagnostic | undefined {
  const path = join(root, FORMAT_FILE);
  const format = existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) : FORMAT;
  if (format <= FORMAT) return undefined;
  return {
    severity: 'error',
    code: 'newer-format',
    message: `this image was compiled by a newer LogoBatch: its format is ${format}, this one knows ${FORMAT}`,
    place: { file: FORMAT_FILE, line: 1, column: 1, length: String(format).length },
    hint: 'compile with the newer one, or write over it with --force',
  };
}
