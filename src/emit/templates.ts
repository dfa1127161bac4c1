/** The templates of the scripts that an image may word in its own way: those in its `batch_info/`, else ours. */
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TextDecoder } from 'node:util';
import { type Diagnostic, nearest } from '../diagnostic.ts';
import type { ArrayView } from './arrayscript.ts';
import type { JobfileView } from './jobfile.ts';
import { ownTemplate, parseTemplate, type Template, templateFaults } from './template.ts';

export interface Templates {
  readonly jobfile: Template;
  readonly array: Template;
}

/** Those of the package. */
export function ownTemplates(folder?: string): Templates {
  return {
    jobfile: ownTemplate('jobfile.sh.hbs', folder),
    array: ownTemplate('array.sh.hbs', folder),
  };
}

export type ImageTemplates =
  | { readonly ok: true; readonly templates: Templates; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const JOBFILE = 'batch_info/jobfile.sh.hbs';
const ARRAY = 'batch_info/array.sh.hbs';
/** In bytes: many times ours. */
const LARGEST = 1024 * 1024;

/** Those that the image in `root` is compiled with, or what is wrong with its own. */
export function imageTemplates(root: string): ImageTemplates {
  const diagnostics: Diagnostic[] = [];
  const own = ownTemplates();
  const read = (file: string, view: object, check: (made: Template) => Problem[]): Template | undefined => {
    const source = textOf(root, file);
    if (source === undefined) return undefined;
    const result = typeof source === 'string' ? parse(source) : source;
    const problems = 'render' in result ? problemsOf(result, view, check) : [result];
    diagnostics.push(...problems.slice(0, 20).map(problem => diagnosticOf(file, problem)));
    return 'render' in result ? result : undefined;
  };
  const jobfile = read(JOBFILE, JOBFILE_SAMPLE, checkJobfile);
  const array = read(ARRAY, ARRAY_SAMPLE, checkArray);
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  return { ok: true, diagnostics, templates: { jobfile: jobfile ?? own.jobfile, array: array ?? own.array } };
}

/** Every value there is, so that all of a template is looked at. */
const JOBFILE_SAMPLE: JobfileView = {
  interpreter: '/bin/sh',
  shell: 'sh',
  options: '-e',
  digest: 'DIGEST',
  cpus: 'CPUS',
  pairs: 'PAIRS',
  id: 'bbatch/batch',
  name: 'Job1',
  file: 'batch_info/bbatch.yml',
  out: 'data/processed/bbatch/batch/Job1',
  directives: ['#SBATCH --partition=main'],
  values: [{ export: 'export ', variable: 'LB_x', value: '1', note: '  # long' }],
  from: ', from t.csv',
  env: [{ variable: 'X', value: '1' }],
  modules: 'gcc',
  container: 'image.sif',
  command: 'true',
};

const ARRAY_SAMPLE: ArrayView = {
  id: 'bbatch/batch',
  name: 'batch',
  file: 'batch_info/bbatch.yml',
  script: '.logobatch/arrays/bbatch/batch.sh',
  count: '2',
  jobs: '2 jobs',
  shell: 'sh',
  directives: ['#SBATCH --partition=main'],
};

interface Problem {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly message: string;
  readonly hint: string;
}

function diagnosticOf(file: string, { line, column, length, message, hint }: Problem): Diagnostic {
  return { severity: 'error', code: 'template', message, hint, place: { file, line, column, length } };
}

function at(line: number, message: string, hint: string): Problem {
  return { line, column: 1, length: 1, message, hint };
}

/** Undefined where the image has no such file. */
function textOf(root: string, file: string): string | Problem | undefined {
  const path = join(root, file);
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile())
    return at(1, 'this is no file', 'a template is a text; without one, LogoBatch has its own');
  if (stats.size > LARGEST) return at(1, 'a template of more than 1 MiB', 'is this the right file?');
  const bytes = readFileSync(path);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Shells do not take the line ends of Windows.
    if (!text.includes('\0')) return text.replace(/\r\n?/g, '\n');
  } catch {
    // Said below, too.
  }
  return at(1, 'the template is not text in UTF-8', 'save the file as UTF-8, without NUL characters');
}

function parse(source: string): Template | Problem {
  try {
    return parseTemplate(source);
  } catch (error) {
    return syntaxProblem(source, error);
  }
}

/** Handlebars says the place in three ways, as members or in words. */
function syntaxProblem(source: string, error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  const [, mismatch, pairLine, pairColumn] = /^(.*) - (\d+):(\d+)$/s.exec(text) ?? [];
  const line = Number(pairLine ?? /on line (\d+)/.exec(text)?.[1] ?? 1);
  const column = Number(pairColumn ?? 0) + 1;
  const length = Math.max(1, (source.split('\n')[line - 1] ?? '').length - column + 1);
  const got = /got '(\w+)'/.exec(text)?.[1];
  const cause =
    mismatch ?? (got === 'EOF' ? 'a block is not closed' : 'what stands in braces cannot be read');
  const hint = 'two braces begin a value, {{name}}, or a block, {{#if name}} … {{/if}}; \\{{ is as written';
  return { line, column, length, message: `the template cannot be parsed: ${cause}`, hint };
}

/** What a template that can be parsed has wrong; what it makes is looked at last. */
function problemsOf(template: Template, view: object, check: (made: Template) => Problem[]): Problem[] {
  const unknown = unknownNames(template, view);
  if (unknown.length > 0) return unknown;
  try {
    return check(template);
  } catch (error) {
    return [syntaxProblem(template.source, error)];
  }
}

function unknownNames(template: Template, view: object): Problem[] {
  return templateFaults(template, view).map(({ known, message, ...place }) => {
    const name = /"#?(.*)"$/.exec(message)?.[1] ?? '';
    const near = nearest(name, known);
    const list = known.length > 0 ? `known here: ${known.join(', ')}` : 'write it out';
    return { ...place, message, hint: near ? `did you mean "${near}"? ${list}` : list };
  });
}

/** What the recipes read in a jobfile must be there, whatever else a template says. */
function checkJobfile(template: Template): Problem[] {
  const [first = '', second, third] = template.render(JOBFILE_SAMPLE).split('\n');
  const [, , alone = ''] = template.render({ ...JOBFILE_SAMPLE, pairs: '' }).split('\n');
  if (!first.startsWith('#!'))
    return [at(1, 'the first line of a jobfile names its shell', 'write #!{{interpreter}}')];
  if (second !== '#: DIGEST CPUS')
    return [
      at(
        2,
        'the second line of a jobfile is read by make: it must say what the job is',
        'write #: {{digest}} {{cpus}}',
      ),
    ];
  if (third !== '#: needs PAIRS' || alone.startsWith('#: needs'))
    return [
      at(
        3,
        'make reads in the third line of a jobfile which jobs it needs, where there are some',
        'write the three lines {{#if pairs}}, #: needs {{pairs}}, {{/if}}',
      ),
    ];
  return [];
}

/** In a run a task is told its folder, and only the script can hand that on. */
function checkArray(template: Template): Problem[] {
  const text = template.render(ARRAY_SAMPLE);
  if (!text.startsWith('#!'))
    return [at(1, 'the first line of a job array names its shell', 'write #!/bin/sh')];
  if (!/^[ \t]*[^#\s].*"\$1\/\.\.\/\.\.\/task" "\$1"/m.test(text))
    return [
      at(
        1,
        'make could not use this job array: it does not hand its task over',
        'keep the line [ $# -eq 0 ] || exec sh "$1/../../task" "$1" "$task" and the lines before it that set task',
      ),
    ];
  return [];
}
