/** Mail at the end of a batch, through a stand-in for sendmail that keeps what it was given. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { project } from './rig.ts';

const SENDMAIL = '#!/bin/sh\n{ echo "to: $*"; cat; echo ----; } >> "$HOME/mail"\n';
const YAML = [
  'batches:',
  '  - {name: good, command: "true"}',
  '  - {name: bad, inputs: [1, 2], command: "exit {i0}"}',
  '  - {name: quiet, command: "true", email: false}',
  'email: {addresses: [ann@example.org, bob@example.org]}',
  '',
].join('\n');

test('the addresses of a bbatch hear how each batch ended, but of none that says no', async t => {
  const image = await project({ files: { 'batch_info/b.yml': YAML, 'bin/sendmail': SENDMAIL } });
  t.after(image.remove);
  const { code } = await image.make([], { env: { LOGOBATCH_SENDMAIL: join(image.root, 'bin/sendmail') } });
  assert.equal(code, 2);
  const path = join(image.home, 'mail');
  assert.ok(existsSync(path), 'no mail was sent');
  const mails = readFileSync(path, 'utf8').split('----\n').filter(Boolean);
  const subjects = mails.map(mail => /^Subject: (.*)$/m.exec(mail)?.[1]).sort();
  assert.deepEqual(subjects, ['b/bad: 0 of 2 jobs done, 2 failed', 'b/good: 1 of 1 jobs done']);
  for (const mail of mails) assert.match(mail, /ann@example\.org.*bob@example\.org/);
  assert.match(mails.join(''), /data\/processed\/b\/bad\/Job2\texit 2/);
});

test('whoever the grid file names hears of images that name nobody', async t => {
  const other = 'batches: [{name: own, command: "true"}]\nemail: bob@example.org\n';
  const image = await project({
    files: {
      'batch_info/b.yml': YAML.replace(/email: \{.*/, ''),
      'batch_info/c.yml': other,
      'bin/sendmail': SENDMAIL,
      '../home/.logobatch.yml': 'default_email: ann@example.org\ncompute: [{name: local, type: local}]\n',
    },
  });
  t.after(image.remove);
  await image.make([], { env: { LOGOBATCH_SENDMAIL: join(image.root, 'bin/sendmail') } });
  const mails = image.read('../home/mail').split('----\n').filter(Boolean);
  const told = mails.map(mail => `${/^To: (.*)$/m.exec(mail)?.[1]}: ${/^Subject: (\S*):/m.exec(mail)?.[1]}`);
  assert.deepEqual(told.sort(), [
    'ann@example.org: b/bad',
    'ann@example.org: b/good',
    'bob@example.org: c/own',
  ]);
});

test('a mail that cannot be sent is said and changes nothing else', async t => {
  const image = await project({ files: { 'batch_info/b.yml': YAML.replace(/.*bad.*\n/, '') } });
  t.after(image.remove);
  const { code, out } = await image.make([], { env: { LOGOBATCH_SENDMAIL: '/nowhere/sendmail' } });
  assert.equal(code, 0, out);
  assert.match(out, /could not send mail to ann@example\.org,bob@example\.org about b\/good/);
  assert.match(
    out,
    /no mail was sent: there is no \/nowhere\/sendmail here; LOGOBATCH_SMTP=\S+ names a server/,
  );
});
