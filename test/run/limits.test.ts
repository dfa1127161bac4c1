/** Jobs that do what no job should, and logs without end. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { image, outcome, removeImages } from './single.ts';
import { broken, quiet } from './witness.ts';

afterEach(removeImages);

describe('exit codes and signals are reported exactly', () => {
  test('each of them, with a line in the joblog for each attempt', async () => {
    const wanted: Readonly<Record<string, string>> = {
      'exit 1': 'exit 1',
      'exit 2': 'exit 2',
      'exit 75': 'exit 75',
      'exit 126': 'exit 126',
      'no-such-program': 'exit 127',
      'exit 128': 'exit 128',
      'exit 137': 'exit 137, SIGKILL',
      'exit 143': 'exit 143, SIGTERM',
      'exit 254': 'exit 254',
      'exit 255': 'exit 255',
      'kill -9 $$': 'exit 137, SIGKILL',
      'kill -11 $$': 'exit 139, SIGSEGV',
      'kill -15 $$': 'exit 143, SIGTERM',
      'exec sh -c "kill -2 $$"': 'exit 130, SIGINT',
      'exit 0': '',
    };
    const commands = Object.keys(wanted);
    const of = await image(
      [`inputs: [${commands.map((_, i) => i + 1)}]`, 'retries: 1'],
      `case {i0} in\n${commands.map((command, i) => `${i + 1}) ${command} ;;`).join('\n')}\nesac`,
    );
    const { code, out } = await of.make();
    assert.equal(code, 2);
    const found = commands.map((command, i): [string, string] => [
      command,
      new RegExp(`^failed {2}b/a/Job${i + 1}: (.*) \\(attempt 2 of 2\\)$`, 'm').exec(out)?.[1] ?? '',
    ]);
    assert.deepEqual(Object.fromEntries(found), wanted);

    const [head, ...lines] = of.read('.logobatch/run/joblog').trim().split('\n');
    assert.equal(head, 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand');
    assert.equal(lines.length, 2 * (commands.length - 1) + 1);
    const rows = lines.map(line => line.split('\t'));
    for (const row of rows) assert.equal(row.length, 9);
    const of137 = rows.filter(row => row[8] === 'sh data/processed/b/a/Job7/jobfile.sh');
    assert.deepEqual(
      of137.map(row => [row[6], row[7]]),
      [
        ['137', '9'],
        ['137', '9'],
      ],
    );
  });
});

describe('logs', () => {
  const capped = { env: { LOGOBATCH_LOG_BYTES: '1000000' } };
  const MARK = '\n[LogoBatch: cut after 1000000 bytes; the job wrote more]\n';
  for (const [what, command] of [
    ['in lines', 'yes 0123456789 | head -c 10000000'],
    ['without a line break', "head -c 10000000 /dev/zero | tr '\\0' x"],
    ['slowly', "for n in 1 2 3 4 5; do head -c 2000000 /dev/zero | tr '\\0' x; sleep 0.4; done"],
  ] as const) {
    test(`10 MB ${what} are cut, with a mark`, async () => {
      const { of, code, out } = await outcome(`{ ${command}; } | tee -a /dev/stderr`, [], capped);
      assert.equal(code, 0, out);
      for (const log of ['job.out', 'job.err']) {
        const text = of.read(`data/processed/b/a/Job1/${log}`);
        assert.equal(text.length, 1000000 + MARK.length);
        assert.ok(text.endsWith(MARK));
      }
    });
  }

  test('are cut when the job fails, too', async () => {
    const { of, why } = await outcome("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 3", [], capped);
    assert.equal(why, 'exit 3');
    assert.equal(of.read('data/processed/b/a/Job1.failed/job.err').length, 1000000 + MARK.length);
  });

  test('are left alone up to the last byte, whatever is in them', async () => {
    const { of } = await outcome('head -c 1000000 /dev/urandom | tee {out}/x', [], capped);
    const folder = join(of.root, 'data/processed/b/a/Job1');
    assert.ok(readFileSync(join(folder, 'job.out')).equals(readFileSync(join(folder, 'x'))));
    assert.equal(readFileSync(join(folder, 'x')).length, 1000000);
  });

  test('are shown without what a terminal would obey', async () => {
    const { of, out } = await outcome(
      `printf 'red \\033[31m bell \\007 back \\b cr \\r end\\n' >&2; mkdir "{out}/$(printf 'x\\033[1m')"; mkfifo "{out}/$(printf 'x\\033[1m/f\\033')"`,
    );
    assert.match(out, /red \[31m bell {2}back {2}cr {2}end|neither file nor folder/);
    assert.doesNotMatch(out, /[\x00-\x08\x0b-\x1f\x7f]/);
    assert.match(of.read('data/processed/b/a/Job1.failed/job.err'), /\x1b\[31m/);
  });
});

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
