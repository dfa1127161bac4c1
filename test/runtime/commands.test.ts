/** `up`, `down` and `sweep`, and what a run does with nodes that are warm, strange, full of work or have a storage in common. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab, type Host } from '../lab/hosts.ts';
import { NEEDS, type Rig, startRig, until } from './rig.ts';

describe('up and down', { skip: canLab() }, () => {
  let rig: Rig;
  let clean: () => void;
  before(async () => {
    rig = await startRig({
      hosts: 2,
      files: { 'src/a': 'a\n', 'src/b': 'b\n', 'src/setup.sh': 'echo done >>log\n' },
    });
    const look = () => rig.lab.hosts.map(host => rig.lab.traces(host));
    const then = look();
    clean = () => assert.deepEqual(look(), then);
  });
  after(() => rig.stop());
  const works = (host: Host) =>
    rig.lab.traces(host).flatMap(line => /^folder (.*\/lb\.\w{10})$/.exec(line)?.[1] ?? []);
  const workOf = (name: string) => works(rig.lab.host(name))[0] ?? '';

  test('up leaves nodes warm; a second one changes nothing but what changed here', async () => {
    const first = await rig.command('up');
    assert.equal(first.code, 0, first.out);
    assert.match(first.out, /^up {6}n[12]: 2 slots, \d+ MiB$/m);
    const work = workOf('n1');
    const times = () => ['a', 'b'].map(name => lstatSync(join(work, 'image/src', name)).ctimeMs);
    const [a, b] = times();
    rig.write({ 'src/b': 'B\n' });
    assert.equal((await rig.command('up')).code, 0);
    assert.equal(workOf('n1'), work);
    assert.equal(times()[0], a);
    assert.notEqual(times()[1], b);
    assert.equal(readFileSync(join(work, 'image/src/b'), 'utf8'), 'B\n');
  });

  test('a run finds them warm, cleans up what is not shared, and leaves them warm', async () => {
    const work = workOf('n1');
    assert.equal((await rig.lab.ssh(['n1', `mkdir -p ${work}/image/data/processed/x`])).code, 0);
    const attended = await rig.attend();
    assert.equal(rig.reach('n1').work, work);
    assert.deepEqual(readdirSync(join(work, 'image')), ['src']);
    assert.deepEqual(await attended.end(), { code: 0, out: 'ready 2 4\n' });
    assert.ok(existsSync(join(work, 'marker')));
    assert.deepEqual(rig.lab.processes(rig.lab.host('n1')), []);
  });

  test('their connections stay open from one run to the next', async () => {
    const folder = join(rig.root, 'slots');
    const kept = () =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter(path => /^w\.\w{8}\/\w{8}\.\d$/.test(path))
        .map(path => `${path} ${lstatSync(join(folder, path)).ino}`);
    const sockets = kept();
    assert.equal(sockets.length, 2);
    const attended = await rig.attend();
    assert.match(
      `${rig.reach('n1').control} `,
      new RegExp(`^${folder}/(${sockets.map(line => line.slice(0, 19)).join('|')}) $`),
    );
    assert.equal((await attended.end()).code, 0);
    assert.deepEqual(kept(), sockets);
    // One that is gone is opened anew.
    rig.lab.host('n1').kill('connections');
    await rig.lab.host('n1').start();
    assert.equal((await (await rig.attend()).end()).code, 0);
    assert.equal(kept().length, 2);
    assert.equal(kept().filter(line => sockets.includes(line)).length, 1);
  });

  test('down takes them down; where a node does not answer it says so, fails, and can be repeated', async () => {
    rig.lab.host('n2').kill('connections');
    const work = workOf('n2');
    const { code, out } = await rig.command('down');
    assert.equal(code, 1);
    assert.match(out, new RegExp(`^left {4}n2:${work}: .*; later: make down$`, 'm'));
    assert.deepEqual(works(rig.lab.host('n1')), []);
    assert.ok(rig.exists('.logobatch/ledger/n2.json'));
    await rig.lab.host('n2').start();
    assert.deepEqual(await rig.command('down'), { code: 0, out: 'down    1 work folder\n' });
    assert.deepEqual(await rig.command('down'), { code: 0, out: 'nothing is kept\n' });
    assert.deepEqual(readdirSync(join(rig.root, 'slots')), []);
    clean();
  });

  test('down refuses a folder that was replaced by a link, and touches nothing', async () => {
    const attended = await rig.attend();
    const work = workOf('n1');
    const { home } = rig.lab.host('n1').user;
    const dear = join(home, 'dear');
    mkdirSync(dear);
    writeFileSync(join(dear, 'file'), 'dear');
    renameSync(work, `${work}.moved`);
    symlinkSync(dear, work);
    const { code, out } = await attended.end();
    assert.equal(code, 1, out);
    assert.match(out, new RegExp(`^left {4}n1:${work}: .*is a link`, 'm'));
    assert.equal(readFileSync(join(dear, 'file'), 'utf8'), 'dear');
    rmSync(work);
    renameSync(`${work}.moved`, work);
    assert.equal((await rig.command('down')).code, 0);
    rmSync(dear, { recursive: true });
    clean();
  });

  test('sweep finds work folders of this image that no ledger knows of, and no others', async () => {
    await rig.command('up');
    const foreign = `/tmp/lb.foreign${process.pid}000`.slice(0, 18);
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'marker'), 'logobatch 1 token 0123456789abcdef r9\n');
    rmSync(join(rig.root, '.logobatch/ledger'), { recursive: true });
    const { code, out } = await rig.command('sweep');
    assert.equal(code, 0, out);
    assert.match(out, /^down {4}n1:\/tmp\/lb\.\w{10}, of a run that is over$/m);
    assert.ok(existsSync(foreign));
    rmSync(foreign, { recursive: true });
    clean();
  });

  test('a setup script runs in the view of the image; a node where it fails takes no jobs of its batches, and what it printed is said', async () => {
    rig.need('shared src\nsetup src/setup.sh\tb/one b/two\n');
    const good = await rig.attend('r1');
    assert.equal(readFileSync(join(rig.reach('n1').root ?? '', 'log'), 'utf8'), 'done\n');
    assert.equal((await good.end()).code, 0);
    const user = rig.lab.host('n2').user.name;
    rig.write({ 'src/setup.sh': `[ "$(id -un)" != ${user} ] || { echo no luck; exit 3; }\n` });
    const bad = await rig.attend('r2');
    const why = 'setup   n2: src/setup.sh failed (exit code 3), no jobs of b/one b/two run there';
    assert.ok(bad.output().includes(`${why}\n    | no luck\n`), bad.output());
    assert.match(bad.output(), /^ready 2 4$/m);
    assert.ok(rig.exists('.logobatch/run/nodes/n2/unprepared/src/setup.sh'));
    assert.ok(!rig.exists('.logobatch/run/nodes/n1/unprepared'));
    assert.equal((await bad.end()).code, 0);
    rig.need(NEEDS);
    clean();
  });

  test('nodes get no jobs while their load is above max_load', async () => {
    rig.setGrid({ all: { max_load: 0.001 } });
    const attended = await rig.attend();
    await until(() => rig.exists('.logobatch/run/nodes/n1/aside'));
    assert.equal((await attended.end()).code, 0);
    rig.setGrid({});
    clean();
  });

  test('without any node for a while it gives the run up', async () => {
    let given = 0;
    process.once('SIGUSR2', () => given++);
    const attended = await rig.attend('r1', { LOGOBATCH_PATIENCE: '2' });
    for (const host of rig.lab.hosts) host.kill('connections');
    await until(() => given === 1);
    assert.match(attended.messages(), /no node could be used for 2 s: giving up/);
    for (const host of rig.lab.hosts) await host.start();
    assert.equal((await attended.end()).code, 0);
    clean();
  });

  test('a daemon without our words is reported, and left alone', async () => {
    const attended = await rig.attend();
    const { code } = await rig.lab.ssh([
      'n1',
      'env -i setsid sh -c "sleep 60 & :" >/dev/null 2>&1 </dev/null',
    ]);
    assert.equal(code, 0);
    const { out } = await attended.end();
    const found = /^note {4}n1: .*process (\d+) sleep$/m.exec(out);
    assert.ok(found, out);
    rig.lab.kill(rig.lab.host('n1'), Number(found[1]));
    await until(() => rig.lab.processes(rig.lab.host('n1')).length === 0);
    clean();
  });

  test('a storage that nodes have in common is staged once and taken down once', async () => {
    const shared = mkdtempSync('/var/tmp/logobatch shared-');
    chmodSync(shared, 0o1777);
    try {
      rig.setGrid({
        top: { storage: [{ name: 'nfs' }] },
        all: { remote_storage: [{ name: 'nfs', path: shared }] },
      });
      const attended = await rig.attend();
      const roots = ['n1', 'n2'].map(name => rig.reach(name).root ?? '');
      assert.match(attended.output(), /^ready 2 4$/m);
      // The hosts' users differ, so only the one that made it can read it: the other has a view of its own.
      assert.equal(roots.filter(root => root.startsWith(shared)).length, 1);
      assert.match(
        attended.output(),
        /^note {4}n[12]: has a view of its own: nfs at .* is not what n[12] sees of it$/m,
      );
      const folders = readdirSync(shared);
      assert.equal(folders.length, 1);
      assert.equal(readFileSync(join(shared, folders[0] ?? '', 'image/src/a'), 'utf8'), 'a\n');
      assert.equal((await attended.end()).code, 0);
      assert.deepEqual(readdirSync(shared), []);
      clean();
    } finally {
      rmSync(shared, { recursive: true });
      rig.setGrid({});
    }
  });

  test('frozen, it leaves nodes that clean themselves when its lease is over', async () => {
    const attended = await rig.attend();
    assert.equal(rig.lab.hosts.flatMap(works).length, 2);
    attended.child.kill('SIGSTOP');
    const began = Date.now();
    await until(() => rig.lab.hosts.every(host => works(host).length === 0), 40);
    assert.ok(Date.now() - began < 32_000);
    attended.child.kill('SIGCONT');
    assert.equal((await attended.end()).code, 0);
    clean();
  });
});

describe('nodes with one user', { skip: canLab() }, () => {
  test('share what lies on a storage, and one of them takes it down', async () => {
    const rig = await startRig({ hosts: 1 });
    try {
      const shared = join(rig.lab.host('n1').user.home, 'shared');
      const { ssh } = rig.lab;
      assert.equal((await ssh(['n1', 'mkdir shared'])).code, 0);
      const grid = rig.lab.grid({
        top: { storage: [{ name: 'nfs' }] },
        all: { remote_storage: [{ name: 'nfs', path: shared }] },
      });
      // The same host twice, under two names, is two nodes.
      const entry = grid.slice(grid.indexOf('  - name: n1'));
      writeFileSync(join(rig.root, 'grid.yml'), grid + entry.replace('name: n1', 'name: twin'));
      const attended = await rig.attend();
      assert.match(attended.output(), /^ready 2 4$/m);
      const [one, two] = ['n1', 'twin'].map(name => rig.reach(name));
      assert.equal(one?.root, two?.root);
      assert.notEqual(one?.work, two?.work);
      assert.equal(basename(join(one?.root ?? '', '..')), readdirSync(shared)[0]);
      assert.equal((await attended.end()).code, 0);
      assert.deepEqual(readdirSync(shared), []);
    } finally {
      rig.stop();
    }
  });
});
