/** What `keeper` does on a node, with a real `sh` and jobs, and this machine as the node. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from './rig.ts';

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

let made = 0;

/** A work folder with a keeper, in `shell`, that gets a beat a second until `silent`. */
function keep(t: TestContext, shell: string, { silent = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'logobatch-keeper-'));
  const children: ChildProcess[] = [];
  t.after(() => {
    for (const { pid } of children) if (pid) killGroup(pid);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const name = `lb.${String(process.pid).padStart(7, 'k')}${String(++made).padStart(3, 'k')}`;
  const work = join(folder, name);
  for (const below of ['slots', 'stage', 'image', 'bin']) mkdirSync(join(work, below), { recursive: true });
  cpSync('templates/shell/node', work, { recursive: true });
  for (const lib of ['clock.sh', 'logs.sh', 'processes.sh', 'watch.sh'])
    cpSync(`templates/shell/${lib}`, join(work, lib));
  writeFileSync(join(work, 'marker'), 'logobatch 1 token image run\n');
  const [program = '', ...first] = shell.split(' ');
  writeFileSync(join(work, 'bin/sh'), `#!/bin/sh\nexec ${program} ${first.join(' ')} "$@"\n`, {
    mode: 0o755,
  });
  const env = { PATH: `${join(work, 'bin')}:${process.env.PATH}`, LOGOBATCH_LOG_BYTES: '1000' };
  const child = spawn('sh', [join(work, 'keeper'), 'nonce'], { env, detached: true });
  children.push(child);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', text => (out += text));
  child.stdin.on('error', () => {});
  child.stdin.write('\n\nnoise of an rc file\nbeat\n');
  const beats = silent ? undefined : setInterval(() => child.stdin.write('beat\n'), 1000);
  const ended = new Promise<number | null>(resolve => child.on('close', resolve)).finally(() =>
    clearInterval(beats),
  );

  /** A job of an agent, as that signs it. The agent is a process that does nothing. */
  const job = (command: string, { slot = 's.1', seconds = 0 } = {}) => {
    const stage = `stage/${slot}/1`;
    mkdirSync(join(work, stage), { recursive: true });
    const word = `${name}.${slot}.v.1.1`;
    const options = { cwd: join(work, stage), detached: true, stdio: 'ignore' } as const;
    const agent = spawn('sleep', ['300'], { ...options, env: { ...env, LOGOBATCH_AGENT: name } });
    const run = spawn('sh', ['-c', command], { ...options, env: { ...env, LOGOBATCH_JOB: word } });
    children.push(agent, run);
    const uptime = Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]));
    const deadline = seconds === 0 ? 0 : uptime + seconds;
    writeFileSync(
      join(work, `slots/${slot}.by`),
      `- ${agent.pid} ${word} ${deadline} ${stage} ${agent.pid}\n`,
    );
    return { agent, run, stage: join(work, stage), by: join(work, `slots/${slot}.by`), word };
  };
  const words = () =>
    spawnSync('sh', ['-c', `grep -lazs '^LOGOBATCH_[A-Z]*=${name}' /proc/[0-9]*/environ`], {
      encoding: 'utf8',
    })
      .stdout.split('\n')
      .filter(Boolean).length;
  return { work, child, ended, job, words, out: () => out };
}

describe('keeper', { concurrency: true }, () => {
  for (const shell of ['dash', 'bash', 'busybox sh']) {
    describe(`in ${shell}`, { concurrency: true }, () => {
      test('says the load, and is gone without a trace when told `down`, jobs and all', async t => {
        const { work, child, ended, job, words, out } = keep(t, shell);
        job('trap "" TERM; sleep 300 & setsid sleep 300 & wait');
        await until(() => /^\nlb-nonce\nload \d+\.\d+\n/.test(out()));
        child.stdin.end('down\n');
        assert.equal(await ended, 0);
        assert.match(out(), /\nclean\n$/);
        assert.ok(!existsSync(work));
        assert.equal(words(), 0);
      });

      test('leaves the work folder when told `keep`, and no process', async t => {
        const { work, child, ended, job, words, out } = keep(t, shell);
        job('sleep 300');
        await until(() => out().includes('load'));
        child.stdin.end('keep\n');
        assert.equal(await ended, 0);
        assert.match(out(), /\nkept\n$/);
        assert.ok(existsSync(join(work, 'marker')));
        assert.equal(words(), 0);
      });

      test('ends a job at its time limit, cuts its log, and ends what it left running', async t => {
        const { job, work } = keep(t, shell);
        const late = job('sleep 300', { slot: 'a.1', seconds: 2 });
        await until(() => existsSync(join(late.stage, 'timeout')), 8);
        await until(() => late.run.signalCode !== null);
        const loud = job('while :; do echo much too long; sleep 0.01; done', { slot: 'a.2' });
        writeFileSync(join(loud.stage, 'job.out'), 'x'.repeat(5000));
        await until(() => existsSync(join(loud.stage, 'job.out.head')));
        const over = job('sleep 300', { slot: 'a.3' });
        writeFileSync(over.by, '');
        await until(() => over.run.signalCode !== null, 15);
        assert.equal(loud.run.signalCode, null);
        assert.ok(existsSync(work));
      });

      test('clears up after an agent that died', async t => {
        const { job } = keep(t, shell);
        const { agent, run, stage, by } = job('sleep 300');
        agent.kill('SIGKILL');
        await until(() => run.signalCode !== null && !existsSync(stage) && readFileSync(by, 'utf8') === '');
      });

      test('ends all and removes the folder 8 s after its session ended, unless another keeper came', async t => {
        const { work, child, ended, job, words } = keep(t, shell);
        job('sleep 300');
        const began = Date.now();
        child.stdin.end();
        await ended;
        const seconds = (Date.now() - began) / 1000;
        assert.ok(seconds > 7 && seconds < 12, `${seconds} s`);
        assert.ok(!existsSync(work));
        assert.equal(words(), 0);
      });

      test('lets another keeper take over', async t => {
        const { work, child, ended, job } = keep(t, shell);
        const { run } = job('sleep 300');
        await until(() => existsSync(join(work, 'keeper.pid')));
        const other = spawn('sh', [join(work, 'keeper'), 'other'], { detached: true });
        t.after(() => other.pid && killGroup(other.pid));
        child.stdin.end();
        assert.equal(await ended, 0);
        await wait(9_000);
        assert.equal(run.signalCode, null);
        assert.ok(existsSync(work));
      });

      test('ends all 20 s after the last beat, though its session lasts', async t => {
        const { work, ended, job, words } = keep(t, shell, { silent: true });
        job('sleep 300');
        const began = Date.now();
        assert.equal(await ended, 0);
        const seconds = (Date.now() - began) / 1000;
        assert.ok(seconds > 19 && seconds < 30, `${seconds} s`);
        assert.ok(!existsSync(work));
        assert.equal(words(), 0);
      });
    });
  }
});
