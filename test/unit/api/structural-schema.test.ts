import t from 'tap';
import { formatFieldError } from '../../../src/machinery/field-error.js';
import { isStatusError } from '../../../src/machinery/status.js';
import { atOnce } from '../../../src/machinery/steps.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { columnsOf } from '../../../src/api/columns.js';
import type { KindSchema } from '../../../src/api/kind-schema.js';
import { loadApi } from '../../../src/api/load.js';
import type { JsonSchemaProps } from '../../../src/api/structural/json-schema-props.js';
import { structural } from '../../../src/api/structural/structural.js';

const objectMeta = loadApi().type('meta.v1.ObjectMeta');
if (objectMeta === undefined) throw new Error('no ObjectMeta');

const widget = (spec: Record<string, JsonSchemaProps>, more: Partial<JsonSchemaProps> = {}): KindSchema =>
  structural(
    () => ({ type: 'object', properties: { spec: { type: 'object', properties: spec }, ...more.properties } }),
    { group: 'example.org', version: 'v1', kind: 'Widget', columns: columnsOf([]), objectMeta },
  );

const body = (spec: unknown, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'a' }, spec, ...more }));

const decoded = (schema: KindSchema, spec: unknown, more?: object) =>
  atOnce(schema.decode(body(spec, more), 'application/json'));

const problems = (schema: KindSchema, spec: unknown, before?: unknown): string[] => {
  const objectOf = (value: unknown): KubeObject => decoded(schema, value).object;
  const old = before === undefined ? undefined : objectOf(before);
  if (schema.validate === undefined) throw new Error('it has rules');
  const write = { subresource: '', partly: false, object: objectOf(spec), old };
  return atOnce(schema.validate(write, () => undefined)).map(formatFieldError);
};

const string: JsonSchemaProps = { type: 'string' };
const integer: JsonSchemaProps = { type: 'integer' };

t.test('what the schema does not know is pruned and named, nulls and zeros stay where they may', async t => {
  const schema = widget({
    size: integer,
    on: { type: 'boolean' },
    name: { type: 'string', default: 'dee' },
    tags: { type: 'array', items: string },
    opt: { type: 'string', nullable: true },
    any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    map: { type: 'object', additionalProperties: integer },
  });
  const sent = { size: 0, on: false, tags: null, opt: null, name: null, extra: 1, any: { z: 0, n: null } };
  const { object, strictProblems } = decoded(schema, { ...sent, map: { b: 0, a: null } }, { zeta: 1 });
  t.same(strictProblems, ['unknown field "spec.extra"', 'unknown field "zeta"']);
  const wanted = { any: { n: null, z: 0 }, map: { b: 0 }, name: 'dee', on: false, opt: null, size: 0 };
  t.equal(JSON.stringify(object['spec']), JSON.stringify(wanted), 'members are in order');
});

t.test('a preserving part may close again', async t => {
  const closed: JsonSchemaProps = { type: 'object', properties: { a: string } };
  const schema = widget({
    open: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { closed, list: { type: 'array', items: closed } },
    },
  });
  const { object, strictProblems } = decoded(schema, {
    open: { x: { y: 1 }, closed: { a: '1', b: 2 }, list: [{ b: 1 }] },
  });
  t.same(object['spec'], { open: { x: { y: 1 }, closed: { a: '1' }, list: [{}] } });
  t.same(strictProblems, ['unknown field "spec.open.closed.b"', 'unknown field "spec.open.list[0].b"']);
});

t.test('defaults are filled in from the outside to the inside', async t => {
  const schema = widget({
    o: { type: 'object', default: {}, properties: { a: { type: 'integer', default: 1 }, b: string } },
    l: { type: 'array', items: { type: 'object', properties: { c: { type: 'string', default: 'x' } } } },
  });
  t.same(decoded(schema, { l: [{}, { c: 'y' }] }).object['spec'], { o: { a: 1 }, l: [{ c: 'x' }, { c: 'y' }] });
  const stored = decoded(schema, {}).object;
  stored['spec'] = { gone: 1 };
  schema.restore?.(stored);
  t.same(stored['spec'], { o: { a: 1 } }, 'what is stored is read as the schema is now');
});

t.test('values are refused in upstream’s words', async t => {
  const schema = widget({
    i: integer,
    s: { type: 'string', minLength: 2, maxLength: 3, pattern: '^[a-z]+$' },
    e: { type: 'integer', enum: [1, 2] },
    n: { type: 'number', minimum: -1.5, multipleOf: 0.25 },
    x: { type: 'integer', maximum: 8, exclusiveMaximum: true },
    l: { type: 'array', items: string, maxItems: 2, minItems: 1 },
    f: { type: 'string', format: 'date-time' },
    q: { 'x-kubernetes-int-or-string': true },
    r: { type: 'object', required: ['a'], properties: { a: string } },
    z: { type: 'array', items: { type: 'string', nullable: true } },
    y: { type: 'array', items: string },
  });
  for (const [spec, ...wanted] of [
    [{ i: 'x' }, 'spec.i: Invalid value: "string": spec.i in body must be of type integer: "string"'],
    [{ i: 1.5 }, 'spec.i: Invalid value: "number": spec.i in body must be of type integer: "number"'],
    [{ s: 'a' }, 'spec.s: Invalid value: "a": spec.s in body should be at least 2 chars long'],
    [{ s: 'abcd' }, 'spec.s: Too long: may not be more than 3 bytes'],
    [{ s: 'AB' }, `spec.s: Invalid value: "AB": spec.s in body should match '^[a-z]+$'`],
    [{ e: 3 }, 'spec.e: Unsupported value: 3: supported values: "1", "2"'],
    [
      { n: -1.6 },
      'spec.n: Invalid value: -1.6: spec.n in body should be a multiple of 0.25',
      'spec.n: Invalid value: -1.6: spec.n in body should be greater than or equal to -1.5',
    ],
    [{ x: 8 }, 'spec.x: Invalid value: 8: spec.x in body should be less than 8'],
    [{ l: [] }, 'spec.l: Invalid value: 0: spec.l in body should have at least 1 items'],
    [{ l: ['a', 'b', 'c'] }, 'spec.l: Too many: 3: must have at most 2 items'],
    [
      { f: '2020-01-01' },
      'spec.f: Invalid value: "2020-01-01": spec.f in body must be of type date-time: "2020-01-01"',
    ],
    [{ q: true }, 'spec.q: Invalid value: "boolean": spec.q in body must be of type integer,string: "boolean"'],
    [{ r: {} }, 'spec.r.a: Required value'],
    [{ z: [null] }],
    [{ y: [null] }, 'spec.y[0]: Invalid value: "null": spec.y[0] in body must be of type string: "null"'],
  ] as const)
    t.same(problems(schema, spec), wanted, JSON.stringify(spec));
});

t.test('of alternatives the one that came closest tells what is wrong', async t => {
  const schema = widget({
    any: { type: 'string', anyOf: [{ pattern: '^a' }, { pattern: '^b' }] },
    one: { type: 'object', properties: { a: string, b: string }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    all: { type: 'integer', allOf: [{ minimum: 3 }, { multipleOf: 2 }] },
    not: { type: 'string', not: { enum: ['no'] } },
  });
  t.same(problems(schema, { any: 'cd' }), [
    '<nil>: Invalid value: "": "spec.any" must validate at least one schema (anyOf)',
    `spec.any: Invalid value: "cd": spec.any in body should match '^a'`,
  ]);
  t.same(problems(schema, { one: { a: '', b: '' } }), [
    '<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ]);
  t.same(problems(schema, { all: 5 }), [
    'spec.all: Invalid value: 5: spec.all in body should be a multiple of 2',
    '<nil>: Invalid value: "": "spec.all" must validate all the schemas (allOf)',
  ]);
  t.same(problems(schema, { not: 'no' }), ['<nil>: Invalid value: "": "spec.not" must not validate the schema (not)']);
});

t.test('sets and lists with keys repeat nothing', async t => {
  const schema = widget({
    s: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
    m: {
      type: 'array',
      items: { type: 'object', properties: { k: string, v: { type: 'string', pattern: '^[a-z]+$' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
    },
  });
  t.same(problems(schema, { s: ['a', 'b', 'a', 'a'] }), ['spec.s[2]: Duplicate value: "a"']);
  t.same(problems(schema, { m: [{ k: 'a' }, { k: 'a' }] }), ['spec.m[1]: Duplicate value: {"k":"a"}']);
  t.same(problems(schema, { s: ['a', 'a', 'b'] }, { s: ['a', 'a'] }), [], 'what repeated before may go on');
  const bad = { k: 'x', v: 'Bad' };
  const text = `Invalid value: "Bad": spec.m[1].v in body should match '^[a-z]+$'`;
  t.same(problems(schema, { m: [{ k: 'y' }, bad] }, { m: [bad] }), [], 'what has not changed may be wrong');
  t.same(problems(schema, { m: [{ k: 'y' }, bad] }, { m: [{ ...bad, v: 'Worse' }] }), [`spec.m[1].v: ${text}`]);
});

t.test('a key that an item leaves out is not found in what every object has', async t => {
  const keyed = (...keys: readonly string[]): KindSchema =>
    widget({
      m: {
        type: 'array',
        items: { type: 'object', properties: Object.fromEntries([...keys, 'v'].map(key => [key, string])) },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': [...keys],
      },
    });
  for (const name of ['constructor', '__proto__']) {
    t.same(problems(keyed(name), { m: [{ v: 'a' }, { v: 'b' }] }), ['spec.m[1]: Duplicate value: {}'], name);
    const two = problems(keyed('k', name), { m: [{ k: 'a' }, { k: 'a' }] });
    t.same(two, ['spec.m[1]: Duplicate value: {"k":"a"}'], `k and ${name}`);
  }
});

t.test('embedded objects have metadata of their own', async t => {
  const schema = widget({
    t: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
  });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', foo: 1, creationTimestamp: null },
    spec: { x: 1 },
  };
  const { object, strictProblems } = decoded(schema, { t: pod });
  t.same(object['spec'], { t: { ...pod, metadata: { name: 'p' } } });
  t.same(strictProblems, ['unknown field "spec.t.metadata.foo"']);
  t.same(problems(schema, { t: { apiVersion: 'a/b/c' } }), [
    'spec.t.kind: Required value',
    'spec.t.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
  ]);
  t.throws(() => decoded(schema, { t: { ...pod, metadata: { labels: { a: 1 } } } }), {
    message:
      'Widget in version "v1" cannot be handled as a Widget: spec.t.metadata: Invalid value: {"labels":{"a":1}}: ' +
      'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  });
});

t.test('bodies that are no widgets are refused', async t => {
  const schema = widget({});
  for (const [text, wanted] of [
    ['{', /json parse error: unexpected end of JSON input/],
    ['[]', /cannot unmarshal array into Go value of type struct/],
    ['{"apiVersion":"example.org/v1"}', /Object 'Kind' is missing in '\{"apiVersion":"example.org\/v1"\}'/],
    ['{"kind":"Widget","apiVersion":"v2"}', /the API version in the data \(v2\) does not match/],
  ] as const)
    try {
      atOnce(schema.decode(Buffer.from(text), 'application/json'));
      t.fail(`${text} was taken`);
    } catch (error) {
      t.match(isStatusError(error) ? error.message : error, wanted);
    }
});

t.test('a big body rests between its steps, and is the same', async t => {
  const schema = widget({ l: { type: 'array', items: { type: 'object', properties: { a: integer } } } });
  const l = Array.from({ length: 20_000 }, (_, a) => ({ a, b: 1 }));
  const steps = schema.decode(body({ l }), 'application/json');
  let rests = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) rests++;
  t.ok(rests > 40, `${rests} rests`);
  t.same(step.value.object['spec'], { l: l.map(({ a }) => ({ a })) });
  t.equal(step.value.strictProblems.length, 20_000);
});
