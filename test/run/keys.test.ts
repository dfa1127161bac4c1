import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { DIGITS, fails, image, jobs, removeImages, succeeds } from './batches.ts';

afterEach(removeImages);

describe('a batch', () => {
  test('that is disabled is not there', async () => {
    const it = await image({ a: 'command: $NOTE', b: 'command: $NOTE\nenabled: false' });
    await succeeds(it);
    assert.deepEqual(it.ran(), ['a/Job1']);
    assert.match(await fails(it, ['b/b']), /b\/b/);
  });

  test('with bundle: 5 runs single jobs of a bundle again, not all of it', async () => {
    const it = await image({ a: `command: $NOTE; echo {i0} > {out}/x\n${DIGITS}\nbundle: 5` });
    await succeeds(it);
    it.write({ 'data/processed/b/a/Job2/.done': undefined, 'data/processed/b/a/Job6/.done': undefined });
    it.ran();
    await succeeds(it);
    assert.deepEqual(it.ran(), jobs('a', 2, 6));
  });

  test('with retries tries a failing job so often, and tells it which attempt it is', async () => {
    const it = await image({
      a: `command: $NOTE; echo try $LB_ATTEMPT >&2; ls -A {out} > {out}/before; [ $LB_ATTEMPT = 3 ] && echo $LB_ATTEMPT > {out}/x\nretries: 2`,
      b: 'command: $NOTE; exit 7\nretries: 1',
    });
    const out = await fails(it);
    assert.deepEqual(it.ran(), ['a/Job1', 'a/Job1', 'a/Job1', 'b/Job1', 'b/Job1']);
    assert.equal(it.read('data/processed/b/a/Job1/x'), '3\n');
    assert.equal(it.read('data/processed/b/a/Job1/before'), 'before\n');
    assert.match(out, /^failed {2}b\/b\/Job1: exit 7 \(attempt 2 of 2\)$/m);
    assert.match(out, /^1 done, 1 failed in /m);
  });

  test('that leaves a declared output out has failed', async () => {
    const it = await image({
      a: `command: 'touch {out}/a.csv "{out}/b c.png"'\noutputs: [a.csv, "*.png", "b c.*"]`,
      b: 'command: touch {out}/a.csv\noutputs: [a.csv, "*.png"]',
    });
    assert.match(await fails(it), /^failed {2}b\/b\/Job1: declared output \*\.png is missing$/m);
    assert.deepEqual(it.done(), ['b/a/Job1']);
    assert.equal(it.exists('data/processed/b/b/Job1.failed/out/a.csv'), true);
  });

  test('may be written for bash', async () => {
    const it = await image({
      a: `command: 'x=(one "two three"); echo "\${x[1]}" > {out}/x; [[ abc == a* ]]'\nshell: bash`,
    });
    await succeeds(it);
    assert.equal(it.read('data/processed/b/a/Job1/x'), 'two three\n');
  });

  test('has its environment, byte for byte, and what is exported to every job', async () => {
    const it = await image({
      a: `command: 'printf "%s|" "$TEXT" "$LB_i0" $LB_JOB $LB_ATTEMPT $LB_CPUS $LB_NODE > {out}/x; [ "$LB_OUT" = {out} ] && : > "$LB_SCRATCH/mine"'
          env: {TEXT: "it's $HOME \`id\` \\"\\\\", OTHER: "2"}
          inputs: [v]`,
    });
    await succeeds(it);
    assert.equal(it.read('data/processed/b/a/Job1/x'), 'it\'s $HOME `id` "\\|v|Job1|1|1|local|');
  });

  test('that wants a program which is not here fails at once and names it', async () => {
    const it = await image({
      a: 'command: $NOTE\nrequires: [sh, no-such-program]',
      b: 'command: $NOTE\nrequires: sh',
    });
    assert.match(
      await fails(it),
      /^failed {2}b\/a\/Job1: needs the program no-such-program, which local does not have$/m,
    );
    assert.deepEqual(it.ran(), ['b/Job1']);
  });

  test('that no machine may run says what there is none of', async () => {
    const it = await image({
      a: 'command: $NOTE\nresources: [lab8, lab9]',
      b: 'command: $NOTE\ntags: [netlogo]',
      c: 'command: $NOTE\nresources: [local]\ntags: [netlogo]',
      d: 'command: $NOTE\ngpus: 99',
    });
    const why = [...(await fails(it)).matchAll(/^failed {2}b\/(.)\/Job1: (.*)$/gm)].map(([, b, text]) => [
      b,
      text,
    ]);
    assert.deepEqual(why.sort(), [
      ['a', 'may only run on lab8 lab9, and no machine that takes part is called so'],
      ['b', 'wants the tags netlogo, which no machine that takes part has'],
      ['c', 'wants the tags netlogo, which local does not have'],
      ['d', 'needs gpus: 99, local has 0'],
    ]);
  });

  test('that is larger than this machine fails at once and says why', async () => {
    const it = await image({
      a: 'command: $NOTE\ncpus: 3',
      b: 'command: $NOTE\nmem: 999T',
      c: 'command: $NOTE\ncpus: 2',
    });
    const out = await fails(it);
    assert.match(out, /^failed {2}b\/a\/Job1: needs 3 slots \(cpus: 3\), the largest node has 2$/m);
    assert.match(
      out,
      /^failed {2}b\/b\/Job1: needs \d+ slots \(cpus: 1, mem: 1047527424M\), the largest node has 2$/m,
    );
    assert.deepEqual(it.ran(), ['c/Job1']);
  });

  test('with a time limit is ended with its children, and it says so', async () => {
    const it = await image({
      a: `command: 'sleep 300 & echo $! > "$HOME/child"; (trap "" TERM; sleep 301) & wait'\ntime: 1`,
      b: 'command: $NOTE\ntime: 60',
    });
    const out = await fails(it);
    assert.match(out, /^failed {2}b\/a\/Job1: time limit of 1 s reached$/m);
    const child = readFileSync(join(it.home, 'child'), 'utf8').trim();
    assert.throws(() => process.kill(Number(child), 0), { code: 'ESRCH' });
    assert.deepEqual(it.ran(), ['b/Job1']);
  });
});

describe('a threadtest', () => {
  test('runs every row with each number of processors, and holds so many slots', async () => {
    // Each job leaves how many slots were taken while it ran: a slot is taken while somebody holds its lock.
    const held =
      'n=0; for s in "$LOGOBATCH_SLOTS"/local.[0-9]; do flock -n "$s" true || n=$((n + 1)); done; echo $LB_CPUS {cpus} $n > {out}/x';
    const it = await image(
      {
        a: `command: '$NOTE; ${held}'\ninputs: [p, q]\ntype: threadtest\nlower: 1\nupper: 3`,
      },
      {},
      { slots: 3 },
    );
    await succeeds(it, ['-j1']);
    assert.deepEqual(it.ran(), jobs('a', 1, 2, 3, 4, 5, 6));
    const seen = [1, 2, 3, 4, 5, 6].map(n => it.read(`data/processed/b/a/Job${n}/x`).trim());
    assert.deepEqual(seen, ['1 1 1', '2 2 2', '3 3 3', '1 1 1', '2 2 2', '3 3 3']);
  });

  test('never takes more slots at once than there are', async () => {
    const busy = 'echo + $LB_CPUS >> "$HOME/busy"; sleep 0.1; echo - $LB_CPUS >> "$HOME/busy"';
    const it = await image(
      { a: `command: '${busy}'\ninputs: [p, q, r]\ntype: threadtest\nrange: 1-3` },
      {},
      { slots: 3 },
    );
    await succeeds(it);
    let [now, most] = [0, 0];
    for (const line of readFileSync(join(it.home, 'busy'), 'utf8').trim().split('\n')) {
      const [sign, cpus] = line.split(' ');
      now += sign === '+' ? Number(cpus) : -Number(cpus);
      most = Math.max(most, now);
    }
    assert.equal(now, 0);
    assert.equal(most, 3);
  });
});

describe('setup', () => {
  const SETUP = 'echo setup >> "$HOME/ran"; echo ready > "$HOME/ready"; cat > /dev/null\n';
  test('runs once before the first job, however many batches name it', async () => {
    const it = await image(
      {
        a: `command: '$NOTE; cat "$HOME/ready" > {out}/x'\n${DIGITS}\nsetup: src/set up.sh`,
        b: `command: '$NOTE; cat "$HOME/ready" > {out}/x'\nsetup: src/set up.sh`,
      },
      { 'src/set up.sh': SETUP },
    );
    await succeeds(it);
    assert.deepEqual(it.ran(), [...jobs('a', 1, 2, 3, 4, 5, 6), 'b/Job1', 'setup']);
    await succeeds(it);
    assert.deepEqual(it.ran(), []);
  });

  test('that has a plain name runs, too', async () => {
    const it = await image({ a: 'command: $NOTE\nsetup: src/setup.sh' }, { 'src/setup.sh': SETUP });
    await succeeds(it);
    assert.deepEqual(it.ran(), ['a/Job1', 'setup']);
  });

  test('that fails leaves out the batches that name it, and shows what it said', async () => {
    const it = await image(
      {
        a: 'command: $NOTE\nsetup: src/set up.sh',
        b: 'command: $NOTE',
        c: 'command: $NOTE\nsetup: src/set up.sh',
        d: 'command: $NOTE\nsetup: src/fine.sh',
      },
      { 'src/set up.sh': 'echo no such library >&2; exit 3\n', 'src/fine.sh': ':\n' },
    );
    const out = await fails(it);
    assert.match(
      out,
      /^setup src\/set up\.sh failed \(exit 3\) on this machine, where no jobs of b\/a b\/c run now:\n {4}\| no such library$/m,
    );
    assert.match(out, /^failed {2}b\/a\/Job1: its setup src\/set up\.sh failed on local$/m);
    assert.deepEqual(it.ran(), ['b/Job1', 'd/Job1']);
    it.write({ 'src/set up.sh': 'exit 0\n' });
    await succeeds(it);
    assert.deepEqual(it.ran(), ['a/Job1', 'b/Job1', 'c/Job1', 'd/Job1']);
  });
});

describe('secrets', () => {
  const WORD = 'canary-93c1e7';
  test('reach the job, and no file or log of the image', async () => {
    const look = 'cd "$LB_SCRATCH/secrets" && wc -c < "my key.pem" && stat -c %a *';
    const it = await image({
      a: `command: '$NOTE; (printf "%s" "$TOKEN" | wc -c; ${look}) > {out}/x'\nsecrets: [TOKEN, ~/my key.pem]`,
      b: `command: '$NOTE; exit 1'\nsecrets: [TOKEN, ~/my key.pem]`,
    });
    writeFileSync(join(it.home, 'my key.pem'), `${WORD}-file`);
    const out = await fails(it, [], { env: { TOKEN: `${WORD}-variable` } });
    assert.match(out, /^failed {2}b\/b\/Job1: exit 1$/m);
    assert.equal(it.read('data/processed/b/a/Job1/x'), `${WORD.length + 9}\n${WORD.length + 5}\n600\n`);
    assert.equal(out.includes(WORD), false);
    const holding = readdirSync(it.root, { recursive: true, encoding: 'utf8' }).filter(
      path => statSync(join(it.root, path)).isFile() && it.read(path).includes(WORD),
    );
    assert.deepEqual(holding, []);
  });

  test('that are not there make the job fail, by name', async () => {
    const it = await image({
      a: 'command: $NOTE\nsecrets: [NO_SUCH_TOKEN]',
      b: 'command: $NOTE\nsecrets: [~/keys/none]\nretries: 1',
    });
    const out = await fails(it);
    assert.match(
      out,
      /^failed {2}b\/a\/Job1: the secret NO_SUCH_TOKEN is not set in the environment of make$/m,
    );
    assert.match(
      out,
      /^failed {2}b\/b\/Job1: the secret file ~\/keys\/none is missing here, or cannot be read \(attempt 2 of 2\)$/m,
    );
    assert.deepEqual(it.ran(), []);
  });
});
