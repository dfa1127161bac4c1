/**
 * The arrays that were handed to a cluster: `.logobatch/ledger/<node>.arrays/<name>.json`, written before it gets them and removed when all of it
 * has come back. So whoever comes after a head that died knows what waits, runs or has ended there.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const ARRAY = z.object({
  /** The scheduler's name for it, too. */
  name: z.string(),
  /** The work folder that it lies in. */
  work: z.string(),
  batch: z.string(),
  /** Undefined: nobody knows whether the scheduler has it. */
  id: z.exactOptional(z.string()),
  /** Task i is the (i - 1)th. `n`: what the job is called in its task. */
  tasks: z.array(z.array(z.object({ n: z.number(), job: z.string(), meaning: z.string() }))),
});
/** What is noted of an array. */
export type ArrayNote = z.infer<typeof ARRAY>;

const folderOf = (node: string) => join('.logobatch/ledger', `${node}.arrays`);

/** Those of a cluster that can be read. */
export function arraysOf(node: string): ArrayNote[] {
  return namesIn(folderOf(node)).flatMap(name => {
    try {
      return [ARRAY.parse(JSON.parse(readFileSync(join(folderOf(node), name), 'utf8')))];
    } catch {
      return [];
    }
  });
}

/** Notes one, or notes it anew. Throws the system's error where that cannot be: then it must not be handed over. */
export function noteArray(node: string, note: ArrayNote): void {
  const path = join(folderOf(node), `${note.name}.json`);
  mkdirSync(folderOf(node), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(note), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** It has come back, or never was. */
export function strikeArray(node: string, name: string): void {
  rmSync(join(folderOf(node), `${name}.json`), { force: true });
}

/** Nothing of ours is there any more. */
export function strikeArrays(node: string): void {
  rmSync(folderOf(node), { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => name.endsWith('.json'));
  } catch {
    return [];
  }
}
