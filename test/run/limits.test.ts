/** Jobs that do what no job should, and what they may do. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { image, outcome, removeImages } from './single.ts';
import { broken, quiet } from './witness.ts';

afterEach(removeImages);

describe('a job that', () => {
  const fails: Readonly<Record<string, [command: string, why: RegExp, keys?: string[]]>> = {
    'removes its {out}': ['rmdir {out}', /^removed or replaced the folder of its \{out\}$/],
    'removes all of its stage': [
      'rm -rf "${LB_OUT%/out}"',
      /^removed or replaced the folder of its \{out\}$/,
    ],
    'puts a link in the place of {out}': [
      'rmdir {out}; ln -s "$HOME" {out}',
      /^removed or replaced the folder of its \{out\}$/,
    ],
    'puts a file there': ['rmdir {out}; echo x >{out}', /^removed or replaced the folder of its \{out\}$/],
    'makes its log a fifo': [
      'rm {out}/../job.err; mkfifo {out}/../job.err',
      /^removed or replaced the folder of its \{out\}$/,
    ],
    'leaves a fifo': [
      'mkdir {out}/d; mkfifo {out}/d/f',
      /^left something that is neither file nor folder: d\/f$/,
    ],
    'leaves an absolute link': [
      'ln -s /etc/passwd {out}/l',
      /^left a link that leads outside: l -> \/etc\/passwd$/,
    ],
    'leaves a link that climbs out through another': [
      'mkdir {out}/d; ln -s . {out}/d/s; ln -s s/../../x {out}/d/t',
      /^left a link that leads outside: d\/t -> s\/\.\.\/\.\.\/x$/,
    ],
    'leaves a link that climbs out': [
      'mkdir {out}/d; ln -s ../../x {out}/d/l',
      /^left a link that leads outside: d\/l -> \.\.\/\.\.\/x$/,
    ],
    'forges a record': [
      'echo logobatch >{out}/.done',
      /^wrote an output called \.done, a name LogoBatch uses itself$/,
    ],
    'writes over its log': ['echo x >{out}/job.out', /^wrote an output called job\.out, a name/],
    'writes over its jobfile': ['mkdir {out}/jobfile.sh', /^wrote an output called jobfile\.sh, a name/],
    'leaves too much': [
      'head -c 2000000 /dev/zero >{out}/x',
      /^left 19\d\d KiB, more than max_output allows \(1024 KiB\)$/,
      ['max_output: 1M'],
    ],
    'leaves too many files': [
      'touch {out}/1 {out}/2 {out}/3',
      /^left 3 files, more than max_output allows \(2\)$/,
      ['max_output: {size: 1M, files: 2}'],
    ],
    'leaves less than it promised': ['echo x >{out}/y', /^declared output x is missing$/, ['outputs: [x]']],
  };
  for (const [what, [command, expected, keys = []]] of Object.entries(fails)) {
    test(`${what} has failed, and no other with it`, async () => {
      const of = await image(
        ['inputs: [1, 2, 3]', 'bundle: 3', ...keys],
        `[ {i0} != 1 ] || { ${command}; exit; }\nmkdir {out}/sub\necho {id} >{out}/sub/x\necho x >{out}/x`.replace(
          /^mkdir.*\n.*sub\/x$/m,
          keys.length > 0 ? ':' : '$&',
        ),
      );
      writeFileSync(join(of.home, 'mine'), 'mine');
      const { code, out } = await of.make();
      assert.equal(code, 2, out);
      assert.match(/^failed {2}b\/a\/Job1: (.*)$/m.exec(out)?.[1] ?? '', expected);
      assert.match(out, /^2 done, 1 failed in/m);
      assert.deepEqual(of.done(), ['b/a/Job2', 'b/a/Job3']);
      assert.deepEqual(broken(of), []);
      assert.deepEqual(readdirSync(join(of.root, 'data/processed')), ['b']);
      assert.equal(readFileSync(join(of.home, 'mine'), 'utf8'), 'mine');
    });
  }

  const succeeds: Readonly<Record<string, string>> = {
    'reads standard input': 'cat >{out}/x; [ ! -s {out}/x ]',
    'closes standard input, output and error': 'exec <&- >&- 2>&-; echo x 2>/dev/null >{out}/x',
    'leaves names with blanks, line breaks, dashes and backslashes': `cd {out}; printf 1 >'a b'; printf 2 >'-rf'; printf 3 >'back\\slash'; printf 4 >"$(printf 'line\\nbreak')"; printf 5 >"'"; printf 6 >.hidden; printf 7 >'..x'; printf 8 >'*'; printf 9 >'$HOME'`,
    'leaves links that stay inside':
      'mkdir -p {out}/d/e; echo x >{out}/x; ln -s x {out}/l; ln -s ../x {out}/d/l; ln -s nowhere {out}/n',
    'leaves an empty folder': 'mkdir {out}/empty; echo x >{out}/x',
    'leaves a tree that nobody may write to': 'mkdir -p {out}/d/e; echo x >{out}/d/e/x; chmod -R a-w {out}/d',
  };
  for (const [what, command] of Object.entries(succeeds)) {
    test(`${what} is done, twice`, async () => {
      const { of, code, out } = await outcome(command);
      assert.equal(code, 0, out);
      assert.deepEqual(of.done(), ['b/a/Job1']);
      assert.equal((await of.make(['-B'])).code, 0);
      assert.deepEqual(broken(of), []);
      assert.equal((await of.make(['verify'])).code, 0);
    });
  }

  test('leaves 3,000 files is done, and done again with 2,000 of them', async () => {
    const { of, code, out } = await outcome(
      'cd {out}; i=$(cat "$HOME/count" 2>/dev/null || echo 3000)\nwhile [ "$i" -gt 0 ]; do echo "$i" >"f$i"; i=$((i - 1)); done',
    );
    assert.equal(code, 0, out);
    of.write({ '../home/count': '2000\n' });
    assert.equal((await of.make(['-B'])).code, 0);
    assert.deepEqual(broken(of), []);
    assert.equal(readdirSync(join(of.root, 'data/processed/b/a/Job1')).length, 2004);
  });

  test('kills the visit that runs it harms only its own', async () => {
    const of = await image(
      ['inputs: [1, 2, 3]'],
      '[ {i0} != 1 ] || { kill -9 $PPID; sleep 100; }\necho x >{out}/x',
    );
    const { code, out } = await of.make();
    assert.equal(code, 2);
    assert.match(out, /^2 done, 1 not run in/m);
    assert.deepEqual(of.done(), ['b/a/Job2', 'b/a/Job3']);
    await quiet(of);
  });
});
