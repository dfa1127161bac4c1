import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { Transport, Wish } from '../../src/transport/transport.ts';
import { canLab, type Lab, startLab } from '../lab/hosts.ts';
import { until } from '../lab/waiting.ts';
import { controlFolder, reach } from './reach.ts';

const WISHES: readonly Wish[] = ['node-ssh', 'openssh'];
const TRAPS = [
  'RequestTTY force',
  'RemoteCommand echo trapped',
  'ForwardAgent yes',
  'ForwardX11 yes',
  'PermitLocalCommand yes',
  'LocalCommand echo trapped',
  'StdinNull yes',
  'SendEnv *',
  'ControlMaster auto',
  'ControlPath none',
  'VisualHostKey yes',
  'LogLevel QUIET',
];

describe('commands on a host', { skip: canLab() }, () => {
  let lab: Lab;
  let folder: string;
  const path = process.env.PATH;

  before(async () => {
    folder = controlFolder();
    lab = await startLab({
      hosts: [{}, { sshd: ['MaxSessions 2'] }, { client: TRAPS, sshd: ['AcceptEnv *'] }, {}],
    });
    process.env.PATH = lab.env.PATH;
    process.env.LB_LEAK = 'leaked';
  });
  after(() => {
    process.env.PATH = path;
    delete process.env.LB_LEAK;
    lab.stop();
    rmSync(folder, { recursive: true });
  });

  for (const wish of WISHES) {
    describe(`over ${wish}`, () => {
      let node: Transport;
      before(async () => {
        node = await reach(folder, 'n1', wish);
      });
      after(async () => {
        await node.close();
        assert.match(await node.lost, /closed/);
      });

      test('are what was asked for', () => assert.equal(node.kind, wish));

      for (const code of [0, 1, 3, 127, 254, 255])
        test(`end with code ${code} as they said`, async () => {
          const ended = await node.exec(`echo out; echo err >&2; exit ${code}`);
          assert.deepEqual(ended, { code, stdout: 'out\n', stderr: 'err\n' });
        });

      test('that a signal ended have no code', async () => {
        const { code, stderr } = await node.exec('kill -9 $$');
        assert.equal(code, null);
        assert.notEqual(stderr, '');
      });

      test('get their input, and its end', async () => {
        const { stdout } = await node.exec('wc -c; cat', { input: 'a\nä\n' });
        assert.equal(stdout, '5\n');
        assert.equal((await node.exec('cat')).stdout, '');
        assert.equal((await node.exec('cat', { input: Buffer.from([65, 10]) })).stdout, 'A\n');
      });

      test('print letters of several bytes, wherever the stream is cut', async () => {
        const input = '€ä'.repeat(400_001);
        assert.equal((await node.exec('cat', { input, seconds: 20 })).stdout === input, true);
      });

      test('take 20 MB in and give 20 MB back, byte by byte', async () => {
        const sent = randomBytes(20 * 1024 * 1024);
        const session = await node.open('cat');
        const hash = createHash('sha256');
        session.stdout.on('data', (chunk: Buffer) => hash.update(chunk));
        Readable.from(pieces(sent)).pipe(session.stdin);
        assert.equal((await session.closed).code, 0);
        assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
      });

      test('unpack what a tar on this machine writes', async () => {
        const tar = spawn('tar', ['-cf', '-', '-C', 'src', 'transport'], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        const { code, stdout } = await node.exec('tar -tf - | wc -l', { input: tar.stdout });
        const files = readdirSync('src/transport').length + 1;
        assert.deepEqual([code, stdout.trim()], [0, String(files)]);
      });

      test('that do not read their input end all the same', async () => {
        const ended = await node.exec('exit 4', { input: randomBytes(5_000_000), seconds: 10 });
        assert.equal(ended.code, 4);
      });

      test('are given up when their time is over', async () => {
        const begin = performance.now();
        const { code, stderr } = await node.exec('echo early; exec sleep 60', { seconds: 1 });
        assert.equal(code, null);
        assert.match(stderr, /no end within 1 s/);
        assert.ok(performance.now() - begin < 3000);
        assert.equal((await node.exec('true')).code, 0);
      });

      test('are given up when they print without end', async () => {
        const { code, stderr } = await node.exec('yes', { seconds: 30 });
        assert.equal(code, null);
        assert.match(stderr, /more than 32 MiB/);
      });

      test('are a conversation, where one is wanted', async () => {
        const session = await node.open('while read -r word; do echo "<$word>"; done; echo over >&2; exit 5');
        const lines: string[] = [];
        session.stdout.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
        session.stdin.write('one\n');
        await until('it answers', () => lines.join('') === '<one>\n');
        session.stdin.write('two\n');
        await until('it answers again', () => lines.join('').endsWith('<two>\n'));
        session.stdin.end();
        assert.deepEqual(await session.closed, { code: 5, stderr: 'over\n' });
      });

      test('run side by side, also more than one connection carries at once', async () => {
        const words = Array.from({ length: 20 }, (_, index) => `word${index}`);
        const ended = await Promise.all(words.map(word => node.exec(`echo ${word}; sleep 0.1`)));
        assert.deepEqual(
          ended.map(({ stdout }) => stdout.trim()),
          words,
        );
      });

      test('wait for one another where the host takes two sessions only', async () => {
        const narrow = await reach(folder, 'n2', wish);
        const ended = await Promise.all(Array.from({ length: 7 }, () => narrow.exec('sleep 0.1; echo done')));
        assert.deepEqual(
          ended.map(({ code, stdout }) => `${code} ${stdout}`),
          Array(7).fill('0 done\n'),
        );
        await narrow.close();
      });

      test('are free of what the configuration would add to them', async () => {
        const trapped = await reach(folder, 'n3', wish);
        const command = 'tty; env | grep -c -e LB_LEAK -e SSH_AUTH_SOCK -e DISPLAY; cat';
        const { code, stdout, stderr } = await trapped.exec(command, { input: 'mine\n' });
        assert.deepEqual([code, stdout, stderr], [0, 'not a tty\n0\nmine\n', '']);
        await trapped.close();
      });

      test('end without a code when the connection is cut, and their transport says so', async () => {
        const host = lab.host('n4');
        const cut = await reach(folder, 'n4', wish);
        const running = cut.exec('echo begun; exec sleep 100');
        await until('it runs', () => lab.processes(host).some(({ args }) => args === 'sleep 100'));
        host.kill();
        const { code, stdout, stderr } = await running;
        assert.deepEqual([code, stdout], [null, 'begun\n']);
        assert.notEqual(stderr, '');
        assert.match(await cut.lost, /n4/);
        const later = await cut.exec('true', { seconds: 5 });
        assert.equal(later.code, null);
        await assert.rejects(cut.open('true'), /n4/);
        await cut.close();
        host.kill('machine');
        await host.start();
      });

      test('leave nothing behind on this machine', async () => {
        const other = await reach(folder, 'n1', wish);
        await other.exec('true');
        await other.close();
        await other.close();
        // Locks go with the folder: somebody may be waiting for one.
        const left = readdirSync(folder).filter(name => name.includes('.') && !name.endsWith('.lock'));
        assert.deepEqual(left, []);
      });
    });
  }
});

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
