import t from 'tap';
import { type BuildInfo, lintKeys } from '../lint/keys.js';

/** `a` imports `b`, which imports `c`; `d` is by itself, `lib` is everywhere. */
const info = {
  fileNames: ['a', 'b', 'c', 'd', 'lib'],
  fileInfos: [
    'text of a',
    { version: 'text of b', signature: 'what others see of b' },
    { version: 'text of c', signature: 'what others see of c' },
    { version: 'text of d', signature: false },
    { version: 'text of lib', affectsGlobalScope: true },
  ],
  fileIdsList: [[2], [3]],
  referencedMap: [
    [1, 1],
    [2, 2],
  ],
} satisfies BuildInfo;

const withInfo = (at: number, changed: BuildInfo['fileInfos'][number]): BuildInfo => ({
  ...info,
  fileInfos: info.fileInfos.map((each, i) => (i === at ? changed : each)),
});

t.test('a file is looked at again when its text or a declaration that it can see has changed', async t => {
  const before = lintKeys(info, ['rules']);
  t.equal(before.get('a')?.version, 'text of a');
  const rows = [
    { name: 'nothing', now: info, rest: 'rules', expect: '' },
    { name: 'its text', now: withInfo(0, 'other'), rest: 'rules', expect: 'a' },
    {
      name: 'the inside of what is imported',
      now: withInfo(2, { version: 'other', signature: 'what others see of c' }),
      rest: 'rules',
      expect: 'c',
    },
    {
      name: 'a declaration far away',
      now: withInfo(2, { version: 'text of c', signature: 'other' }),
      rest: 'rules',
      expect: 'a b',
    },
    { name: 'who imports whom', now: { ...info, fileIdsList: [[2, 4], [3]] }, rest: 'rules', expect: 'a' },
    {
      name: 'what is everywhere',
      now: withInfo(4, { version: 'other', affectsGlobalScope: true }),
      rest: 'rules',
      expect: 'a b c d lib',
    },
    { name: 'the rules', now: info, rest: 'other', expect: 'a b c d lib' },
  ];
  for (const { name, now, rest, expect } of rows) {
    const after = lintKeys(now, [rest]);
    const changed = info.fileNames.filter(file => after.get(file)?.key !== before.get(file)?.key);
    t.equal(changed.join(' '), expect, name);
  }
});

t.test('where a build says less than that, nothing is known', async t => {
  const { referencedMap: _none, ...less } = info;
  t.equal(lintKeys(less, []).size, 0);
  t.equal(lintKeys({}, []).size, 0);
});
