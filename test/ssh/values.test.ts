/** Values and secrets on their way to other machines: byte for byte, and where nobody else sees them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canLab } from '../lab/hosts.ts';
import { type Pool, startPool, watchTraces } from './rig.ts';

/** No output, log or line of a process may hold these. */
const VALUE = 'canary-value-5c1e';
const SECRET = 'canary-secret-9b07';
const TOKEN = `${SECRET}'; touch "$HOME/pwned" #\n$(id) \`id\` \\ " ünï\n`;
const PEM = `${SECRET}\n--- a file ---\n`;

const ASCII = Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)).join('');
/** Values that mean something to sh, csh, fish, ssh, tar, make, awk, printf or a terminal. */
const VALUES: readonly string[] = [
  '',
  ' ',
  ASCII,
  [...ASCII].reverse().join(''),
  `it's "quoted" '"'"'`,
  `'; touch "$HOME/pwned" #`,
  '$(touch "$HOME/pwned")`touch "$HOME/pwned"`',
  `\u0024{HOME}$HOME$$$1$@!!!1^x^y`,
  'a\\',
  '\n',
  'ends in line breaks\n\n',
  'windows\r\nline\r',
  '-oProxyCommand=touch /tmp/pwned',
  '--checkpoint-action=exec=sh',
  '~root ~.~? *',
  '%s%d%n%%',
  '{out}{{x}}{v}{id}',
  '\u0085\u00a0\u2028\ufeff ünïcödé 日本語 🔥',
  'lb-\nresult 1\nend 1 0 0 0 ok\n',
  'x'.repeat(100_000),
  `'"$\`\\\n`.repeat(2_000),
  VALUE,
];

const CSV = `k,v\n${VALUES.map((value, i) => `${i},"${value.replaceAll('"', '""')}"\n`).join('')}`;
const YAML = `batches:
  - name: plain
    inputs: t.csv
    bundle: 4
    secrets: [TOKEN, ~/key.pem]
    command: |
      printf %s {v} > {out}/bare
      printf %s "{v}" > {out}/double
      printf %s "$LB_v" > {out}/variable
      printf %s "$TOKEN" | cksum > {out}/token
      cksum < "$LB_SCRATCH/secrets/key.pem" > {out}/key
      stat -c %a "$LB_SCRATCH/secrets/key.pem" > {out}/mode
      sleep 0.1
  - name: failing
    inputs: [${VALUE}]
    secrets: [TOKEN, ~/key.pem]
    command: exit 3
  - name: unset
    secrets: [NOT_SET]
    command: ":"
`;

/** Looks at all command lines of this machine, which all hosts share, about a hundred times a second. */
function watchCommandLines(words: readonly string[]): () => { looks: number; found: string[] } {
  const found: string[] = [];
  let looks = 0;
  const timer = setInterval(() => {
    looks++;
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        if (words.some(word => line.includes(word))) found.push(line.replaceAll('\0', ' ').slice(0, 200));
      } catch {
        // It has ended.
      }
    }
  }, 10);
  return () => {
    clearInterval(timer);
    return { looks, found };
  };
}

const cksum = (text: string) => spawnSync('cksum', { input: text, encoding: 'utf8' }).stdout;

describe('over SSH', { skip: canLab() }, () => {
  let pool: Pool;
  let seen = { looks: 0, found: ['not yet'] };
  let out = '';
  before(async () => {
    pool = await startPool({
      hosts: [{ shell: 'bash' }, { shell: 'tcsh' }, { shell: 'fish' }],
      files: { 'batch_info/b.yml': YAML, 'batch_info/t.csv': CSV },
      grid: { slots: 1 },
    });
    writeFileSync(join(pool.image.home, 'key.pem'), PEM, { mode: 0o600 });
    await Promise.all(pool.lab.hosts.map(({ name }) => pool.lab.ssh([name, 'true'])));
    const clean = watchTraces(pool.lab);
    const look = watchCommandLines([VALUE, SECRET]);
    const ended = await pool.make([], { env: { TOKEN } });
    seen = look();
    out = ended.out;
    assert.equal(ended.code, 2, out);
    clean();
  });
  after(() => pool.stop());
  const read = (job: number, file: string) =>
    readFileSync(join(pool.image.root, `data/processed/b/plain/Job${job}/${file}`));

  test('values arrive byte for byte', () => {
    for (const [i, value] of VALUES.entries()) {
      for (const file of ['bare', 'double', 'variable'])
        assert.ok(
          read(i + 1, file).equals(Buffer.from(value)),
          `${file} of ${JSON.stringify(value).slice(0, 80)}`,
        );
    }
    assert.equal(
      new Set(VALUES.map((_, i) => / node=(\S+)/.exec(read(i + 1, '.done').toString())?.[1])).size,
      3,
    );
  });

  test('secrets arrive byte for byte, readable for the job alone', () => {
    assert.equal(read(1, 'token').toString(), cksum(TOKEN));
    assert.equal(read(1, 'key').toString(), cksum(PEM));
    assert.equal(read(1, 'mode').toString(), '600\n');
    assert.match(
      out,
      /^failed {2}b\/unset\/Job1: the secret NOT_SET is not set in the environment of make$/m,
    );
  });

  test('neither is ever seen on a command line', () => {
    assert.ok(seen.looks > 50, `${seen.looks} looks`);
    assert.deepEqual(seen.found, []);
  });

  test('no file keeps a secret, and nothing of a value has run', () => {
    const grep = (word: string, ...places: readonly string[]) =>
      spawnSync('grep', ['-rlaF', '--', word, ...places], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter(Boolean);
    const { root, home, environment } = pool.image;
    assert.deepEqual(grep(SECRET, root, environment.LOGOBATCH_SLOTS, environment.TMPDIR), []);
    assert.ok(!out.includes(SECRET));
    const withValue = grep(VALUE, root).filter(path => !/\/(jobfile\.sh|bare|double|variable)$/.test(path));
    assert.deepEqual(withValue.map(path => path.slice(root.length + 1)).sort(), [
      'batch_info/b.yml',
      'batch_info/t.csv',
    ]);
    assert.deepEqual(
      readdirSync(home).filter(name => name === 'pwned'),
      [],
    );
  });
});
