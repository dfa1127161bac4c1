/** What a job writes to its logs, be it without end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { outcome, removeImages } from './single.ts';

afterEach(removeImages);

describe('logs', () => {
  const capped = { env: { LOGOBATCH_LOG_BYTES: '1000000' } };
  const MARK = '\n[LogoBatch: cut after 1000000 bytes; the job wrote more]\n';
  for (const [what, command] of [
    ['in lines', 'yes 0123456789 | head -c 10000000'],
    ['without a line break', "head -c 10000000 /dev/zero | tr '\\0' x"],
    ['slowly', "for n in 1 2 3 4 5; do head -c 2000000 /dev/zero | tr '\\0' x; sleep 0.4; done"],
  ] as const) {
    test(`10 MB ${what} are cut, with a mark`, async () => {
      const { of, code, out } = await outcome(`{ ${command}; } | tee -a /dev/stderr`, [], capped);
      assert.equal(code, 0, out);
      for (const log of ['job.out', 'job.err']) {
        const text = of.read(`data/processed/b/a/Job1/${log}`);
        assert.equal(text.length, 1000000 + MARK.length);
        assert.ok(text.endsWith(MARK));
      }
    });
  }

  test('are cut when the job fails, too', async () => {
    const { of, why } = await outcome("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 3", [], capped);
    assert.equal(why, 'exit 3');
    assert.equal(of.read('data/processed/b/a/Job1.failed/job.err').length, 1000000 + MARK.length);
  });

  test('are left alone up to the last byte, whatever is in them', async () => {
    const { of } = await outcome('head -c 1000000 /dev/urandom | tee {out}/x', [], capped);
    const folder = join(of.root, 'data/processed/b/a/Job1');
    assert.ok(readFileSync(join(folder, 'job.out')).equals(readFileSync(join(folder, 'x'))));
    assert.equal(readFileSync(join(folder, 'x')).length, 1000000);
  });

  test('are shown without what a terminal would obey', async () => {
    const { of, out } = await outcome(
      `printf 'red \\033[31m bell \\007 back \\b cr \\r end\\n' >&2; mkdir "{out}/$(printf 'x\\033[1m')"; mkfifo "{out}/$(printf 'x\\033[1m/f\\033')"`,
    );
    assert.match(out, /red \[31m bell {2}back {2}cr {2}end|neither file nor folder/);
    assert.doesNotMatch(out, /[\x00-\x08\x0b-\x1f\x7f]/);
    assert.match(of.read('data/processed/b/a/Job1.failed/job.err'), /\x1b\[31m/);
  });
});
