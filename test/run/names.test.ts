import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { note, project } from './rig.ts';
import { ALL, FILES } from './study.ts';

describe('names that shells and make stumble over', () => {
  const NASTY = [
    'My model.nlogo',
    '$HOME',
    '#1',
    '100%',
    'a:b',
    "it's",
    'say "hi"',
    '(x)',
    'a;b&c',
    'back\\slash',
    '-rf',
    '~',
    'é日本',
    '*',
    '`id`',
    '{out}',
    '=',
    ' lead',
  ];

  for (const name of ['My image', `it's "a" $(touch pwned) $HOME`, '#(1)', 'é 日本', 'a:b%c;d']) {
    test(`the image’s own folder may be called ${name}`, async () => {
      const image = await project({ files: FILES, name });
      try {
        const { code, out } = await image.make(['-C', image.root], { cwd: '/' });
        assert.equal(code, 0, out);
        assert.deepEqual(image.ran(), ALL);
        assert.equal(image.read('data/processed/two/c/Job1/cwd'), `${image.root}\n`);
        assert.equal((await image.make()).out, 'nothing to do\n');
      } finally {
        image.remove();
      }
    });
  }

  test('shared folders, files in them, jobs’ own files and results may have any name', async () => {
    const shared = NASTY.filter(name => !name.startsWith('~')).map(name => JSON.stringify(`in/${name}`));
    const yaml = `batches:
  - name: whole
    command: '${note('whole')}; find in -type f | LC_ALL=C sort > {out}/list; cp -R in/. {out}/'
    shared: [${shared.join(', ')}, "-odd", "src"]
  - name: each
    command: '${note('each')}; cat "data/raw/{i0}" > {out}/x; cp "data/raw/{i0}" {out}/'
    inputs: [${NASTY.map(name => JSON.stringify(name)).join(', ')}]
    files: data/raw/{i0}
`;
    const files: Record<string, string> = { 'batch_info/b.yml': yaml, '-odd/x': 'odd', 'src/x': '' };
    for (const name of NASTY)
      Object.assign(files, {
        [`in/${name}/${name}`]: name,
        [`data/raw/${name}`]: name,
        [`src/${name}`]: name,
      });
    const image = await project({ files });
    try {
      const { code, out } = await image.make();
      assert.equal(code, 0, out);
      assert.equal(image.ran().length, NASTY.length + 1);
      for (const [i, name] of NASTY.entries()) {
        assert.equal(image.read(`data/processed/b/each/Job${i + 1}/x`), name);
        assert.equal(image.read(`data/processed/b/each/Job${i + 1}/${name}`), name);
        assert.equal(image.read(`data/processed/b/whole/Job1/${name}/${name}`), name);
      }
      assert.equal((await image.make()).out, 'nothing to do\n');
      assert.match((await image.make(['verify'])).out, /all as recorded/);
      for (const [i, name] of NASTY.entries()) {
        image.write({ [`data/raw/${name}`]: `new ${i}` });
      }
      await image.make();
      assert.equal(image.ran().length, NASTY.length);
      for (const name of NASTY.filter(one => one !== '~')) {
        image.write({ [`in/${name}/${name}`]: 'other' });
        await image.make();
        assert.deepEqual(image.ran(), ['whole/Job1'], name);
      }
      image.write({ '-odd/x': 'other' });
      await image.make();
      assert.deepEqual(image.ran(), ['whole/Job1'], '-odd');
    } finally {
      image.remove();
    }
  });
});
