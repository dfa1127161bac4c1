/** `logobatch compile`: runs the pipeline and says what came of it. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Compiled } from '../compile.ts';
import { compile } from '../compile.ts';
import { counted } from '../counted.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { renderDiagnostics } from '../diagnostic.ts';
import { shWord } from '../quote.ts';
import { imageSources } from '../read/sources.ts';
import { explain, wantsColour } from './print.ts';
import { reportJson } from './report-json.ts';
import { summarise } from './summary.ts';

export interface CompileArguments {
  readonly image: string;
  readonly dryRun: boolean;
  readonly check: boolean;
  readonly force: boolean;
  readonly format: 'text' | 'json';
}

/** Returns the exit code. */
export async function compileCommand(given: CompileArguments): Promise<number> {
  const root = resolve(given.image);
  const dryRun = given.dryRun || given.check;
  const compiled: Compiled =
    notAnImage(root, given.image) ?? (await compile(root, { dryRun, force: given.force }));
  const report = compiled.kind === 'done' ? summarise(compiled.plan, compiled.look) : undefined;
  const changed = report !== undefined && report.changed > 0;
  if (given.format === 'json')
    process.stdout.write(`${JSON.stringify(reportJson(compiled, report, dryRun))}\n`);
  else {
    process.stderr.write(described(root, compiled.diagnostics));
    if (compiled.kind === 'refused') process.stderr.write(`\n${verdict(compiled.diagnostics)}\n`);
    if (compiled.kind === 'failed') explain(compiled.failure);
    if (report) process.stdout.write(dryRun ? report.preview() : report.text(nextStep(root)));
  }
  if (compiled.kind !== 'done') return 1;
  return given.check && changed ? 1 : 0;
}

function described(root: string, diagnostics: readonly Diagnostic[]): string {
  return renderDiagnostics(diagnostics, imageSources(root), { colour: wantsColour(process.stderr) });
}

function verdict(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(found => found.severity === 'error').length;
  return `${counted(errors, 'error')}; nothing was written.`;
}

/** What to type now, from where the user stands. */
function nextStep(root: string): string {
  const there = relative(process.cwd(), root);
  const from = there.startsWith('..') && there.length > root.length / 2 ? root : there;
  return from === '' ? 'make' : `make -C ${shWord(from.startsWith('-') ? `./${from}` : from)}`;
}

/** Caught before anything is read, for a kinder word than "no such file". */
function notAnImage(root: string, given: string): Compiled | undefined {
  const refuse = (code: string, message: string, hint: string): Compiled => ({
    kind: 'refused',
    diagnostics: [{ severity: 'error', code, message, hint }],
  });
  if (/[\n\r\0]/.test(root)) {
    return refuse(
      'bad-path',
      'the path of the image holds a line break',
      'rename the folder: make cannot work there',
    );
  }
  if (!existsSync(root))
    return refuse('no-image', `there is no folder "${given}"`, 'makebimg NAME makes a new image');
  if (!existsSync(join(root, 'batch_info'))) {
    const up = resolve(root, '..');
    return existsSync(join(up, 'batch_info'))
      ? refuse('no-image', `"${given}" is no Batch Image, but the folder above it is`, 'logobatch compile ..')
      : refuse(
          'no-image',
          `"${given}" is no Batch Image: it has no folder batch_info`,
          'makebimg NAME makes a new image',
        );
  }
  return undefined;
}
