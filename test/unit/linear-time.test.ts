import t from 'tap';
import { createRepeatCheck } from '../../src/machinery/repeats.js';
import { deduplicate } from '../../src/machinery/strategic-order.js';
import { canonicalQuantity, parseQuantity, scaledValue } from '../../src/machinery/quantity.js';
import { pemBlocks } from '../../src/machinery/x509/certificate-request.js';
import { expandReferences } from '../../src/nodeagent/pods/environment.js';
import { overlappingPaths } from '../../src/resources/kinds/path-overlaps.js';

/** What was quadratic and is not any more answers as the plain way of doing it does. Time is for `make fuzz`. */

const plainOverlaps = (paths: readonly string[]): number[][] =>
  paths.flatMap((path, i) =>
    paths
      .slice(0, i)
      .flatMap((other, j) =>
        path !== '' && other !== '' && (`${path}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${path}/`))
          ? [[i, j]]
          : [],
      ),
  );

/** Texts of up to `length` of the characters, all of them. */
function* texts(characters: string, length: number): Iterable<string> {
  yield '';
  if (length > 0) for (const rest of texts(characters, length - 1)) for (const c of characters) yield c + rest;
}

t.test('overlapping paths are found as by comparing each with each', async t => {
  const all = [...new Set(texts('ab/', 4))];
  for (const [name, paths] of [
    ['in one order', all.slice(0, 40)],
    ['in the other', all.slice(0, 40).reverse()],
    ['twice', [...all.slice(5, 25), ...all.slice(5, 25)]],
    ['with a character below the slash', ['a', 'a.b', 'a/b', 'a-', 'a/', 'a']],
  ] as const)
    t.same(overlappingPaths(paths), plainOverlaps(paths), name);
});

t.test('duplicates of primitives go as in upstream’s algorithm', async t => {
  const plain = (items: readonly unknown[]): unknown[] => {
    const list = [...items];
    let last = list.length - 1;
    for (let i = 0; i < last; i++)
      for (let j = i + 1; j <= last; j++)
        if (list[i] === list[j]) {
          list[j] = list[last];
          list.length = last--;
          j--;
        }
    return list;
  };
  const lists = [...texts('abc', 6)].map(text => [...text]);
  t.same(
    lists.filter(list => JSON.stringify(deduplicate(list)) !== JSON.stringify(plain(list))),
    [],
  );
});

t.test('an item is a repeat when it came before', async t => {
  t.same(['a', 'b', 'a', 'a', 'c', 'b'].map(createRepeatCheck<string>()), [false, false, true, true, false, true]);
});

t.test('long quantities', async t => {
  for (const { name, input, expect } of [
    { name: 'digits and a letter', input: `${'1'.repeat(60_000)}x`, expect: undefined },
    { name: 'more digits than are read', input: '1'.repeat(60_000), expect: undefined },
    { name: 'zeros before', input: `${'0'.repeat(60_000)}5.${'0'.repeat(200)}`, expect: '5' },
    { name: 'zeros behind the point', input: `2.${'0'.repeat(60_000)}`, expect: '2' },
    { name: 'a long fraction is rounded up', input: `0.${'3'.repeat(60_000)}`, expect: '333333334n' },
    { name: 'a very small number', input: `0.${'0'.repeat(60_000)}1`, expect: '1n' },
    { name: 'a binary one is capped', input: `${'9'.repeat(60_000)}Ki`, expect: '9223372036854775807' },
    { name: 'a binary fraction', input: `0.${'9'.repeat(60_000)}Ki`, expect: '1Ki' },
  ])
    t.equal(canonicalQuantity(input), expect, name);
  t.ok(scaledValue(parseQuantity('1e2147483647')) > 10n ** 4000n, 'an exponent of millions has a value');
});

t.test('PEM blocks', async t => {
  const block = (type: string, body: string): string => `-----BEGIN ${type}-----\n${body}\n-----END ${type}-----\n`;
  const types = (text: string): string[] => pemBlocks(text).map(({ type }) => type);
  t.same(types(block('A', 'QQ==') + block('B', 'QUI=')), ['A', 'B']);
  t.same(types(`-----BEGIN A-----\n${block('B', 'QQ==')}`), ['B'], 'one without an end is passed over');
  t.same(types(`-----END A-----\n${block('A', 'QQ==')}`), ['A'], 'an end before its beginning');
  t.same(types('-----BEGIN A-----\n'.repeat(50_000)), [], 'beginnings alone');
  t.same(
    pemBlocks(block('A', 'X-Name: y\n\nQQ==')).map(b => [b.hasHeaders, b.bytes.toString()]),
    [[true, 'A']],
  );
});

t.test('references to variables', async t => {
  const env = { A: '1', B: '$&' };
  for (const [input, expect] of [
    ['$(A)-$(B)-$(C)', '1-$&-$(C)'],
    ['$$(A) $$', '$(A) $'],
    ['$(A) $(A', '1 $(A'],
    ['$($(A)', '$($(A)'],
    ['$', '$'],
  ] as const)
    t.equal(expandReferences(input, env), expect, input);
  t.equal(expandReferences('$('.repeat(50_000), env).length, 100_000, 'references that nothing closes');
});
