import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';

/** What may import what: the table of src/README.md. A place is a folder of src, or a file in it. */
const NOUNS = ['model.ts', 'diagnostic.ts', 'quote.ts', 'version.ts', 'failure.ts', 'counted.ts'];
const COMMAND = ['command.ts', 'command', ...NOUNS];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(NOUNS.map(noun => [noun, NOUNS])),
  'command.ts': COMMAND,
  command: COMMAND,
  read: ['read', ...COMMAND],
  validate: ['validate', 'read', ...COMMAND],
  plan: ['plan', ...COMMAND],
  emit: ['emit', 'plan', ...COMMAND],
  'compile.ts': ['emit', 'plan', 'grid', 'validate', 'read', ...COMMAND],
  grid: ['grid', 'validate', 'read', ...NOUNS],
  transport: ['transport', 'grid', ...NOUNS],
  'prompt.ts': NOUNS,
  cli: ['cli', 'compile.ts', 'emit', 'read', 'grid', 'transport', 'runtime', 'prompt.ts', ...NOUNS],
  'logobatch.ts': ['cli', ...NOUNS],
  'makebimg.ts': ['scaffold', ...NOUNS],
  scaffold: ['scaffold', 'validate', 'emit', 'prompt.ts', ...NOUNS],
  runtime: ['runtime', 'transport', 'grid', ...NOUNS],
};

const IMPORT = /^(?:import|export)\s[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm;

interface Source {
  readonly path: string;
  readonly text: string;
  /** Relative to src. */
  readonly imports: readonly string[];
}

const sources: Source[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .sort()
  .map(path => {
    const text = readFileSync(join('src', path), 'utf8');
    const found = [...text.matchAll(IMPORT)].map(match => match[1] ?? match[2] ?? match[3] ?? '');
    const own = found.filter(target => target.startsWith('.'));
    return { path, text, imports: own.map(target => relative('src', join('src', dirname(path), target))) };
  });

const placeOf = (path: string) => path.split('/')[0] ?? '';

describe('src', () => {
  test('imports only as its table says', () => {
    const wrong = sources.flatMap(({ path, imports }) => {
      const allowed = MAY_IMPORT[placeOf(path)];
      if (!allowed) return [`${path}: its folder is not in the table`];
      return imports
        .filter(target => !allowed.includes(placeOf(target)))
        .map(target => `${path} imports ${target}`);
    });
    assert.deepEqual(wrong, []);
  });

  test('has no cycles of imports', () => {
    const importsOf = new Map(sources.map(({ path, imports }) => [path, imports]));
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): string[] => {
      if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(' → ')];
      if (done.has(path)) return [];
      const found = (importsOf.get(path) ?? []).flatMap(target => visit(target, [...trail, path]));
      done.add(path);
      return found;
    };
    assert.deepEqual(
      sources.flatMap(({ path }) => visit(path, [])),
      [],
    );
  });

  test('has no file of more than 300 lines', () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
      .filter(({ lines }) => lines > 300);
    assert.deepEqual(long, []);
  });

  test('writes files in a few places only', () => {
    const writes = /\b(write|append|mkdir|rename|rm|rmdir|unlink|copyFile|cp|open)(File)?Sync\(/;
    assert.deepEqual(
      sources.filter(({ text }) => writes.test(text)).map(({ path }) => path),
      [
        ...['emit/hold.ts', 'emit/put.ts', 'emit/write.ts'],
        'runtime/board.ts',
        ...['fetch', 'notes', 'packet', 'send'].map(name => `runtime/cluster/${name}.ts`),
        ...['control', 'ledger', 'login', 'masters', 'stage'].map(name => `runtime/${name}.ts`),
        'scaffold/place.ts',
      ],
    );
  });

  test('plans and renders without clock, environment or chance', () => {
    const impure = sources.filter(
      ({ path, text }) =>
        /^(plan|emit\/(makefile|batchfile|files|jobfile|directives))/.test(path) && IMPURE.test(text),
    );
    assert.deepEqual(
      impure.map(({ path }) => path),
      [],
    );
  });

  const IMPURE =
    /\bDate\b|process\.env|Math\.random|random(UUID|Bytes)|performance\.|from 'node:(fs|os|child_process)/;

  test('every folder of it stands in the table of its README', () => {
    const readme = readFileSync('src/README.md', 'utf8');
    const missing = [...new Set(sources.map(({ path }) => placeOf(path)))]
      .filter(place => !place.endsWith('.ts'))
      .filter(place => !readme.includes(`\`${place}/\``));
    assert.deepEqual(missing, []);
  });
});
