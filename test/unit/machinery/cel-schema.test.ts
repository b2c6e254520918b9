import t from 'tap';
import { maxCardinality, declare, type JsonSchema } from '../../../src/machinery/cel/adapt/declared.js';
import { escapeName } from '../../../src/machinery/cel/adapt/names.js';
import { declareSchema } from '../../../src/machinery/cel/adapt/schema.js';
import { compile } from '../../../src/machinery/cel/compile.js';
import { createEnvironment, extendEnvironment } from '../../../src/machinery/cel/environment.js';
import { KUBERNETES } from '../../../src/machinery/cel/libraries/kubernetes.js';
import { printValue } from '../../support/cel-print.js';

const base = createEnvironment({ libraries: KUBERNETES });

function evaluate(schema: JsonSchema, expr: string, self: unknown, isRoot = false, oldSelf = self): string {
  const declared = declareSchema(schema, { isRoot, name: 'Self' });
  if (declared === undefined) return 'no type';
  const environment = extendEnvironment(base, {
    variables: new Map([
      ['self', declared.type],
      ['oldSelf', declared.type],
    ]),
    provider: declared.provider,
  });
  const compiled = compile(expr, environment);
  if ('problems' in compiled) return compiled.problems.split('\n')[0] ?? '';
  return printValue(
    compiled.instantiate().run({ self: declared.value(self), oldSelf: declared.value(oldSelf) }, 1_000_000).value,
  );
}

const object = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({ type: 'object', properties });
const list = (items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: 'array', items, ...more });

t.test('data of a schema', t => {
  const keyed = list(object({ k: { type: 'string' }, v: { type: 'integer' } }), {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
  });
  const rows: readonly {
    readonly name: string;
    readonly input: readonly [JsonSchema, string, unknown, boolean?, unknown?];
    readonly expect: string;
  }[] = [
    { name: 'an integer is an int', input: [object({ a: { type: 'integer' } }), 'self.a', { a: 3 }], expect: 'int 3' },
    {
      name: 'a number is a double',
      input: [object({ a: { type: 'number' } }), 'self.a', { a: 3 }],
      expect: 'double 3',
    },
    {
      name: 'null of what is nullable is absent',
      input: [object({ a: { type: 'integer', nullable: true } }), 'has(self.a)', { a: null }],
      expect: 'bool false',
    },
    {
      name: 'null in a list stays',
      input: [list({ type: 'integer', nullable: true }), 'self.all(x, dyn(x) == null)', [null]],
      expect: 'bool true',
    },
    {
      name: 'null of what is not nullable is refused',
      input: [list({ type: 'integer' }), 'self[0] == 1', [null]],
      expect: 'invalid data, got null for schema with nullable=false',
    },
    {
      name: 'a reserved word is escaped',
      input: [object({ namespace: { type: 'string' } }), 'self.__namespace__ + self.namespace', { namespace: 'a' }],
      expect: 'string "aa"',
    },
    {
      name: 'a name with a dash is escaped',
      input: [object({ 'a-b': { type: 'string' } }), 'self.a__dash__b', { 'a-b': 'x' }],
      expect: 'string "x"',
    },
    {
      name: 'what no schema knows has no name',
      input: [object({ a: { type: 'string' } }), 'self.b', { b: 1 }],
      expect: "ERROR: <input>:1:5: undefined field 'b'",
    },
    {
      name: 'names of a prototype are no properties',
      input: [{ type: 'object', additionalProperties: { type: 'string' } }, "'constructor' in self", {}],
      expect: 'bool false',
    },
    {
      name: 'a resource has a name',
      input: [object({ a: { type: 'string' } }), 'self.metadata.name', { metadata: { name: 'x' } }, true],
      expect: 'string "x"',
    },
    {
      name: 'int or string',
      input: [object({ a: { 'x-kubernetes-int-or-string': true } }), "self.a == '5' || self.a == 5", { a: 5 }],
      expect: 'bool true',
    },
    {
      name: 'a duration',
      input: [object({ a: { type: 'string', format: 'duration' } }), 'self.a.getMinutes()', { a: '2 hours' }],
      expect: 'int 120',
    },
    {
      name: 'a time',
      input: [object({ a: { type: 'string', format: 'date-time' } }), 'self.a', { a: '2020-01-02T03:04:05.5+01:00' }],
      expect: 'timestamp 2020-01-02T03:04:05.5+01:00',
    },
    {
      name: 'a date',
      input: [object({ a: { type: 'string', format: 'date' } }), 'self.a', { a: '2020-01-02' }],
      expect: 'timestamp 2020-01-02T00:00:00Z',
    },
    {
      name: 'bytes',
      input: [object({ a: { type: 'string', format: 'byte' } }), 'self.a', { a: '_-8=' }],
      expect: 'bytes ffef',
    },
    {
      name: 'a set has no order',
      input: [
        list({ type: 'string' }, { 'x-kubernetes-list-type': 'set' }),
        "self == ['b', 'a'] && self + ['b', 'c'] == ['a', 'b', 'c']",
        ['a', 'b'],
      ],
      expect: 'bool true',
    },
    {
      name: 'a list of keys has no order',
      input: [
        keyed,
        'self == oldSelf',
        [
          { k: 'x', v: 1 },
          { k: 'y', v: 2 },
        ],
        false,
        [
          { k: 'y', v: 2 },
          { k: 'x', v: 1 },
        ],
      ],
      expect: 'bool true',
    },
    {
      name: 'lists of keys are merged',
      input: [
        keyed,
        '(self + oldSelf).map(e, e.v)',
        [
          { k: 'x', v: 1 },
          { k: 'y', v: 2 },
        ],
        false,
        [
          { k: 'x', v: 3 },
          { k: 'z', v: 4 },
        ],
      ],
      expect: 'list3[int 3, int 2, int 4]',
    },
    {
      name: 'a list of what is not told is not seen',
      input: [object({ a: list({ 'x-kubernetes-preserve-unknown-fields': true }) }), 'self.a', { a: [1] }],
      expect: "ERROR: <input>:1:5: undefined field 'a'",
    },
  ];
  for (const { name, input, expect } of rows) t.same(evaluate(...input), expect, name);
  t.end();
});

t.test('names as expressions write them', t => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['plain', 'plain'],
    ['in', '__in__'],
    ['a.b', 'a__dot__b'],
    ['a/b', 'a__slash__b'],
    ['a__b', 'a__underscores__b'],
    ['1a', undefined],
    ['a b', undefined],
    ['', undefined],
  ];
  for (const [name, expected] of rows) t.same(escapeName(name), expected, name);
  t.end();
});

t.test('how much there may be in a request', t => {
  const rows: readonly (readonly [string, JsonSchema, number, number])[] = [
    ['text', { type: 'string' }, 3_145_726, 1_048_576],
    ['text of so many characters', { type: 'string', maxLength: 10 }, 40, 1_048_576],
    ['one of', { type: 'string', enum: ['a', 'bcd'] }, 3, 1_048_576],
    ['a list', list({ type: 'integer' }), 1_572_863, 1_048_576],
    ['a list of so many', list({ type: 'integer' }, { maxItems: 7 }), 7, 1_048_576],
    ['a map', { type: 'object', additionalProperties: { type: 'boolean' } }, 314_572, 1_048_576],
    ['required properties', { ...object({ abc: { type: 'string' } }), required: ['abc'] }, 0, 262_144],
  ];
  for (const [name, schema, elements, cardinality] of rows) {
    const declared = declare(schema, 'Self', false);
    t.same(declared?.maxElements, elements, name);
    t.same(declared === undefined ? 0 : maxCardinality(declared), cardinality, `${name}: cardinality`);
  }
  t.end();
});
