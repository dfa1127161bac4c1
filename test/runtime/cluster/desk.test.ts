/** What visits are told of their jobs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { Arrays } from '../../../src/runtime/cluster/arrays.ts';
import { Desk } from '../../../src/runtime/cluster/desk.ts';

const before = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'logobatch-desk-'));
describe('a desk', () => {
  // Other files of tests share this process.
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });

  test('tells a visit that reads slowly of all of its jobs, in their order', () => {
    const count = 5000;
    process.chdir(folder);
    const spool = join(folder, 'spool');
    mkdirSync(spool);
    execFileSync('mkfifo', ['campus.1.from']);
    const fifo = openSync('campus.1.from', constants.O_RDWR | constants.O_NONBLOCK);
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    const lines = numbers.map(n => `${n} 1 0 Job${n} logobatch 1 x - - -\n`).join('');
    writeFileSync(join(spool, 'campus.1'), `${process.pid} word b/b 1 1000  \n${lines}.\n`);

    const arrays = new Arrays('campus');
    const desk = new Desk(arrays, { slots: folder, spool });
    const [load = assert.fail()] = desk.take();
    const note = { name: 'lb-x', work: '/w', batch: 'b/b', tasks: [[...load.jobs]] };
    const array = arrays.send(note, [load.jobs.map(({ n }) => ({ packet: load.packet, n }))], 0);
    const [task = assert.fail()] = array.tasks;
    desk.sent(load, task);
    for (const job of task.jobs) desk.judge(job, { kind: 'killed', words: 'CANCELLED by 1000' });

    let said = '';
    const buffer = Buffer.alloc(1 << 20);
    for (let turn = 0; turn < 20; turn++) {
      desk.tell(() => true);
      try {
        said += buffer.toString('utf8', 0, readSync(fifo, buffer));
      } catch {
        // Nothing was left to say.
      }
    }
    closeSync(fifo);
    assert.deepEqual(
      said.split('\n').slice(0, -1),
      numbers.map(n => `word end ${n} 0 0 0 killed CANCELLED by 1000`),
    );
  });
});
