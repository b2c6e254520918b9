import t from 'tap';
import {
  formatDuration,
  humanAge,
  humanDuration,
  parseDuration,
  shortHumanDuration,
} from '../../../src/machinery/duration.js';
import { formatGo, formatGoStrings, formatGoSyntax, goLength, quote } from '../../../src/machinery/go-text.js';
import { cloneJson, deepFreeze, jsonEqual, semanticEqual } from '../../../src/machinery/json-equal.js';
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  QUANTITY_FORMAT_ERROR,
  QUANTITY_NUMERIC_ERROR,
  QUANTITY_SUFFIX_ERROR,
  scaledValue,
  subtractQuantities,
} from '../../../src/machinery/quantity.js';
import { canonicalQuantity, formatQuantity } from '../../../src/machinery/quantity-format.js';

t.test('a quantity is printed in its canonical form', t => {
  const cases: [input: string | number, expect: string | undefined][] = [
    ['0', '0'],
    ['1000m', '1'],
    ['0.5', '500m'],
    [0.5, '500m'],
    [2, '2'],
    ['100', '100'],
    ['1000', '1k'],
    ['100000', '100k'],
    ['1024Mi', '1Gi'],
    ['1025Ki', '1025Ki'],
    ['1000Ki', '1000Ki'],
    ['1.5Gi', '1536Mi'],
    ['0.1Ki', '102400m'],
    ['512', '512'],
    ['1e9', '1e9'],
    ['5e3', '5e3'],
    ['1E', '1E'],
    ['0.001', '1m'],
    ['1e-10', '1e-9'],
    ['100Ei', '9223372036854775807'],
    ['123456789012345678901', '123456789012345678901'],
    ['1.100', '1.100'],
    ['+5', '+5'],
    [' 7 ', '7'],
    ['-1500m', '-1500m'],
    ['1e-2000000000', '1e-9'],
    ['abc', undefined],
    ['1x', undefined],
    ['12e', undefined],
    ['', undefined],
    ['1.2.3', undefined],
  ];
  for (const [input, expect] of cases) t.equal(canonicalQuantity(input), expect, JSON.stringify(input));
  t.throws(() => parseQuantity(''), { message: QUANTITY_FORMAT_ERROR });
  t.throws(() => parseQuantity('1ee3'), { message: QUANTITY_SUFFIX_ERROR });
  t.throws(() => parseQuantity('Pi'), { message: QUANTITY_NUMERIC_ERROR });
  t.end();
});

t.test('quantities are compared and added exactly', t => {
  const compare = (a: string, b: string): number => compareQuantities(parseQuantity(a), parseQuantity(b));
  t.equal(compare('1', '1000m'), 0);
  t.equal(compare('1Gi', '1G'), 1);
  t.equal(compare('-1', '1n'), -1);
  t.equal(compare('1e1000000', '1E'), 1, 'without building the number');
  t.equal(compare('-1e1000000', '-1E'), -1);
  const add = (a: string, b: string): string => formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));
  t.equal(add('1Gi', '512Mi'), '1536Mi');
  t.equal(add('100m', '0.4'), '500m');
  t.equal(add('0', '1Gi'), '1Gi', 'zero takes the format of the other');
  t.equal(formatQuantity(subtractQuantities(parseQuantity('1'), parseQuantity('1500m'))), '-500m');
  t.equal(scaledValue(parseQuantity('1.5')), 2n, 'rounded up');
  t.equal(scaledValue(parseQuantity('1.5'), -3), 1500n);
  t.equal(scaledValue(parseQuantity('2Ki')), 2048n);
  t.end();
});

t.test('durations', t => {
  const s = 1000;
  const m = 60 * s;
  const h = 60 * m;
  const d = 24 * h;
  const ages: [ms: number, human: string, short: string][] = [
    [-3 * s, '<invalid>', '<invalid>'],
    [-1 * s, '0s', '0s'],
    [0, '0s', '0s'],
    [119 * s, '119s', '1m'],
    [2 * m, '2m', '2m'],
    [5 * m + 30 * s, '5m30s', '5m'],
    [10 * m, '10m', '10m'],
    [179 * m, '179m', '2h'],
    [3 * h, '3h', '3h'],
    [7 * h + 5 * m, '7h5m', '7h'],
    [47 * h, '47h', '1d'],
    [2 * d, '2d', '2d'],
    [7 * d + 3 * h, '7d3h', '7d'],
    [729 * d, '729d', '1y'],
    [730 * d, '2y', '2y'],
    [800 * d, '2y70d', '2y'],
    [9 * 365 * d, '9y', '9y'],
  ];
  for (const [ms, human, short] of ages) {
    t.equal(humanDuration(ms), human);
    t.equal(shortHumanDuration(ms), short);
  }
  const now = Date.parse('2026-01-01T00:01:00Z');
  t.equal(humanAge('2026-01-01T00:00:00Z', now), '60s');
  t.equal(humanAge(undefined, now), '<unknown>');
  const texts: [text: string, ms: number | undefined, canonical: string][] = [
    ['1h30m', 5400 * s, '1h30m0s'],
    ['500ms', 500, '500ms'],
    ['1.5s', 1500, '1.5s'],
    ['0', 0, '0s'],
    ['-2m', -120 * s, '-2m0s'],
    ['1us', 0.001, '1µs'],
    ['3', undefined, ''],
    ['1d', undefined, ''],
    ['', undefined, ''],
  ];
  for (const [text, ms, canonical] of texts) {
    t.equal(parseDuration(text), ms, text);
    if (ms !== undefined) t.equal(formatDuration(ms), canonical, text);
  }
  t.end();
});

t.test('equality and copies of JSON', t => {
  const cases: [a: unknown, b: unknown, equal: boolean, semantic: boolean][] = [
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true, true],
    [{ a: 1, b: undefined }, { a: 1 }, true, true],
    [{ a: 1 }, { a: 1, b: null }, false, true],
    [{ a: [] }, {}, false, true],
    [{ a: {} }, { a: null }, false, true],
    [[], {}, false, true],
    [[1, 2], [2, 1], false, false],
    [{ a: 0 }, {}, false, false],
    [{ a: '' }, {}, false, false],
    [null, undefined, false, true],
    [{ toString: 1 }, {}, false, false],
  ];
  for (const [a, b, equal, semantic] of cases) {
    t.equal(jsonEqual(a, b), equal, JSON.stringify([a, b]));
    t.equal(jsonEqual(b, a), equal, JSON.stringify([b, a]));
    t.equal(semanticEqual(a, b), semantic, `semantic ${JSON.stringify([a, b])}`);
  }
  const original = deepFreeze(JSON.parse('{"a":[{"b":1}],"__proto__":{"c":2}}') as Record<string, unknown>);
  const copy = cloneJson(original);
  t.equal(JSON.stringify(copy), '{"a":[{"b":1}],"__proto__":{"c":2}}');
  t.not(copy['a'], original['a']);
  t.notOk(Object.isFrozen(copy));
  t.equal(Object.getPrototypeOf(copy), Object.prototype);
  t.end();
});

t.test("Go's text forms", t => {
  t.equal(quote('a"b\\\n\u0001é\u200b'), '"a\\"b\\\\\\n\\x01é\\u200b"');
  t.equal(quote('\u0000😀\ud800'.repeat(3_000)), `"${'\\x00😀\\ud800'.repeat(3_000)}"`);
  t.equal(
    quote(`a${'\ud800'.repeat(3)}😀${'\n'.repeat(2_500)}b`),
    `"a${'\\ud800'.repeat(3)}😀${'\\n'.repeat(2_500)}b"`,
  );
  t.equal(quote('\ud800\ud800😀\ud800\ud800\udc00\udc00'), '"\\ud800\\ud800😀\\ud800𐀀\\udc00"');
  t.equal(quote('\ufeff\n\u00a0'), '"\\ufeff\\n\\u00a0"', 'what JavaScript takes for a blank is not printed');
  t.equal(quote('"'), '"\\""');
  t.equal(formatGo({ b: [1, 'x', null], a: { c: true } }), 'map[a:map[c:true] b:[1 x <nil>]]');
  t.equal(formatGoSyntax({ a: ['x', 1] }), 'map[string]interface {}{"a":[]interface {}{"x", 1}}');
  t.equal(formatGoStrings(['a', 'b']), '[]string{"a", "b"}');
  t.equal(goLength('aé'), 3);
  t.end();
});
