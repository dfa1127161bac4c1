import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addResources, type NewResource } from '../../src/grid/add.ts';
import type { Grid } from '../../src/grid/model.ts';
import { readGridText } from '../../src/grid/read.ts';
import { nameFor, resourceOf } from '../../src/grid/typed.ts';

const LAB2: NewResource = {
  name: 'lab2',
  type: 'ssh',
  hostname: 'lab2.example.org',
  username: 'ann',
  slots: 4,
  tags: ['r'],
};

function gridOf(text: string): Grid {
  const read = readGridText(text, 'grid.yml');
  assert.ok(read.ok, text);
  return read.grid;
}

const names = (text: string) => gridOf(text).resources.map(({ name }) => name);

describe('adding a resource', () => {
  test('begins a file that also names this machine', () => {
    const text = addResources('', [LAB2]);
    assert.equal(
      text,
      `# The machines that LogoBatch may use. "logobatch nodes" looks at them; the README lists the keys.
compute:
  - name: local # this machine; without these two lines it runs no jobs
    type: local
  - name: lab2
    type: ssh
    hostname: lab2.example.org
    username: ann
    slots: 4
    tags: [r]
`,
    );
    assert.deepEqual(names(text), ['local', 'lab2']);
  });

  test('keeps comments, order and the style of what is there', () => {
    const before = `# mine
default_email: me@example.org # for all

compute:
  # the big one
  - name: lab1
    type: ssh
    hostname: lab1 # in the cellar
    fast_storage: [/disk, /tmp]
# the end
`;
    assert.equal(
      addResources(before, [{ name: 'lab2', type: 'ssh', hostname: 'lab2' }]),
      before.replace('# the end\n', '  - name: lab2\n    type: ssh\n    hostname: lab2\n\n# the end\n'),
    );
    assert.deepEqual(names(addResources('compute: [{name: a, type: local}]\n', [LAB2])), ['a', 'lab2']);
    const dashes = 'compute:\n- name: a\n  type: local\n';
    assert.ok(addResources(dashes, [LAB2]).startsWith(`${dashes}- name: lab2\n  type: ssh\n`));
    assert.ok(
      addResources('compute:\r\n  - name: a\r\n    type: local\r\n', [LAB2]).endsWith('    tags: [r]\r\n'),
    );
    const old = 'Compute:\n    a: {type: local}\n';
    assert.ok(addResources(old, [LAB2]).startsWith(`${old}    lab2:\n        type: ssh\n`));
  });

  test('writes this machine down where a file named no resources', () => {
    for (const text of [
      '# notes\n',
      'default_email: a@b.org\n',
      'compute:\n',
      'compute: []\n',
      'Compute: []\n',
    ])
      assert.deepEqual(names(addResources(text, [LAB2])), ['local', 'lab2'], text);
  });

  test('quotes what YAML would take for something else', () => {
    const text = addResources('', [{ name: '007', type: 'ssh', hostname: '1e3', tags: ['true', 'null'] }]);
    const [, one] = gridOf(text).resources;
    assert.ok(one?.kind === 'ssh');
    assert.deepEqual([one.name, one.host.hostname, one.tags], ['007', '1e3', ['true', 'null']]);
  });

  test('changes nothing of what a file meant before, whatever it is', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,8}$/);
    const resources = fc.uniqueArray(name, { maxLength: 4, selector: text => text.toLowerCase() });
    const style = fc.constantFrom('block', 'flow');
    fc.assert(
      fc.property(
        resources,
        style,
        fc.constantFrom('', '# c\n', 'default_email: a@b.org\n'),
        (all, how, head) => {
          const items = all.map(each =>
            how === 'flow' ? `{name: "${each}", type: sge}` : `  - name: "${each}"\n    type: sge\n`,
          );
          const text = `${head}compute:${how === 'flow' ? ` [${items.join(', ')}]\n` : `\n${items.join('')}`}`;
          const before = gridOf(text);
          const after = gridOf(addResources(text, [{ name: 'new-one.of.ours', type: 'ssh', hostname: 'h' }]));
          assert.deepEqual(after.resources.slice(0, before.resources.length), before.resources);
          assert.equal(after.resources.length, before.resources.length + 1);
          assert.equal(after.defaultEmail, before.defaultEmail);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('what is typed', () => {
  const unsaid = {
    username: undefined,
    port: undefined,
    slots: undefined,
    nice: undefined,
    max_load: undefined,
    max_jobs: undefined,
  };
  const typed = { ...unsaid, name: 'a', type: 'ssh' as const, hostname: 'a', fast_storage: [], tags: [] };
  const judge = (more: object) => {
    const result = resourceOf({ ...typed, ...more }, key => `--${key}`);
    return 'fault' in result ? result.fault : result;
  };

  test('is judged as in the file', () => {
    assert.equal(judge({ slots: '0' }), '--slots must be a whole number from 1 to 4,096, not "0"');
    assert.equal(judge({ port: '022' }), '--port must be a port from 1 to 65,535, not "022"');
    assert.equal(judge({ max_load: 'x' }), '--max_load must be a number above 0, not "x"');
    assert.match(String(judge({ name: '-' })), /^--name must be a name \(/);
    assert.match(String(judge({ fast_storage: ['/ok', 'x'] })), /^--fast_storage must be .*, not "x"$/);
    assert.match(String(judge({ hostname: '-oProxyCommand=x' })), /^--hostname must be /);
    assert.deepEqual(judge({ hostname: '[::1]', port: '22', slots: '2', max_load: '1.5' }), {
      name: 'a',
      type: 'ssh',
      hostname: '::1',
      port: 22,
      slots: 2,
      max_load: 1.5,
    });
  });

  test('gets a name from its host', () => {
    const hosts = ['lab1.example.org', '10.0.0.5', '::1', 'fe80::1%eth0', 'lab_1'];
    assert.deepEqual(hosts.map(nameFor), ['lab1', '10.0.0.5', '_1', 'fe80_1_eth0', 'lab_1']);
  });
});
