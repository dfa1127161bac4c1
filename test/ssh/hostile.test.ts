/**
 * Hosts that lie: instead of our agent something answers that has one attack in mind. Nothing is written where it does not belong, nothing of it
 * is published, no other host's job suffers, and make ends.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { broken, killAll, quiet } from '../run/witness.ts';
import { type Pool, startPool } from './rig.ts';

/** A result in words of `say`: a member of an archive is [name, type, content or target, size it pretends to have]. */
type Member = readonly [name: string, type?: string, content?: string, size?: number];
interface Attack {
  readonly members?: readonly Member[];
  /** What stands instead of the first line, of `ready`, of `result N`, and instead of `end N 0 1 1 ok`; `N` is the number of the job. */
  readonly lead?: string;
  readonly ready?: string;
  readonly result?: string;
  readonly end?: string;
  /** The archive ends after so many bytes, and everything with it. */
  readonly cut?: number;
  /** Then it goes on for ever with this: text, or members. */
  readonly forever?: 'text' | 'zeros' | 'members' | 'lines' | 'noise' | 'silence';
  readonly stderr?: boolean;
}

const GOOD: readonly Member[] = [
  ['N/out/', '5'],
  ['N/out/pwned', '0', 'forged'],
  ['N/job.out', '0', ''],
  ['N/job.err', '0', ''],
];
const OUT = GOOD.filter(([name]) => name !== 'N/out/pwned');
/** With an exit code that is a failure, so that the forged file would show that it was believed. */
const LOST: Readonly<Record<string, Attack>> = {
  'a member above': { members: [...OUT, ['N/out/../../../../../pwned', '0', 'x']] },
  'an absolute name': { members: [...OUT, ['/tmp/logobatch-pwned', '0', 'x']] },
  'a link, then a file through it': {
    members: [...OUT, ['N/out/l', '2', '../../../../..'], ['N/out/l/pwned', '0', 'x']],
  },
  'an absolute link, then a file through it': {
    members: [...OUT, ['N/out/l', '2', '/tmp'], ['N/out/l/logobatch-pwned', '0', 'x']],
  },
  'a link in place of {out}': { members: [...OUT.slice(1), ['N/out', '2', '../../../..']] },
  'a link in place of a log': { members: [...OUT.slice(0, 2), ['N/job.err', '2', '/etc/passwd']] },
  'a hard link to a file of this machine': {
    members: [...OUT, ['N/out/pwned', '1', '/etc/passwd']],
  },
  'a hard link to the record of another job': {
    members: [...OUT, ['N/out/pwned', '1', 'N/../../../../../../.logobatch/run/owner']],
  },
  'a record': { members: [...GOOD, ['N/.done', '0', 'logobatch 1\nend\n']] },
  'a journal': { members: [...GOOD, ['x/N.journal', '0', 'moving data/processed/b/good/Job1\n']] },
  'a scratch folder and a manifest': {
    members: [...GOOD, ['N/scratch/x', '0', 'x'], ['N/manifest', '0', '']],
  },
  'a hidden file beside': { members: [...GOOD, ['N/.x', '0', 'x'], ['N/..x', '0', 'x']] },
  'a file in place of {out}': { members: [['N/out', '0', 'x'], ...OUT.slice(1)] },
  'no logs': { members: GOOD.slice(0, 2) },
  'an end before the result': { result: 'end N 0 1 1 ok\nresult N' },
  'no archive': { members: [], cut: 0, end: 'end N 0 1 1 ok' },
  "another job's number": { result: 'result 999', end: 'end 999 0 1 1 ok' },
  'an end that is of another': { end: 'end 999 0 1 1 ok' },
  'an end without words': { end: 'end N' },
  'an end with words for numbers': { end: 'end N 0 a[$(touch${IFS}/tmp/logobatch-pwned)] 1 ok' },
  'an end with numbers without end': { end: `end N ${'9'.repeat(40)} ${'9'.repeat(40)} 1 ok` },
  'an end with a negative time': { end: 'end N 0 -5 1 ok' },
  'an end with a word of its own': { end: 'end N 0 1 1 splendid' },
  'a wrong nonce': { lead: 'lb-wrong' },
  'another word than ready': { ready: 'result N' },
  'an archive cut within a file': {
    members: [
      ['N/out/', '5'],
      ['N/out/pwned', '0', 'x'.repeat(4000)],
    ],
    cut: 1600,
  },
  'an archive cut between members': { members: GOOD, cut: 512 },
  'a file larger than any result may be': {
    members: [...OUT, ['N/out/pwned', '0', '', 2 ** 40]],
    forever: 'zeros',
  },
  'members without end': { members: OUT, forever: 'members' },
  'lines without end': { lead: 'x', forever: 'lines' },
  'a line without end': { lead: 'x', forever: 'text' },
  'noise for ever, as errors': { lead: 'x', forever: 'noise' },
  'silence from the start': { lead: 'x', forever: 'silence' },
  'silence instead of a result': { result: '', members: [], cut: 0, forever: 'silence' },
  'silence in the middle': { members: GOOD, cut: 700, forever: 'silence' },
};
/** These are results like those that a job may leave: refused as such, or harmless. */
const FAILED: Readonly<Record<string, Attack>> = {
  'a link that leads outside': { members: [...GOOD, ['N/out/l', '2', '../../../../..']] },
  'a device': { members: [...GOOD, ['N/out/null', '3', '']] },
  'a fifo': { members: [...GOOD, ['N/out/fifo', '6', '']] },
  'an output called like a record': { members: [...GOOD, ['N/out/.done', '0', 'x']] },
};
const ATTACKS: Readonly<Record<string, Attack>> = { ...LOST, ...FAILED };

/** Answers as its attack says. Stands in for the agent only: all else on the host is as it should be. */
const EVIL = String.raw`
import { appendFileSync } from 'node:fs';
const attacks = JSON.parse(process.argv[2]);
let attack;
const [, , nonce] = / (\S+) (\S+) '\S+'(?: \S+)?$/.exec(process.env.SSH_ORIGINAL_COMMAND);
const out = text => new Promise(done => process.stdout.write(text, done));
process.stdout.on('error', () => process.exit());
const stream = (await import('node:stream')).Readable;
let given = Buffer.alloc(0), n = '';
process.stdin.on('data', part => {
  given = Buffer.concat([given, part]);
  const at = given.indexOf('lb-' + nonce + '\n');
  const orders = at < 0 ? -1 : given.indexOf('orders\0', at);
  if (orders > 0 && given.length >= orders + 1024 && n === '') { const words = given.subarray(orders + 512, orders + 1024).toString().split(' '); n = words[0]; attack = attacks[words[4].slice(2)]; appendFileSync(process.env.HOME + '/tried', words[4] + '\n'); begin(); }
});
process.stdin.on('end', () => setTimeout(() => process.exit(), attack?.forever ? 100000 : 100).unref());
function header([name, type = '0', content = '', size]) {
  const block = Buffer.alloc(512);
  const put = (text, at) => block.write(text, at, 'latin1');
  const isLink = type === '1' || type === '2';
  put(name.replace(/^N/, n).slice(0, 99), 0);
  put((type === '5' ? '0000755' : '0004755') + '\0', 100); put('0000000\0', 108); put('0000000\0', 116);
  const bytes = size ?? (isLink ? 0 : content.length);
  if (bytes >= 2 ** 33) { block[124] = 0x80; block.writeBigUInt64BE(BigInt(bytes), 128); } else put(bytes.toString(8).padStart(11, '0') + '\0', 124);
  put('00000000000\0', 136); put('        ', 148); put(type, 156);
  if (isLink) put(content.replace(/^N/, n), 157);
  put('ustar\x0000', 257);
  if (type === '3') { put('0000001\0', 329); put('0000003\0', 337); }
  let sum = 0; for (const byte of block) sum += byte;
  put(sum.toString(8).padStart(6, '0') + '\0 ', 148);
  const body = isLink ? '' : content;
  return Buffer.concat([block, Buffer.from(body), Buffer.alloc((512 - body.length % 512) % 512)]);
}
async function begin() {
  const { members = ${JSON.stringify(GOOD)}, lead, ready = 'ready', result = 'result N', end = 'end N 0 1 1 ok', cut, forever } = attack;
  await out('\n' + (lead ?? 'lb-' + nonce) + '\n' + ready.replaceAll('N', n) + '\n');
  if (lead === undefined) {
    if (result) await out(result.replaceAll('N', n) + '\n');
    let archive = Buffer.concat([...members.map(header), forever ? Buffer.alloc(0) : Buffer.alloc(1024)]);
    if (cut !== undefined) archive = archive.subarray(0, cut);
    await out(archive);
    if (cut > 0 && !forever) process.exit();
    if (!forever) await out(end.replaceAll('N', n) + '\n');
  }
  const mega = Buffer.alloc(1 << 16, 'y'), zeros = Buffer.alloc(1 << 16), lines = Buffer.from('result 1\nend 1 0 1 1 ok\n'.repeat(1000));
  for (let i = 0; forever; i++) {
    if (forever === 'silence') await new Promise(() => setTimeout(() => {}, 1e6));
    if (forever === 'text') await out(mega);
    if (forever === 'zeros') await out(zeros);
    if (forever === 'lines') await out(lines);
    if (forever === 'noise') await new Promise(done => process.stderr.write(mega, done));
    if (forever === 'members') await out(Buffer.concat(Array.from({ length: 50 }, (_, j) => header(['N/out/f' + (50 * i + j), '0', 'x']))));
  }
  if (attack.end === undefined || lead !== undefined) process.exit();
}
`;

/** A few attacks a host, so that all hosts are there from the start. */
const EACH = 3;
const names = Object.keys(ATTACKS).map((what, i) => ({
  what,
  node: `n${Math.floor(i / EACH) + 1}`,
  batch: `x${i + 1}`,
}));
const bad = names.map(({ node }) => node).filter((node, i, all) => all.indexOf(node) === i);
const good = `n${bad.length + 1}`;
const attacksOf = (host: string) =>
  Object.fromEntries(
    names.filter(({ node }) => node === host).map(({ what, batch }) => [batch, ATTACKS[what]]),
  );

/** Two jobs for each pair of a bad host and the good one: the second begins with the bad one. */
const batches = names.map(
  ({ node, batch }) => `  - name: ${batch}
    inputs: [a, b]
    time: 2
    max_output: {size: 1M, files: 100}
    resources: [${node}, ${good}]
    command: echo {i0} > {out}/x
`,
);

describe('hosts that lie', { skip: canLab() }, () => {
  let pool: Pool;
  const tried = (node: string) => readFileSync(join(pool.host(node).user.home, 'tried'), 'utf8').split('\n');
  let out = '';
  let seconds = 0;
  before(async () => {
    pool = await startPool({
      hosts: [
        ...bad.map(node => ({
          files: { 'evil.mjs': EVIL, attacks: JSON.stringify(attacksOf(node)) },
          forceCommand: `case $SSH_ORIGINAL_COMMAND in *"/agent'"*) exec ${process.execPath} "$HOME/evil.mjs" "$(cat "$HOME/attacks")" ;; esac`,
        })),
        {},
      ],
      files: { 'batch_info/b.yml': `batches:\n${batches.join('')}`, 'src/x': '' },
      grid: { slots: EACH, hosts: { [good]: { slots: 1 } } },
    });
    const env = { LOGOBATCH_SILENCE: '10' };
    ({ out, seconds } = await pool.make([], { env }));
    // A host that was put aside for another attack of its may have been spared.
    for (const { node, batch } of names)
      if (!tried(node).includes(`b/${batch}`)) out += (await pool.make(['-B', `b/${batch}`], { env })).out;
  });
  after(() => {
    killAll(pool.image);
    pool.stop();
  });

  const record = (batch: string, job: number) => {
    const path = `data/processed/b/${batch}/Job${job}/.done`;
    return pool.image.exists(path) ? pool.image.read(path) : '';
  };

  test('keep make no longer than a minute and a half', () => {
    assert.ok(seconds < 90, `${seconds} s\n${out}`);
  });

  for (const { what, node, batch } of names.slice(0, Object.keys(LOST).length)) {
    test(`lose the job to another host: ${what}`, () => {
      assert.ok(tried(node).includes(`b/${batch}`));
      for (const job of [1, 2]) assert.match(record(batch, job), new RegExp(` node=${good} `), out);
      assert.match(out, new RegExp(`^lost {4}b/${batch} on ${node}: `, 'm'));
    });
  }
  for (const { what, node, batch } of names.slice(Object.keys(LOST).length)) {
    test(`have their result refused like a job's: ${what}`, () => {
      assert.ok(tried(node).includes(`b/${batch}`));
      assert.match(out, new RegExp(`^failed {2}b/${batch}/Job[12] on ${node}: (left|wrote) `, 'm'));
    });
  }

  test('write nothing outside of what is theirs, and nothing of them is believed', async () => {
    await quiet(pool.image);
    const above = join(pool.image.root, '..');
    const odd = ['-name', '*pwned*', '-o', '-type', 'p', '-o', '-type', 'c', '-o', '-perm', '/7000'];
    const found = spawnSync('find', [above, ...odd], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean);
    assert.deepEqual(
      found.filter(path => !/\.failed\/out\/|^\S+\/slots\/|\/attend\.(to|from)$/.test(path)),
      [],
    );
    // What failed jobs have left is for looking into, and may be as odd as it is.
    assert.equal((await pool.make(['clean'])).code, 0);
    assert.deepEqual(broken(pool.image), []);
    assert.deepEqual(
      readdirSync('/tmp').filter(name => name.startsWith('logobatch-pwned')),
      [],
    );
  });
});
