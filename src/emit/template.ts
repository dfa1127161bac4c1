/** Our Handlebars templates: found, checked and rendered. They hold values, `each` and `if`; all thinking is done before. */
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
for (const name of ['log', 'lookup']) handlebars.unregisterHelper(name);
const HELPERS = new Set(['if', 'each', 'pad']);

interface Compiled {
  readonly program: hbs.AST.Program;
  readonly render: (view: unknown) => string;
}

const compiled = new Map<string, Compiled>();

/** Renders a template of `folder`, e.g. `jobfile.sh.hbs`. Throws where it names what the view does not have. */
export function renderTemplate(file: string, view: object, folder = templatesFolder()): string {
  const path = join(folder, file);
  const template = compiled.get(path) ?? compile(readFileSync(path, 'utf8'));
  compiled.set(path, template);
  checkNames(template.program, view, file);
  return template.render(view);
}

function compile(source: string): Compiled {
  const options = { noEscape: true, strict: true, knownHelpersOnly: true, knownHelpers: { pad: true } };
  return { program: Handlebars.parse(source), render: handlebars.compile(source, options) };
}

/** Strict mode lets a misspelt `#if`, `#each` or helper argument pass as empty; this does not. */
function checkNames(program: hbs.AST.Program, view: unknown, file: string): void {
  class Names extends Handlebars.Visitor {
    override PathExpression(path: hbs.AST.PathExpression): void {
      const [name] = path.parts;
      if (name === undefined || HELPERS.has(name) || (isObject(view) && Object.hasOwn(view, name))) return;
      const { line, column } = path.loc.start;
      throw new Error(`${file}:${line}:${column + 1}: no value is called "${name}"`);
    }

    override BlockStatement(block: hbs.AST.BlockStatement): void {
      for (const param of block.params) this.accept(param);
      const [param] = block.params;
      if (!isPath(block.path) || block.path.original !== 'each' || param === undefined || !isPath(param)) {
        this.accept(block.program);
        if (block.inverse) this.accept(block.inverse);
        return;
      }
      const list = isObject(view) ? view[param.parts.join('.')] : undefined;
      if (Array.isArray(list) && list.length > 0) checkNames(block.program, list[0], file);
    }
  }
  new Names().accept(program);
}

function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
