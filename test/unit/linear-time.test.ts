import t from 'tap';
import { createRepeatCheck } from '../../src/machinery/repeats.js';
import { atOnce } from '../../src/machinery/steps.js';
import { deduplicate } from '../../src/machinery/strategic-order.js';
import { parseQuantity, scaledValue } from '../../src/machinery/quantity.js';
import { canonicalQuantity } from '../../src/machinery/quantity-format.js';
import { pemBlocks } from '../../src/machinery/x509/certificate-request.js';
import { expandReferences } from '../../src/nodeagent/pods/environment.js';
import { errorList, errorsOf, invalid, MAX_FIELD_ERRORS, path } from '../../src/machinery/field-error.js';
import { invalidError } from '../../src/machinery/status.js';
import { overlappingPaths } from '../../src/kinds/core/pod/path-overlaps.js';
import { portWarnings, type PlacedPort } from '../../src/kinds/core/pod/port-warnings.js';
import { storageClassStrategy } from '../../src/kinds/storage/storage-class.js';
import type { RequestContext, ValidationContext } from '../../src/api/strategy.js';
import type { AdmissionRequest } from '../../src/server/admission/types.js';
import { checkResourceRequirements } from '../../src/kinds/core/pod/validation/resources.js';
import { unifiedDiff } from '../../src/kinds/validation/spec-diff.js';
import { limitRanger } from '../../src/server/admission/limit-ranger.js';

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
    lists.filter(list => JSON.stringify(atOnce(deduplicate(list))) !== JSON.stringify(plain(list))),
    [],
  );
});

t.test('a port clashes with those that comparing each with each finds', async t => {
  const hosts = [undefined, 1, 2].flatMap(hostPort =>
    [undefined, 'a', 'b'].map(hostIP => ({ ...(hostPort && { hostPort }), ...(hostIP && { hostIP }) })),
  );
  const ports: PlacedPort[] = [...hosts, ...hosts.reverse(), ...hosts].flatMap((host, i) =>
    [1, 2].map(containerPort => ({ at: `${i}/${containerPort}`, port: { containerPort, ...host } })),
  );
  const plain = ports.flatMap((now, i) =>
    ports.slice(0, i).flatMap(before => {
      const warnings = portWarnings([before, now]).filter(text => text.includes('port definition with'));
      return warnings;
    }),
  );
  t.same(
    portWarnings(ports).filter(text => text.includes('port definition with')),
    plain,
  );
  t.ok(plain.length > 100);
});

t.test('of terms of topology every pair of equal ones is an error', async t => {
  const expression = (key: string, ...values: string[]) => ({ key, values });
  const terms = [
    [expression('a', '1', '2'), expression('b', '3')],
    [expression('b', '3'), expression('a', '2', '1')],
    [expression('a', '1')],
    [],
    [expression('a', '2', '1'), expression('b', '3')],
  ];
  const object = {
    metadata: { name: 'n' },
    provisioner: 'p',
    volumeBindingMode: 'Immediate',
    allowedTopologies: terms.map(matchLabelExpressions => ({ matchLabelExpressions })),
  };
  const errors = storageClassStrategy.validate?.({} as ValidationContext, object) ?? [];
  const at = (i: number): string => `allowedTopologies[${i}].matchLabelExpressions`;
  t.same(
    errors.map(error => error.field),
    // An empty one is equal to as many as there are.
    [at(1), ...terms.map(() => at(3)), at(4), at(4)],
  );
});

t.test('a claim as a whole is a duplicate of each of its requests', async t => {
  const out = errorList();
  const claims = [
    { name: 'a', request: 'x' },
    { name: 'b' },
    { name: 'a', request: 'y' },
    { name: 'a' },
    { name: 'a' },
  ];
  checkResourceRequirements(out, path('resources'), { claims });
  t.same(
    out.filter(error => error.type === 'FieldValueDuplicate').map(({ field }) => field),
    ['resources.claims[3]', 'resources.claims[3]', 'resources.claims[4]'],
  );
});

t.test('a list of errors ends, and its answer says so', async t => {
  const errors = errorsOf(() => {
    const out = errorList();
    for (let i = 0; i <= MAX_FIELD_ERRORS; i++) out.push(invalid(`at[${i}]`, i, 'no'));
    return out;
  });
  t.equal(errors.length, MAX_FIELD_ERRORS);
  const { message = '', details } = invalidError({ group: '', kind: 'Thing' }, 'n', errors).status;
  t.match(message, /at\[9999\]: Invalid value: 9999: no, and more errors\]$/);
  t.equal(details?.causes?.length, MAX_FIELD_ERRORS);
  t.throws(() => errorsOf(() => JSON.parse('{') as []), SyntaxError, 'another error goes on');
});

t.test('one error that shows megabytes says that there is more', async t => {
  const { message = '', details } = invalidError({ group: '', kind: 'Thing' }, 'n', [
    invalid('at', 'x'.repeat(3_000_000), 'no'),
    invalid('other', 1, 'no'),
  ]).status;
  const [shown = '', other] = details?.causes?.map(cause => cause.message ?? '') ?? [];
  t.ok(shown.length < 1_100_000);
  t.match(shown.slice(-50), /^x+\.\.\. \(\d+ more characters\)$/);
  t.equal(other, 'Invalid value: 1: no');
  t.ok(message.length < 1_200_000);
});

t.test('defaults of a LimitRange for more amounts than can be stored are refused before anything is set', async t => {
  const amounts = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`a${i}`, '1']));
  const range = { metadata: {}, spec: { limits: [{ type: 'Container', default: amounts }] } };
  const containers = Array.from({ length: 1_000 }, (_, i) => ({ name: `c${i}` }));
  const ctx = { objects: { list: () => [range] } } as unknown as RequestContext;
  const admit = (object: object): unknown =>
    limitRanger.admit?.(ctx, {
      operation: 'CREATE',
      subresource: '',
      key: { namespace: 'ns', name: 'p' },
      resource: { group: '', version: 'v1', plural: 'pods', kind: 'Pod' },
      object,
    } as unknown as AdmissionRequest);
  t.throws(() => admit({ metadata: {}, spec: { containers } }), { message: 'etcdserver: request is too large' });
  t.same(containers[0], { name: 'c0' });
  const few = { metadata: {}, spec: { containers: containers.slice(0, 100) } };
  admit(few);
  t.same(few.spec.containers[99], { name: 'c99', resources: { limits: amounts } });
});

t.test('a diff of texts that differ all over is one still', async t => {
  const lines = (step: number): string[] => Array.from({ length: 20_000 }, (_, i) => `line ${(i * step) % 199}`);
  const [a, b] = [lines(1), lines(7)];
  const shown = unifiedDiff(a.join('\n'), b.join('\n')).split('\n').slice(0, -1);
  // All of both is within the hunks but what both begin or end with.
  const side = (sign: string): string[] => shown.filter(l => l[0] === sign || l[0] === ' ').map(l => l.slice(1));
  t.ok(a.join('\n').includes(side('-').join('\n')));
  t.ok(b.join('\n').includes(side('+').join('\n')));
  t.ok(shown.length > 20_000);
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
