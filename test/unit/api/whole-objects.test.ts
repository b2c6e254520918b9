import t from 'tap';
import { cloneJson, jsonEqual } from '../../../src/machinery/json-equal.js';
import { newPace } from '../../../src/machinery/pace.js';
import { atOnce } from '../../../src/machinery/steps.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { columnsOf } from '../../../src/api/columns.js';
import { isCanonicalStruct } from '../../../src/api/codec/is-canonical.js';
import { loadApi } from '../../../src/api/load.js';
import { readMetadata } from '../../../src/api/structural/embedded.js';
import type { JsonSchemaProps } from '../../../src/api/structural/json-schema-props.js';
import { createQuickCheck } from '../../../src/api/structural/quick-check.js';
import { structural } from '../../../src/api/structural/structural.js';
import { createValueValidator } from '../../../src/api/structural/validator.js';

const objectMeta = loadApi().type('meta.v1.ObjectMeta');
if (objectMeta === undefined) throw new Error('no ObjectMeta');

const string: JsonSchemaProps = { type: 'string' };
const object = (properties: Record<string, JsonSchemaProps>, more: JsonSchemaProps = {}): JsonSchemaProps => ({
  type: 'object',
  properties,
  ...more,
});

const SPEC = object({
  name: { type: 'string', default: 'dee' },
  opt: { type: 'string', nullable: true },
  list: { type: 'array', items: object({ a: string, b: { type: 'integer', default: 1 } }) },
  nulls: { type: 'array', items: { type: 'string', default: 'x' } },
  map: { type: 'object', additionalProperties: object({ a: string }) },
  any: { type: 'object', additionalProperties: true },
  open: object({ closed: object({ a: string }) }, { 'x-kubernetes-preserve-unknown-fields': true }),
  template: object({ spec: object({ a: string }) }, { 'x-kubernetes-embedded-resource': true }),
});
const schema = structural(() => object({ spec: SPEC, status: object({ ready: { type: 'boolean' } }) }), {
  group: 'example.org',
  version: 'v1',
  kind: 'Widget',
  columns: columnsOf([]),
  objectMeta,
});

const METADATA = {
  name: 'a',
  uid: '7d4ed4a7-3c2e-4d8a-9d2b-2f5d1cf4c2f0',
  resourceVersion: '7',
  generation: 1,
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels: { a: '' },
  ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
  managedFields: [{ manager: 'm', operation: 'Update', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:spec': {} } }],
};

const stored = (spec: unknown, metadata: object = METADATA, more: object = {}): KubeObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata,
  spec,
  ...more,
});

const template = (more: object): KubeObject =>
  stored({ name: 'n', template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { a: '' }, ...more } });

t.test('what reading would change is told from what it would not', async t => {
  const rows: { name: string; given: KubeObject; expect: boolean }[] = [
    { name: 'all is there', given: stored({ name: 'n', opt: null, list: [{ a: '', b: 0 }] }), expect: true },
    { name: 'members of a map', given: stored({ name: 'n', map: { x: { a: 'b' }, y: {} } }), expect: true },
    { name: 'a status', given: stored({ name: 'n' }, METADATA, { status: { ready: false } }), expect: true },
    { name: 'what is kept', given: stored({ name: 'n', open: { b: { c: null }, closed: {} } }), expect: true },
    { name: 'an embedded object', given: template({}), expect: true },
    { name: 'nothing', given: stored(undefined), expect: true },
    { name: 'a default is missing', given: stored({}), expect: false },
    { name: 'a default of an item is missing', given: stored({ name: 'n', list: [{ a: '' }] }), expect: false },
    { name: 'a null has a default', given: stored({ name: null }), expect: false },
    { name: 'a null in a list has a default', given: stored({ name: 'n', nulls: [null] }), expect: false },
    { name: 'a null may not be', given: stored({ name: 'n', list: null }), expect: false },
    { name: 'a member is unknown', given: stored({ name: 'n', extra: 1 }), expect: false },
    { name: 'one at the top is', given: stored({ name: 'n' }, METADATA, { extra: {} }), expect: false },
    { name: 'one of an item is', given: stored({ name: 'n', list: [{ b: 1, c: 1 }] }), expect: false },
    { name: 'one of any is', given: stored({ name: 'n', any: { a: { b: 1 } } }), expect: false },
    { name: 'a part is closed again', given: stored({ name: 'n', open: { closed: { b: 1 } } }), expect: false },
    { name: 'a very old object', given: stored({ name: 'n' }, { ...METADATA, generation: undefined }), expect: false },
    { name: 'metadata is unknown', given: stored({ name: 'n' }, { ...METADATA, extra: 1 }), expect: false },
    { name: 'a label is a number', given: stored({ name: 'n' }, { ...METADATA, labels: { a: 1 } }), expect: false },
    { name: 'an embedded kind is a number', given: template({ kind: 1 }), expect: false },
    { name: 'embedded metadata is unknown', given: template({ metadata: { extra: 1 } }), expect: false },
  ];
  for (const { name, given, expect } of rows) {
    t.equal(schema.isRestored?.(given), expect, name);
    const read = cloneJson(given);
    let changes = false;
    schema.restore?.(read);
    changes = !jsonEqual(read, given);
    t.equal(changes, !expect, `${name}: reading says the same`);
  }
});

t.test('metadata that is as Go writes it is told from other', async t => {
  const rows: { name: string; given: unknown; expect: boolean }[] = [
    { name: 'in form', given: METADATA, expect: true },
    { name: 'nothing', given: {}, expect: true },
    { name: 'an empty list', given: { finalizers: [] }, expect: false },
    { name: 'an empty map', given: { labels: {} }, expect: false },
    { name: 'an empty text', given: { generateName: '' }, expect: false },
    { name: 'a zero', given: { generation: 0 }, expect: false },
    { name: 'a zero behind a pointer', given: { deletionGracePeriodSeconds: 0 }, expect: true },
    { name: 'null', given: { labels: null }, expect: false },
    { name: 'a null label', given: { labels: { a: null } }, expect: false },
    { name: 'half a pair', given: { labels: { a: '\ud800' } }, expect: false },
    { name: 'an owner without a kind', given: { ownerReferences: [{ name: 'a' }] }, expect: false },
    { name: 'another spelling', given: { creationTimestamp: '2026-01-01T01:00:00+01:00' }, expect: false },
  ];
  for (const { name, given, expect } of rows) {
    t.equal(isCanonicalStruct(given, objectMeta), expect, name);
    const { metadata, unknown } = atOnce(readMetadata(given, objectMeta));
    t.equal(unknown.length === 0 && jsonEqual(metadata, given), expect, `${name}: reading says the same`);
  }
  for (const given of [{ generation: 'a' }, { creationTimestamp: 'now' }, { labels: { a: 1 } }, [], 'a'])
    t.equal(isCanonicalStruct(given, objectMeta), false, JSON.stringify(given));
});

const SCHEMAS: readonly JsonSchemaProps[] = [
  {},
  string,
  { type: 'string', nullable: true },
  { type: 'string', minLength: 2, maxLength: 3 },
  { type: 'string', pattern: '^[a-z]+$' },
  { type: 'string', pattern: '(' },
  { type: 'string', format: 'date' },
  { format: 'date' },
  { type: 'string', enum: ['a', 'b'] },
  { type: 'string', nullable: true, enum: ['a', 'b'] },
  { type: 'integer', minimum: 1, maximum: 3 },
  { type: 'integer', minimum: 1, exclusiveMinimum: true },
  { type: 'number', maximum: 1.5 },
  { type: 'number', minimum: 0.5 },
  { type: 'integer', multipleOf: 2 },
  { type: 'boolean' },
  { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
  { allOf: [{ maxLength: 2 }], anyOf: [{ minimum: 2 }, { pattern: 'b' }] },
  { oneOf: [string, { type: 'integer' }] },
  { not: string },
  { type: 'array', minItems: 1, maxItems: 2, items: { type: 'integer' } },
  { type: 'array', uniqueItems: true },
  { type: 'object', minProperties: 1, maxProperties: 2 },
  { type: 'object', additionalProperties: { type: 'integer' } },
  { type: 'object', additionalProperties: false, properties: { a: string } },
  object({ a: string, constructor: string }, { required: ['a'] }),
];
const VALUES: readonly unknown[] = [
  ...[null, '', 'a', 'b', 'ab', 'abcd', 'A', '\u{1f600}', '2026-01-01', '2026-13-01', 'x'.repeat(200_000)],
  ...[0, -1, 1, 2, 3, 4, 0.5, 1.5, 2 ** 53, 1e300, true, false],
  ...[[], [1], [1, 1], ['a'], [null], [1, 2, 3], [{}]],
  ...[{}, { a: 'a' }, { a: 1 }, { a: null }, { b: 1 }, { a: 'a', b: 2 }, { a: 1, b: 2, c: 3 }, { constructor: 'a' }],
];

t.test('what is quickly found valid is valid', async t => {
  const passed = new Set<JsonSchemaProps>();
  for (const props of SCHEMAS) {
    const isValid = createQuickCheck(props);
    const validator = createValueValidator(props);
    for (const value of VALUES) {
      if (!isValid(value)) continue;
      passed.add(props);
      const { problems } = atOnce(validator.check(value, '', undefined, newPace()));
      const texts = [...problems].map(({ text }) => text);
      t.same(texts, [], `${JSON.stringify(props)}: ${JSON.stringify(value).slice(0, 100)}`);
    }
  }
  const unknown = SCHEMAS.filter(props => !passed.has(props));
  const given = [{ pattern: '(' }, { multipleOf: 2 }, { oneOf: [] }, { not: {} }, { uniqueItems: true }];
  const names = given.map(one => Object.keys(one)[0] as string);
  for (const props of unknown)
    t.ok(
      names.some(name => name in props) || props.format === 'date',
      `${JSON.stringify(props)} is known to nobody quickly`,
    );
});

t.test('what takes long is not looked at in one go', async t => {
  const isItem = createQuickCheck({ type: 'array', items: { type: 'integer' } });
  t.equal(isItem(new Array(5_000).fill(1)), true);
  t.equal(isItem(new Array(50_000).fill(1)), false);
  const isText = createQuickCheck({ type: 'string', pattern: '^(a|b){50}$' });
  t.equal(isText('ab'.repeat(25)), true);
  t.equal(isText(`${'ab'.repeat(50_000)}`), false);
});
