/**
 * Builds dist/: the two programs as one bundle in pieces that load when needed, and the runtime as one file that
 * needs nothing beside itself. Everything is bundled, so installing LogoBatch installs no other package.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

process.chdir(join(import.meta.dirname, '..'));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

// Some of the bundled packages are CommonJS and ask for these three at run time; `var`, since yargs declares its own.
const REQUIRE =
  'import{createRequire as __cr}from"node:module";import{fileURLToPath as __fu}from"node:url";' +
  'import{dirname as __dn}from"node:path";' +
  'var require=__cr(import.meta.url),__filename=__fu(import.meta.url),__dirname=__dn(__filename);';

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  banner: { js: REQUIRE },
  define: { LOGOBATCH_VERSION: JSON.stringify(version) },
  external: ['cpu-features', '*.node'],
  logLevel: 'warning',
  outExtension: { '.js': '.mjs' },
};

rmSync('dist', { recursive: true, force: true });
const programs = ['logobatch', 'makebimg'].filter(name => existsSync(`src/${name}.ts`));
const [cli, runtime] = await Promise.all([
  build({
    ...common,
    entryPoints: programs.map(name => `src/${name}.ts`),
    outdir: 'dist',
    splitting: true,
    chunkNames: 'chunk/[name]-[hash]',
  }),
  build({
    ...common,
    minifyWhitespace: true,
    entryPoints: { runtime: 'src/runtime/main.ts' },
    outdir: 'dist',
  }),
]);

for (const name of programs) {
  const path = `dist/${name}.mjs`;
  writeFileSync(path, `#!/usr/bin/env node\n${readFileSync(path, 'utf8')}`);
  chmodSync(path, 0o755);
}
const inputs = [cli, runtime].flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync('dist/THIRD_PARTY_LICENSES', licences(inputs));
writeFileSync(
  'dist/runtime.mjs',
  `${notice(Object.keys(runtime.metafile.inputs))}${readFileSync('dist/runtime.mjs', 'utf8')}`,
);

/** The folders of the packages that went into a bundle. */
function packagesOf(paths) {
  const found = paths.map(path => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(found.filter(Boolean))].sort();
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function licenceText(folder) {
  const file = readdirSync(folder).find(name => /^(licen[cs]e|copying|unlicense)/i.test(name));
  return file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${manifest(folder).license}`;
}

function licences(paths) {
  const parts = packagesOf(paths).map(folder => {
    const { name, version: of, license } = manifest(folder);
    return `${name} ${of} (${license})\n\n${licenceText(folder)}\n`;
  });
  return `LogoBatch contains code of these packages.\n\n${parts.join(`\n${'-'.repeat(78)}\n\n`)}`;
}

/** The runtime travels alone, so its notices travel in it. */
function notice(paths) {
  const texts = packagesOf(paths).map(folder => `${manifest(folder).name}: ${licenceText(folder)}`);
  const body = ['The runtime of LogoBatch, bundled with:', ...texts].join('\n\n').replaceAll('*/', '* /');
  return `/*\n${body}\n*/\n`;
}
