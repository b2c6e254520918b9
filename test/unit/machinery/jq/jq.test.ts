import t from 'tap';
import { runJq } from '../../../../src/machinery/jq/run.js';
import { parseJq } from '../../../../src/machinery/jq/syntax.js';

const POD = {
  metadata: { labels: { 'a.b/c': 'true' }, ownerReferences: [{ kind: 'Job' }], finalizers: ['x', 'y'] },
  status: {
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Initialized', status: 'False' },
    ],
    restarts: 3,
  },
};

const ROWS: readonly { expression: string; expect: unknown[] | undefined }[] = [
  { expression: '.', expect: [POD] },
  { expression: '.status.phase', expect: ['Running'] },
  { expression: '.metadata.deletionTimestamp', expect: [null] },
  { expression: '.metadata.labels["a.b/c"]', expect: ['true'] },
  { expression: '.metadata.labels."a.b/c"', expect: ['true'] },
  { expression: '.["status"].phase', expect: ['Running'] },
  { expression: '.status.conditions.[].type', expect: ['Ready', 'Initialized'] },
  { expression: '.status.conditions[].type', expect: ['Ready', 'Initialized'] },
  { expression: '.status.conditions[1].type', expect: ['Initialized'] },
  { expression: '.status.conditions.[] | select( .type == "Ready" ) | .status', expect: ['True'] },
  { expression: '.status.conditions.[] | select(.type == "Other") | .status', expect: [] },
  { expression: '.metadata.ownerReferences.[].kind', expect: ['Job'] },
  { expression: '.spec.containers.[]', expect: undefined },
  { expression: '.spec.containers.[]?', expect: [] },
  { expression: '.spec.containers.[]?, 1', expect: [1] },
  { expression: '.status.phase[0]', expect: undefined },
  { expression: '.status.restarts >= 3 and .status.phase != "Pending"', expect: [true] },
  { expression: '.spec.x // "none"', expect: ['none'] },
  { expression: '.metadata.finalizers | length', expect: [2] },
  { expression: '.metadata.finalizers | any(. == "y")', expect: [true] },
  { expression: '.metadata.finalizers | map(startswith("x"))', expect: [[true, false]] },
  { expression: '.metadata | has("labels"), (.labels | keys)', expect: [true, ['a.b/c']] },
  { expression: '.status.restarts | tostring | tonumber', expect: [3] },
  { expression: '(.status.phase == "Running" | not) or true', expect: [true] },
  { expression: '.metadata.constructor', expect: [null] },
];

t.test('expressions', async t => {
  for (const { expression, expect } of ROWS) t.same(runJq(parseJq(expression), POD), expect, expression);
});

t.test('what is not read', async t => {
  const rows: readonly [string, string][] = [
    ['', 'unexpected its end'],
    ['.a |', 'unexpected its end'],
    ['.a + 1', 'unexpected "+ 1"'],
    ['. as $x | $x', 'unexpected "$x | $x"'],
    [
      '.a | test("x")',
      'the function "test" is not supported, only select, map, any, all, has, startswith, endswith, not, length, keys, empty, tostring, tonumber',
    ],
    ['.a[1:2]', 'unexpected ":2]"'],
    ['.a["b"', 'unexpected its end'],
    ['{a: 1}', 'unexpected "{a: 1}"'],
    ['.a & .b', 'unexpected "& .b"'],
    ['('.repeat(60), 'nested too deep'],
    [`.${'a'.repeat(5000)}`, 'longer than 4096 characters'],
  ];
  for (const [text, message] of rows)
    t.throws(() => parseJq(text), { name: 'JqSyntaxError', message }, text.slice(0, 20));
});

t.test('what takes too long gives nothing', async t => {
  const list = Array.from({ length: 1000 }, (_, i) => i);
  t.equal(runJq(parseJq('select(.[] < .[])'), list), undefined);
  t.equal(runJq(parseJq('map(.)|.[]|.'), list)?.length, 1000);
});
