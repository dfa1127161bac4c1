/**
 * Runs the tests whose path holds one of the words given, or all: `node test/suite.mjs emit/ compile`.
 *
 * Tests are bundled into a few files, one node process each, since a process a test file would cost more than most tests
 * do. Ends with `N passed, N failed, N skipped`; fewer tests than the minimum is a failure, too, so that
 * tests cannot vanish unseen.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { build } from 'esbuild';

/** Raise it when tests are added. Who is not root has no labs. */
const MINIMUM = process.getuid?.() === 0 ? 1000 : 750;

process.chdir(join(import.meta.dirname, '..'));
const words = process.argv.slice(2);
const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter(
    path => path.endsWith('.test.ts') && (words.length === 0 || words.some(word => path.includes(word))),
  )
  .sort();
// Tests of schedulers mostly wait for these.
const patient = files.filter(path => /^(cluster|lab)\//.test(path));
const busy = files.filter(path => !patient.includes(path));
const cores = availableParallelism();
// More hands than cores: nobody knows which of them take long, so whoever has finished one takes the next.
const hands = [patient, ...share(busy, Math.min(busy.length, 4 * cores))];
const shards = await bundle(hands.filter(hand => hand.length > 0));

const counts = { passed: 0, failed: 0, skipped: 0 };
const slow = [];
const failures = [];
const stream = run({ files: shards, concurrency: 1 + cores });
for await (const { type, data } of stream) {
  if (type === 'test:stdout' || type === 'test:stderr') process.stdout.write(data.message);
  if (type === 'test:fail') note(data, false);
  if (type === 'test:pass') note(data, true);
}

for (const { name, file, error } of failures) console.log(`\n✖ ${name}  (${file})\n${indent(reason(error))}`);
for (const { name, ms } of slow.sort((a, b) => b.ms - a.ms).slice(0, 5)) {
  console.log(`slow: ${(ms / 1000).toFixed(1)} s  ${name}`);
}
const total = counts.passed + counts.failed + counts.skipped;
if (words.length === 0 && total < MINIMUM) {
  console.log(`only ${total} tests ran, at least ${MINIMUM} are expected`);
  counts.failed++;
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || total === 0 ? 1 : 0;

/** Deals the files out by size, the largest first: a guess at their time that needs no memory of the last run. */
function share(paths, count) {
  const sized = paths
    .map(path => ({ path, size: statSync(join('test', path)).size }))
    .sort((a, b) => b.size - a.size);
  const hands = Array.from({ length: count }, () => ({ paths: [], size: 0 }));
  for (const { path, size } of sized) {
    const [hand] = [...hands].sort((a, b) => a.size - b.size);
    hand.paths.push(path);
    hand.size += size;
  }
  return hands.map(hand => hand.paths.sort());
}

async function bundle(hands) {
  const folder = resolve('.build/test');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const entries = hands.map((paths, i) => {
    const entry = join(folder, `shard${i}.ts`);
    writeFileSync(entry, paths.map(path => `import '${resolve('test', path)}';\n`).join(''));
    return entry;
  });
  await build({
    entryPoints: entries,
    outdir: folder,
    outExtension: { '.js': '.test.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return hands.map((_, i) => join(folder, `shard${i}.test.mjs`));
}

function note(data, passed) {
  const { details, name, file } = data;
  // A suite that is skipped as a whole says nothing of its tests.
  if (data.skip !== undefined && data.skip !== false) {
    counts.skipped++;
    console.log(`skipped: ${name}${typeof data.skip === 'string' ? `: ${data.skip}` : ''}`);
    return;
  }
  // A suite and a shard fail because a test of theirs did; a shard that could not even start has no test to blame.
  const isGroup = details.type === 'suite' || name === file;
  if (isGroup && (passed || details.error?.failureType === 'subtestsFailed')) return;
  if (passed) {
    counts.passed++;
    slow.push({ name, ms: details.duration_ms });
  } else {
    counts.failed++;
    failures.push({ name, file, error: details.error });
    process.stdout.write(`✖ ${name}\n`);
  }
}

function reason(error) {
  const cause = error?.cause ?? error;
  return String(cause?.stack ?? cause?.message ?? cause);
}

function indent(text) {
  return text
    .split('\n')
    .slice(0, 60)
    .map(line => `    ${line}`)
    .join('\n');
}
