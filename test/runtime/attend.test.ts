/** Nodes up, kept, lost and back, and down again without a trace. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab, type Host } from '../lab/hosts.ts';
import { type Rig, startRig, until } from './rig.ts';

describe('attend', { skip: canLab(), concurrency: true }, () => {
  for (const transport of ['node-ssh', 'openssh']) {
    describe(`by ${transport}`, { concurrency: false }, () => {
      let rig: Rig;
      let clean: () => void;
      before(async () => {
        const files = { 'src/run': '#!/bin/sh\n', 'src/sub/a b': 'x\n' };
        rig = await startRig({ hosts: 2, files, grid: { all: { transport } } });
        const look = () => rig.lab.hosts.map(host => rig.lab.traces(host));
        const then = look();
        clean = () => assert.deepEqual(look(), then);
      });
      after(() => rig.stop());
      const works = (host: Host) => rig.lab.traces(host).filter(line => /^folder .*\/lb\.\w{10}$/.test(line));

      test('brings nodes up side by side, tells of them, and takes them down without a trace', async () => {
        chmodSync(join(rig.root, 'src/run'), 0o755);
        symlinkSync('sub/a b', join(rig.root, 'src/link'));
        const attended = await rig.attend();
        assert.match(attended.output(), /^ready 2 4$/m);
        const lines = rig.read('.logobatch/run/grid').split('\n').filter(Boolean);
        assert.equal(lines.length, 2);
        for (const line of lines) assert.match(line, /^n[12] ssh 2 [1-9]\d* 0 - -$/);
        const { host, work = '', root = '', control = '' } = rig.reach('n1');
        assert.equal(host, 'n1');
        assert.match(work, /^\/tmp\/lb\.[A-Za-z0-9]{10}$/);
        assert.equal(root, `${work}/image`);
        assert.ok(`${control}.0`.length <= 90, control);
        // Visits find a connection that they can use.
        assert.equal(existsSync(`${control}.0`), transport === 'openssh');
        assert.equal(lstatSync(work).mode & 0o777, 0o700);
        assert.match(readFileSync(join(work, 'marker'), 'utf8'), /^logobatch 1 \w{20} [0-9a-f]{16} r1\n$/);
        assert.equal(lstatSync(join(root, 'src/run')).mode & 0o777, 0o755);
        assert.equal(readFileSync(join(root, 'src/sub/a b'), 'utf8'), 'x\n');
        assert.equal(readlinkSync(join(root, 'src/link')), 'sub/a b');
        for (const name of ['agent', 'keeper', 'receive', 'processes.sh', 'logs.sh', 'watch.sh', 'clock.sh'])
          assert.ok(readdirSync(work).includes(name), name);
        assert.deepEqual(await attended.end(), { code: 0, out: 'ready 2 4\n' });
        clean();
        assert.deepEqual(
          readdirSync(join(rig.root, '.logobatch/ledger')).filter(name => name.endsWith('.json')),
          [],
        );
        assert.deepEqual(readdirSync(join(rig.root, 'slots')), []);
      });

      test('killed with -9, it leaves nodes that clean themselves within 12 s', async () => {
        const attended = await rig.attend();
        assert.equal(rig.lab.hosts.flatMap(works).length, 2);
        attended.child.kill('SIGKILL');
        const began = Date.now();
        await until(() => rig.lab.hosts.every(host => works(host).length === 0), 20);
        assert.ok(Date.now() - began < 12_000, `${Date.now() - began} ms`);
        assert.match((await rig.command('down')).out, /^down {4}2 work folders$/m);
        clean();
      });

      test('killed with -9 and started again, it takes its nodes over as they are', async () => {
        const first = await rig.attend();
        const work = rig.reach('n1').work ?? '';
        const inode = lstatSync(join(work, 'image/src/run')).ino;
        first.child.kill('SIGKILL');
        await first.ended;
        const second = await rig.attend();
        assert.equal(rig.reach('n1').work, work);
        assert.equal(lstatSync(join(work, 'image/src/run')).ino, inode);
        await new Promise(resolve => setTimeout(resolve, 10_000));
        assert.ok(lstatSync(work).isDirectory(), 'the first keeper has let go');
        assert.equal((await second.end()).code, 0);
        clean();
      });

      test('a node that cannot be reached is left out with a line, and tried again; the run goes on', async () => {
        rig.lab.host('n2').kill('machine');
        const attended = await rig.attend();
        assert.match(attended.output(), /^ready 1 2$/m);
        assert.match(attended.output(), /^lost {4}n2: .*; trying again in \d s$/m);
        await rig.lab.host('n2').start();
        await until(() => rig.read('.logobatch/run/grid').includes('n2 ssh 2 '));
        await until(() => attended.messages().includes('back    n2'));
        assert.equal((await attended.end()).code, 0);
        clean();
      });

      test('a keeper that was killed is replaced, and the run goes on', async () => {
        const attended = await rig.attend();
        const pid = Number(readFileSync(join(rig.reach('n1').work ?? '', 'keeper.pid'), 'utf8'));
        rig.lab.kill(rig.lab.host('n1'), pid);
        await until(
          () => Number(readFileSync(join(rig.reach('n1').work ?? '', 'keeper.pid'), 'utf8')) !== pid,
        );
        assert.equal((await attended.end()).code, 0);
        assert.equal(attended.messages(), '');
        clean();
      });

      test('a lost connection puts the node aside until it is back', async () => {
        const attended = await rig.attend();
        rig.lab.host('n1').kill();
        await until(() => rig.exists('.logobatch/run/nodes/n1/aside'));
        await rig.lab.host('n1').start();
        await until(() => !rig.exists('.logobatch/run/nodes/n1/aside'));
        await until(() => attended.messages().includes('back    n1\n'));
        assert.match(attended.messages(), /^lost {4}n1: .*; trying again in \d s$/m);
        assert.equal((await attended.end()).code, 0);
        clean();
      });

      test('killed at any moment, it leaves nothing that the next one does not clear', async () => {
        for (let delay = 0; delay < 1200; delay += 150) {
          const killed = rig.start(`k${delay}`);
          await new Promise(resolve => setTimeout(resolve, 150 + delay));
          killed.child.kill('SIGKILL');
          await killed.ended;
        }
        const attended = await rig.attend('last');
        assert.match(attended.output(), /^ready 2 4$/m);
        assert.equal((await attended.end()).code, 0);
        clean();
      });

      test('ended at any moment, it leaves nothing', async () => {
        for (let delay = 0; delay < 1200; delay += 240) {
          const ended = rig.start(`e${delay}`);
          await new Promise(resolve => setTimeout(resolve, delay));
          ended.child.stdin?.end();
          const { code, out } = await ended.ended;
          assert.ok(code === 0 || code === 1, out);
          clean();
        }
      });
    });
  }
});
