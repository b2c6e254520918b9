import t from 'tap';
import { differences, variants } from '../replay/kubectl/compare.js';
import { inputsOf, normalize } from '../replay/kubectl/normalize.js';
import type { Head } from '../replay/kubectl/types.js';
import { saveTextDifferences } from '../replay/proxy/save-text.js';
import { createMatcher } from '../replay/wire/matcher.js';

const UID = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** What each pair of a scenario differs in. */
const matched = (...pairs: readonly (readonly [unknown, unknown])[]): string[] => {
  const matcher = createMatcher(new Map([['u', 'c7']]));
  return pairs.flatMap(([expected, actual]) => matcher.match(expected, actual, 'body'));
};

t.test('a recorded answer matches what differs in its placeholders only', async t => {
  t.same(
    matched([
      { a: [1, { b: 'x-${u}' }], n: null },
      { a: [1, { b: 'x-c7' }], n: null },
    ]),
    [],
  );
  t.same(matched([{ 'f:{"uid":"<uid:1>"}': {} }, { [`f:{"uid":"${UID(1)}"}`]: {} }]), []);
  t.same(matched(['<port:1>', 30100], ['port <port:1>', 'port 30100'], ['<time>', '2026-01-01T00:00:00Z']), []);
  t.same(matched(['<rv:2>', '12'], ['<rv:1>', '5'], ['<rv:2>', '12']), []);
});

t.test('and no other', async t => {
  const rows: readonly (readonly [name: string, pairs: readonly (readonly [unknown, unknown])[], problem: RegExp])[] = [
    ['a text', [['a', 'b']], /expected "a", got "b"/],
    ['a line of a text', [['a\nb\nc', 'a\nx\nc']], /line 2: expected "b", got "x"/],
    ['a number', [[1, 2]], /expected 1, got 2/],
    ['a type', [['1', 1]], /expected "1", got 1/],
    ['null', [[null, {}]], /expected null/],
    ['a missing key', [[{ a: 1 }, {}]], /body\.a: missing, expected 1/],
    ['a further key', [[{}, { a: 1 }]], /body\.a: unexpected 1/],
    ['a further item', [[[1], [1, 2]]], /body\[1\]: unexpected 2/],
    ['an item too few', [[[1, 2], [1]]], /body\[1\]: missing/],
    ['a list for an object', [[{}, []]], /expected an object/],
    ['the shape of a placeholder', [['<uid:1>', 'x']], /expected/],
    [
      'one number, two values',
      [
        ['<ip:1>', '10.96.0.2'],
        ['<ip:1>', '10.96.0.3'],
      ],
      /was 10\.96\.0\.2 before/,
    ],
    [
      'two numbers, one uid',
      [
        ['<uid:1>', UID(1)],
        ['<uid:2>', UID(1)],
      ],
      /must be new/,
    ],
    [
      'revisions that do not rise',
      [
        ['<rv:1>', '7'],
        ['<rv:2>', '7'],
      ],
      /while <rv:1> was 7/,
    ],
  ];
  for (const [name, pairs, problem] of rows) {
    const problems = matched(...pairs);
    t.equal(problems.length, 1, name);
    t.match(problems[0], problem, name);
  }
});

const head: Head = { name: 's', about: '', manifests: { 'a.yaml': 'clusterIP: 10.96.0.7\n' }, versions: ['1.32'] };

t.test('what kubectl prints is compared without what changes from run to run, and with all else', async t => {
  const known = { literals: [['kcb2', '<ns>'] as const], inputs: inputsOf(head, []) };
  t.equal(
    normalize('NAME        AGE\nweb-5d9c8b7f6-x2x4z   12s\n10.96.0.7 10.96.0.9 in kcb2\n\n\n', known),
    'NAME  AGE\nweb-<hash>-<rand>  <age>\n10.96.0.7 <ip> in <ns>\n',
  );
  const step = {
    exit: 0,
    stdout: 'a\nb\n',
    stderr: '',
    alt: [{ versions: ['1.29'], exit: 1, stdout: '', stderr: 'no\n' }],
  };
  const printed = { exit: 0, stdout: 'b\na\n', stderr: '' };
  t.same(
    variants(head, step, '1.29').map(({ exit }) => exit),
    [1],
  );
  t.same(
    variants(head, step, '1.30').map(({ exit }) => exit),
    [0, 1],
  );
  t.match(differences(step, step, printed), [/^stdout/]);
  t.match(differences(step, step, { ...step, exit: 3, stderr: 'x' }), [/^exit/, /^stderr/]);
  t.same(differences({ ...step, compare: 'lines-unordered' }, step, printed), []);
  t.match(differences({ ...step, compare: 'json' }, { ...step, stdout: '{"a":1}' }, { ...step, stdout: '{"a":2}' }), [
    /^stdout/,
  ]);
});

t.test('rules are the same whatever the order of Services and chains, and in no other order', async t => {
  const save = (...rules: readonly string[]): string =>
    ['*nat', ':KUBE-SERVICES - [0:0]', ...rules, 'COMMIT'].join('\n');
  const one = '-A KUBE-SERVICES -m comment --comment "a/b:x cluster IP" -j KUBE-SVC-1';
  const two = '-A KUBE-SERVICES -m comment --comment "c/d cluster IP" -j KUBE-SVC-2';
  t.same(saveTextDifferences(save(one, two), save(two, one)), []);
  t.same(saveTextDifferences(save(one), save()).length, 1);
  const own = ['-A KUBE-SVC-1 -j A', '-A KUBE-SVC-1 -j B'] as const;
  t.same(saveTextDifferences(save(...own), save(own[1], own[0])).length, 4, 'order matters in a chain of its own');
  t.same(saveTextDifferences(':INPUT ACCEPT [1:2]', ':INPUT DROP [0:0]').length, 1);
  t.throws(() => saveTextDifferences('nonsense', ''), /not of iptables-save/);
});
