import t from 'tap';
import { blocksOf, commandsOf, missingLine } from '../docs/blocks.js';

t.test('blocks and their commands', t => {
  const page = [
    '# x',
    '```sh',
    'one  # a remark',
    '',
    '# only a remark',
    "two <<'END' | cat",
    'a # b',
    'END',
    'three \\',
    '  four',
    '```',
    '```',
    'plain',
    '```',
    '```console',
    '$ say it',
    'it is said',
    '$ again',
    '```',
  ].join('\n');
  const [sh, plain, console] = blocksOf(page);
  t.same([sh?.language, plain?.language, console?.language], ['sh', '', 'console']);
  t.same(sh && commandsOf(sh), [
    { line: 3, text: 'one' },
    { line: 6, text: "two <<'END' | cat\na # b\nEND" },
    { line: 9, text: 'three \\\n  four' },
  ]);
  t.same(console && commandsOf(console), [
    { line: 16, text: 'say it', shown: ['it is said'] },
    { line: 18, text: 'again' },
  ]);
  t.end();
});

t.test('what is shown is compared as a reader would', t => {
  for (const [shown, output, missing] of [
    [['✓ API server  https://127.0.0.1:6443'], '✓ API server https://127.0.0.1:1\n', undefined],
    [['ready in 2709 ms; connect with …'], 'x\nready in 1 ms; connect with\n', undefined],
    [['a', 'b'], 'b\na', 'b'],
    [['Service shop/web: no'], 'Service shop/web: yes', 'Service shop/web: no'],
    [
      ['it is (EndpointSlice a/b-62jxf port 80, …; by chance)'],
      'it is (EndpointSlice a/b-7 port 8, ready; by chance)',
      undefined,
    ],
    [['one … three'], 'one two and three', undefined],
    [['one … three'], 'one two', 'one … three'],
    [['…KUBE-SVC-…'], 'a -j KUBE-SVC-XYZ b', undefined],
    [['…KUBE-SVC-…'], 'a -j KUBE-SEP-XYZ b', '…KUBE-SVC-…'],
    [['works: …'], 'works:', undefined],
    [['a (b) [c]?'], 'a (b) [c]?', undefined],
  ] as const)
    t.equal(missingLine(shown, output), missing, shown.join());
  t.end();
});
