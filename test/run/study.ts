/** The image that most tests of goals and options use: two bbatches, a pair of batches, and one that stands alone. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { note, type Project } from './rig.ts';

/** `a/Job2` fails while there is a file `fail` in the home. */
export const TWO = `batches:
  - name: a
    command: '${note('a')}; cat > {out}/stdin; echo {i0} > {out}/x; [ {i0} != 2 ] || [ ! -e "$HOME/fail" ]'
    inputs: ["1", "2", "3"]
  - name: b
    command: '${note('b')}; cat data/processed/one/a/{id}/x > {out}/x'
    inputs: ["1", "2", "3"]
    needs: {each: a}
`;
export const OTHER = `batches:
  - name: c
    command: '${note('c')}; pwd > {out}/cwd; ls -A {out} > "$HOME/listing"'
`;
export const FILES = { 'batch_info/one.yml': TWO, 'batch_info/two.yml': OTHER, 'src/x': '' };
export const A = ['a/Job1', 'a/Job2', 'a/Job3'];
export const B = ['b/Job1', 'b/Job2', 'b/Job3'];
export const ALL = [...A, ...B, 'c/Job1'];

/** From now on `a/Job2` fails, or does not any more. */
export const failing = (image: Project, yes: boolean) =>
  execFileSync(yes ? 'touch' : 'rm', [join(image.home, 'fail')]);

/** Makes, checks how that ended and what it said, and tells what ran. */
export async function ran(image: Project, args: readonly string[], code = 0, says = /^/): Promise<string[]> {
  const ended = await image.make(args);
  assert.equal(ended.code, code, ended.out);
  assert.match(ended.out, says);
  return image.ran();
}

/** What -n says, sorted: make shows the one recipe before it runs it. */
export function wouldRun(out: string): string[] {
  const [recipe, ...lines] = out.trim().split('\n');
  assert.match(recipe ?? '', /^exec sh \.logobatch\/shell\/start /);
  return lines.sort();
}
