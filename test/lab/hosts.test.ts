import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { canLab, type Lab, startLab } from './hosts.ts';
import { processesOf } from './processes.ts';
import { until } from './waiting.ts';

describe('a lab of SSH hosts', { skip: canLab() }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ hosts: 2 });
  });
  after(() => lab.stop());

  test('runs a command as the user of a host', async () => {
    const { code, stdout } = await lab.ssh(['n2', 'id -un; cat']);
    assert.deepEqual([code, stdout], [0, `${lab.host('n2').user.name}\n`]);
  });

  test('loses one host and gets it back, while the other stays', async () => {
    const host = lab.host('n1');
    const cut = lab.ssh(['n1', 'echo up; exec sleep 100']);
    await until('it runs', () => lab.processes(host).some(({ args }) => args === 'sleep 100'));
    host.kill();
    assert.equal((await cut).code, 255);
    assert.equal((await lab.ssh(['n1', 'true'])).code, 255);
    assert.equal((await lab.ssh(['n2', 'true'])).code, 0);
    assert.deepEqual(
      lab.processes(host).map(({ args }) => args),
      ['sleep 100'],
      'what ran there does not end by itself',
    );
    host.kill('machine');
    assert.deepEqual(lab.processes(host), []);
    await host.start();
    assert.equal((await lab.ssh(['n1', 'true'])).code, 0);
  });

  test('leaves connections alone when only the listener is killed', async () => {
    const host = lab.host('n1');
    const going = lab.ssh(['n1', 'read -r line; echo "$line"; exec sleep 1'], 'still here\n');
    await until('it runs', () => lab.processes(host).some(({ args }) => args === 'sleep 1'));
    host.kill('listener');
    assert.equal((await lab.ssh(['n1', 'true'])).code, 255);
    assert.deepEqual(await going, { code: 0, stdout: 'still here\n', stderr: '' });
    await host.start();
  });

  test('lets a client refuse a host whose key has changed', async () => {
    await lab.host('n2').newHostKey();
    const { code, stderr } = await lab.ssh(['n2', 'true']);
    assert.equal(code, 255);
    assert.match(stderr, /HOST IDENTIFICATION HAS CHANGED/);
  });

  test('sees what a host was left with: files, changed files and processes', async () => {
    const host = lab.host('n1');
    await lab.ssh(['n1', 'echo 1 > kept; mkdir old']);
    const before = lab.traces(host);
    await lab.ssh([
      'n1',
      'echo 22 > kept; : > old/new; : > /tmp/$(id -un).left; setsid sleep 50 > /dev/null 2>&1 < /dev/null &',
    ]);
    await until('its shell has ended', () => lab.processes(host).length === 1);
    const left = lab.traces(host).filter(line => !before.includes(line));
    const { home, name } = host.user;
    const [pid] = lab.processes(host).map(process => process.pid);
    assert.deepEqual(
      left.map(line => line.replace(/ \d+-.*Z$/, '')),
      [
        `file ${home}/kept 3`,
        `file ${home}/old/new 0`,
        `file /tmp/${name}.left 0`,
        `process ${pid} sleep 50`,
      ].sort(),
    );
    lab.kill(host, pid ?? 0);
  });

  test('names its hosts in a grid file', () => {
    const text = lab.grid({ slots: 3, local: 1, hosts: { n1: { tags: ['big'] }, n2: undefined } });
    assert.deepEqual(parse(text), {
      compute: [
        { name: 'here', type: 'local', slots: 1 },
        { name: 'n1', type: 'ssh', hostname: 'n1', slots: 3, tags: ['big'] },
      ],
    });
  });
});

describe('hosts that differ', { skip: canLab() }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({
      hosts: [
        { shell: 'bash', rc: 'echo from the rc file\n' },
        { shell: 'tcsh', rc: 'echo from the rc file\n' },
        { shell: 'csh', rc: 'echo from the rc file\n' },
        { shell: 'zsh', rc: 'echo from the rc file\n' },
        { shell: 'fish', rc: 'echo from the rc file\n' },
        { shell: 'dash' },
        { shell: 'busybox sh', path: 'all' },
        { path: ['sh', 'cat'] },
        { noHome: true },
        { forceCommand: 'ulimit -n 64' },
        { sshd: ['MaxSessions 1'], files: { 'sub/note': 'a note\n' } },
      ],
    });
  });
  after(() => lab.stop());
  const said = async (name: string, command: string) => (await lab.ssh([name, command])).stdout;

  test('read what their shell reads before a command', async () => {
    for (const name of ['n1', 'n2', 'n3', 'n4', 'n5'])
      assert.equal(await said(name, 'exec echo command'), 'from the rc file\ncommand\n', name);
    assert.equal(await said('n6', 'echo command'), 'command\n');
  });

  test('have the programs they are given', async () => {
    assert.match(await said('n7', 'exec readlink /proc/self/exe'), /busybox/);
    const { code, stdout, stderr } = await lab.ssh(['n8', 'exec sh -c "ls; cat"'], 'read');
    assert.deepEqual([code, stdout], [0, 'read']);
    assert.match(stderr, /ls: not found/);
  });

  test('lack what they are denied', async () => {
    assert.equal(await said('n9', 'pwd; test -e "$HOME" || echo no home'), '/\nno home\n');
    assert.equal(await said('n10', 'ulimit -n'), '64\n');
    assert.equal(await said('n11', 'cat sub/note'), 'a note\n');
  });
});

test('what a killed lab has left is cleared by the next', { skip: canLab() }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'logobatch-lab-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'lab.cjs');
  const stdin = {
    contents: `import { startLab } from './test/lab/hosts.ts';
      startLab({ hosts: 1 }).then(async lab => {
        const [host] = lab.hosts;
        await lab.ssh(['n1', 'setsid sleep 500 > /dev/null 2>&1 < /dev/null &']);
        console.log(JSON.stringify([host.user.name, host.user.uid, host.sshd.processes()[0].pid]));
      });`,
    resolveDir: process.cwd(),
  };
  await build({
    stdin,
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  });
  // It has nothing more to do and so would end by itself, stopping its lab; the timer keeps it.
  const child = spawn(process.execPath, [
    '-e',
    `setInterval(() => {}, 1000); require(${JSON.stringify(program)})`,
  ]);
  const [line] = await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  const [name, uid, sshd]: [string, number, number] = JSON.parse(String(line));
  const lab = await startLab({ hosts: 1 });
  t.after(() => lab.stop());
  // Unless this slot was taken again at once, by this lab or by one that goes on beside.
  const isOurs = lab.host('n1').user.name === name;
  await until('its processes are gone', () => processesOf().every(({ pid }) => pid !== sshd));
  await until('its user is gone', () => isOurs || !readFileSync('/etc/passwd', 'utf8').includes(`${name}:`));
  assert.deepEqual(isOurs ? lab.processes(lab.host('n1')) : processesOf(uid), []);
});
