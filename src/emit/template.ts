/** Handlebars templates: found, checked and rendered. They hold values, `each` and `if`; all thinking is done before. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';

/** Where `templates/` lies: beside `dist/` in the package, beside `src/` in a checkout. */
export function templatesFolder(from = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const templates = join(folder, 'templates');
    if (existsSync(join(templates, 'Makefile.hbs'))) return templates;
    if (folder === dirname(folder)) throw new Error(`no folder templates/ above ${from}`);
  }
}

const handlebars = Handlebars.create();
/** `{{pad word 20}}`: the blanks that fill a column of 20 after the word. */
handlebars.registerHelper('pad', (word: string, width: number) =>
  ' '.repeat(Math.max(0, width - word.length)),
);
// A value called like one of these would vanish without a word.
for (const name of ['log', 'lookup', 'with']) handlebars.unregisterHelper(name);
const BLOCKS = ['each', 'if', 'unless'];
/** Of `each`: `{{@first}}`. */
const DATA = new Set(['index', 'key', 'first', 'last']);

export interface Template {
  /** Whatever else changes what it makes, this does. */
  readonly source: string;
  readonly program: hbs.AST.Program;
  readonly render: (view: unknown) => string;
}

/** A place in a template, and what is wrong there. */
export interface TemplateFault {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly message: string;
  /** What would be right. */
  readonly known: readonly string[];
}

const ours = new Map<string, Template>();

/** One that comes with LogoBatch, e.g. `jobfile.sh.hbs`. */
export function ownTemplate(file: string, folder = templatesFolder()): Template {
  const path = join(folder, file);
  const template = ours.get(path) ?? parseTemplate(readFileSync(path, 'utf8'));
  ours.set(path, template);
  return template;
}

/** Throws what the parser says. */
export function parseTemplate(source: string): Template {
  const options = { noEscape: true, strict: true, knownHelpersOnly: true, knownHelpers: { pad: true } };
  return { source, program: Handlebars.parse(source), render: handlebars.compile(source, options) };
}

/** Renders a template of `folder`. Throws where it names what the view does not have. */
export function renderTemplate(file: string, view: object, folder = templatesFolder()): string {
  const template = ownTemplate(file, folder);
  const [fault] = templateFaults(template, view);
  if (fault) throw new Error(`${file}:${fault.line}:${fault.column}: ${fault.message}`);
  return template.render(view);
}

/**
 * What a template names although the view does not have it: strict mode lets a misspelt `#if`, `#each` or argument pass as
 * empty. Inside of an `each` the first element stands for all, and an empty list for whatever is written there.
 */
export function templateFaults({ program }: Template, view: object): TemplateFault[] {
  const faults: TemplateFault[] = [];
  check(program, [view], faults);
  return faults;
}

/** `views`: what is in reach, the innermost last; `../` goes one back. */
function check(program: hbs.AST.Program, views: readonly unknown[], faults: TemplateFault[]): void {
  const fault = (node: hbs.AST.Node, message: string, known: readonly string[]) => {
    const { start, end } = node.loc;
    const length = end.line === start.line ? Math.max(1, end.column - start.column) : 2;
    faults.push({ line: start.line, column: start.column + 1, length, message, known });
  };
  const valueAt = (path: hbs.AST.PathExpression): unknown => {
    const [name, ...more] = path.parts;
    const view = views.at(-1 - path.depth);
    if (name === undefined) return view;
    if (path.data ? more.length === 0 && DATA.has(name) : isObject(view) && Object.hasOwn(view, name)) {
      if (more.length === 0) return isObject(view) ? view[name] : undefined;
    }
    const known = path.data ? [...DATA].map(one => `@${one}`) : isObject(view) ? Object.keys(view) : ['this'];
    fault(path, `no value is called "${path.original}"`, known);
    return undefined;
  };

  class Names extends Handlebars.Visitor {
    override PathExpression(path: hbs.AST.PathExpression): void {
      valueAt(path);
    }

    override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
      // With arguments the first word is a helper.
      if (mustache.params.length === 0 && mustache.hash === undefined) this.accept(mustache.path);
      else if (!isPath(mustache.path) || mustache.path.original !== 'pad')
        fault(mustache.path, `no helper is called "${nameOf(mustache.path)}"`, ['pad']);
      for (const param of mustache.params) this.accept(param);
    }

    override BlockStatement(block: hbs.AST.BlockStatement): void {
      const name = nameOf(block.path);
      const [param, ...more] = block.params;
      if (!BLOCKS.includes(name) || param === undefined || more.length > 0) {
        const known = BLOCKS.map(one => `#${one} VALUE`);
        fault(block.path, `no block is written "#${name}${block.params.length === 0 ? '' : ' …'}"`, known);
        return;
      }
      if (name !== 'each') this.accept(param);
      else if (isPath(param)) {
        const list = valueAt(param);
        if (list !== undefined && !Array.isArray(list)) fault(param, `"${param.original}" is no list`, []);
        if (Array.isArray(list) && list.length > 0) check(block.program, [...views, list[0]], faults);
      }
      if (name !== 'each' && block.program) this.accept(block.program);
      if (block.inverse) this.accept(block.inverse);
    }

    override PartialStatement(partial: hbs.AST.PartialStatement): void {
      fault(partial, 'a template cannot be put into another one', []);
    }
  }
  new Names().accept(program);
}

function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression';
}

function nameOf(node: hbs.AST.Node): string {
  return isPath(node) ? node.original : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
