import { join } from 'node:path';
import t from 'tap';
import { noticeOf } from '../../../../src/cmd/build/notice.js';

const MIT = 'Permission is hereby granted, free of charge, to any person';
const json = (value: object): string => JSON.stringify(value);

/** A bundle of these files, each with so many bytes in it. */
const bundleOf = (inputs: Record<string, number>): Parameters<typeof noticeOf>[1] => ({
  outputs: {
    'kubette.js': {
      bytes: 0,
      imports: [],
      exports: [],
      inputs: Object.fromEntries(Object.entries(inputs).map(([file, bytesInOutput]) => [file, { bytesInOutput }])),
    },
  },
});

const PACKAGES = {
  '@kubernetes': {
    'client-node': {
      'package.json': json({
        name: '@kubernetes/client-node',
        version: '2.0.1',
        license: 'Apache-2.0',
        author: 'Kubernetes Authors',
      }),
      LICENSE: 'Apache License',
    },
  },
  '@a': {
    b: {
      'package.json': json({ name: '@a/b', version: '1.0.0', license: 'MIT' }),
      LICENSE: `MIT License\n\nCopyright (c) 2020 Anna\n\n${MIT}\n`,
    },
  },
  c: {
    'package.json': json({ name: 'c', version: '2.0.0', license: 'MIT' }),
    'license.md': `The MIT License (MIT)\n\nCopyright 2021 Carl\nCopyright 2022 Cora\n\n${MIT.replace(', to', ',\r\nto')}\n`,
    node_modules: {
      d: {
        'package.json': json({ name: 'd', version: '3.0.0', license: 'ISC', author: { name: 'Dora' } }),
        NOTICE: 'D says this',
      },
    },
  },
  e: { 'package.json': json({ name: 'e', version: '4.0.0', author: 'Emil' }), LICENSE: 'none' },
  f: { 'package.json': json({ name: 'f', version: '5.0.0', license: 'MIT' }) },
};

t.test('each package that is in the bundle: its version, licence and copyright, and each licence once', async t => {
  const root = join(t.testdir({ node_modules: PACKAGES }));
  const text = noticeOf(
    root,
    bundleOf({
      'build/src/cmd/kubette.js': 10,
      'node_modules/@a/b/lib/x.js': 1,
      'node_modules/@a/b/lib/y.js': 1,
      'node_modules/c/index.js': 5,
      'node_modules/c/node_modules/d/index.js': 5,
      'node_modules/e/index.js': 0,
    }),
  );
  t.match(
    text,
    '  @a/b 1.0.0, MIT\n    Copyright (c) 2020 Anna\n  c 2.0.0, MIT\n    Copyright 2021 Carl\n    Copyright 2022 Cora\n  d 3.0.0, ISC\n    by Dora\n',
  );
  t.match(
    text,
    'build/generated/openapi are those of\n\n  @kubernetes/client-node 2.0.1, Apache-2.0\n    by Kubernetes Authors\n',
  );
  t.match(text, '-----\n@a/b 1.0.0, MIT\nc 2.0.0, MIT\n\n', 'one text of two that differ in their lines');
  t.equal(text.split('Permission is hereby granted').length, 2);
  t.match(text, '-----\nd 3.0.0, ISC\n\nD says this\n');
  t.notMatch(text, 'e 4.0.0', 'nothing of it was left');
});

t.test('a package that does not say under which terms it may be given away ends the build', async t => {
  const root = t.testdir({ node_modules: PACKAGES });
  t.throws(() => noticeOf(root, bundleOf({ 'node_modules/e/index.js': 1 })), { message: 'e 4.0.0 names no licence' });
  t.throws(() => noticeOf(root, bundleOf({ 'node_modules/f/index.js': 1 })), {
    message: 'f 5.0.0 does not say whose it is',
  });
});
