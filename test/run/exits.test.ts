/** How a job's command ends, and how that is reported. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { image, removeImages } from './single.ts';

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
