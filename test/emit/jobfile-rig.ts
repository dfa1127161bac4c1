/** Batches, jobs and real shells for the tests of jobfiles. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { parseTemplate } from '../../src/command.ts';
import type { Batch, Job, MarkerRef } from '../../src/model.ts';
import { UNSAID } from '../made-image.ts';

/** Removed after the tests. */
export const temp = mkdtempSync(join(tmpdir(), 'jobfile-'));
after(() => rmSync(temp, { recursive: true }));

export const SHELLS: [string, ...string[]][] = [['dash'], ['bash'], ['busybox', 'sh']];

/** A batch around a command whose markers are columns, constants or what every job has. */
export function batchOf(command: string, columns: readonly string[], more: Partial<Batch> = {}): Batch {
  const constants = more.constants ?? new Map<string, string>();
  const resolve = (name: string): MarkerRef | undefined => {
    if (columns.includes(name)) return { kind: 'column', index: columns.indexOf(name) };
    if (name === 'out' || name === 'id' || name === 'n' || name === 'cpus')
      return { kind: 'job', what: name };
    const value = constants.get(name);
    return value === undefined ? undefined : { kind: 'constant', value };
  };
  const parsed = parseTemplate(command, true, marker => resolve(marker.name), more.shell === 'bash');
  assert.deepEqual([parsed.unknown, parsed.unusable, parsed.unterminated], [[], [], []], command);
  return {
    id: 'bbatch_1/fire',
    name: 'fire',
    bbatch: 'bbatch_1',
    place: { file: 'batch_info/bbatch_1.yml', line: 3, column: 5, length: 4 },
    shell: 'sh',
    command: parsed.template,
    table: { source: 'batch_info/sweep.csv', columns, rows: [], placeOf: () => undefined },
    jobName: undefined,
    cpus: 1,
    threads: undefined,
    files: [],
    ...UNSAID,
    constants,
    ...more,
  };
}

export function jobOf(values: readonly string[], more: Partial<Job> = {}): Job {
  const digest = '0123456789abcdef0123456789abcdef';
  return { name: 'Job7', number: 7, cpus: 1, values, digest, files: [], needs: [], ...more };
}

/** Runs a jobfile in a fresh folder. */
export function run(shell: readonly string[], text: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(temp, 'run-'));
  writeFileSync(join(folder, 'jobfile.sh'), text);
  const [program = '', ...args] = shell;
  const ran = spawnSync(program, [...args, 'jobfile.sh'], {
    cwd: folder,
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', ...env },
    maxBuffer: 1e9,
  });
  return { folder, status: ran.status, stdout: ran.stdout, stderr: ran.stderr.toString() };
}
