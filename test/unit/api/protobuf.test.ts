import t from 'tap';
import type { FieldType, StructType } from '../../../src/machinery/schema.js';
import { createCodec } from '../../../src/api/codec/create-codec.js';
import { decode } from '../../../src/api/codec/decode.js';
import { createProtobufAnswers } from '../../../src/api/codec/protobuf.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import { api, kind, JSON_TYPE, bytes, read, refusal } from '../../support/codec.js';

const protobuf = createProtobufAnswers(api);

/** An object with every field of a type filled in, a few levels deep. `zero`: with zero values instead. */
function sample(struct: StructType, zero: boolean, path: readonly StructType[] = []): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const field of struct.fields) {
    // TypeMeta is not part of the protobuf message.
    if (field.protobuf === undefined) continue;
    const union = /JSONSchemaProps(Or|Dep)|JSONSchemaDependencies/.test(field.goType ?? '');
    const value = union ? undefined : sampleValue(field.type, zero, [...path, struct]);
    if (value !== undefined) object[field.name] = value;
  }
  return object;
}

function sampleValue(type: FieldType, zero: boolean, path: readonly StructType[]): unknown {
  switch (type.kind) {
    case 'string':
      return zero ? '' : 'é text longer than a slice';
    case 'boolean':
      return !zero;
    case 'integer':
      return zero ? 0 : type.bits === 32 ? -7 : 2 ** 40 + 3;
    case 'number':
      return zero ? 0 : -1.5;
    case 'bytes':
      return zero ? '' : '/w==';
    case 'quantity':
      return zero ? '0' : '1500m';
    case 'intOrString':
      return zero ? 0 : '50%';
    case 'time':
      return '1969-12-31T23:59:59Z';
    case 'microTime':
      return '2026-01-01T00:00:00.000001Z';
    case 'any':
      return { a: [1, 'x', null] };
    case 'struct':
      return path.includes(type.struct) ? undefined : sample(type.struct, zero, path);
    case 'list':
    case 'map': {
      const item = sampleValue(type.kind === 'list' ? type.items : type.values, zero, path);
      if (item === undefined) return undefined;
      const twice = path.length < 4;
      if (type.kind === 'list') return twice ? [item, item] : [item];
      return twice ? { b: item, 'a/b': item } : { b: item };
    }
  }
}

t.test('every kind survives JSON and protobuf', async t => {
  const codec = createCodec(api);
  const catalog = createCatalog({}, api);
  for (const target of api.kinds) {
    for (const zero of [false, true]) {
      const name = `${target.group}/${target.version} ${target.kind}${zero ? ' of zeros' : ''}`;
      const apiVersion = target.group === '' ? target.version : `${target.group}/${target.version}`;
      const given = { kind: target.kind, apiVersion, ...sample(target.type, zero) };
      const { object, strictProblems } = decode(bytes(given), JSON_TYPE, target, api, { fieldValidation: 'Strict' });
      if (!zero) t.strictSame(object, given, `${name}: JSON`);
      t.strictSame(strictProblems, [], `${name}: nothing unknown`);
      const encoded = protobuf.object(object);
      if (encoded === undefined) {
        t.fail(`${name}: no protobuf form`);
        continue;
      }
      const back = decode(encoded, 'application/vnd.kubernetes.protobuf', target, api).object;
      if (target.kind !== 'WatchEvent') t.strictSame(back, object, `${name}: protobuf`);
      t.ok(protobuf.object(back)?.equals(encoded), `${name}: the same bytes again`);
    }
  }
  const entry = catalog.find('', 'v1', 'pods');
  const binding = entry?.info.subresources.find(sub => sub.name === 'eviction');
  if (entry === undefined || binding === undefined) return void t.fail('pods have no eviction');
  const eviction = codec.decode(bytes({ metadata: { name: 'p' } }), JSON_TYPE, entry, binding).object;
  t.strictSame(eviction, { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name: 'p' } });
});

t.test('protobuf on the wire', async t => {
  const PROTOBUF = 'application/vnd.kubernetes.protobuf';
  // A ConfigMap as client-go writes it: all plain fields of ObjectMeta are there, creationTimestamp empty.
  const configMap = Buffer.from(
    '6b3873000a0f0a0276311209436f6e6669674d617012230a110a0161120 01a002200 2a0032003800420012060a016b120176120 60a016c1201771a002200'.replaceAll(
      ' ',
      '',
    ),
    'hex',
  );
  const decoded = decode(configMap, PROTOBUF, kind('v1/ConfigMap'), api).object;
  t.strictSame(decoded, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, data: { k: 'v', l: 'w' } });
  t.ok(protobuf.object(decoded)?.equals(configMap), 'the same bytes again');
  const verbs = {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    metadata: {},
    resources: [{ name: 'a', verbs: ['get', 'list'] }],
  };
  const named = Buffer.concat([
    Buffer.from([0x22, 11, 0x0a, 3]),
    Buffer.from('get'),
    Buffer.from([0x0a, 4]),
    Buffer.from('list'),
  ]);
  t.ok(protobuf.object(verbs)?.includes(named), 'verbs are a message of their own');
  const CM = 'v1/ConfigMap';
  const unrecognized = (text: string): string =>
    `the object provided is unrecognized (must be of type ConfigMap): ${text}`;
  const cases: [body: Buffer, of: string, expect: string][] = [
    [Buffer.alloc(0), CM, unrecognized('empty data (<empty>)')],
    [Buffer.from('k8s\0'), CM, unrecognized('empty body (6b387300)')],
    [
      Buffer.from('abcd'),
      CM,
      unrecognized('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (61626364)'),
    ],
    [Buffer.from('k8s\0\xff\xff\xff\xff\xff', 'latin1'), CM, unrecognized('unexpected EOF (6b387300ffffffffff)')],
    [
      configMap,
      'v1/Secret',
      'ConfigMap in version "v1" cannot be handled as a Secret: converting (v1.ConfigMap) to (core.Secret): unknown conversion',
    ],
  ];
  for (const [body, of, expect] of cases) t.equal(refusal(body, of, PROTOBUF), expect);
  // Inside the raw object: the envelope before it takes 21 bytes, what follows it 4.
  for (let length = 22; length < configMap.length - 4; length++)
    t.not(refusal(configMap.subarray(0, length), CM, PROTOBUF), '', `cut at ${length} is refused`);
  const frame = protobuf.watchEvent('ADDED', decoded);
  t.equal(frame.readUInt32BE(), frame.length - 4, 'a watch frame begins with its length');
  t.equal(frame.subarray(4, 11).toString('latin1'), '\n\u0005ADDED', 'then the type');
  const crd = {
    kind: 'CustomResourceDefinition',
    apiVersion: 'apiextensions.k8s.io/v1',
    spec: {
      versions: [
        {
          name: 'v1',
          schema: {
            openAPIV3Schema: {
              type: 'object',
              additionalProperties: { type: 'string' },
              items: [{ type: 'string' }],
              additionalItems: false,
              dependencies: { a: ['b', 'c'], d: { type: 'object' } },
              properties: { p: { items: { type: 'integer' }, default: { x: 1 }, enum: ['a', 1], maximum: 1.5 } },
            },
          },
        },
      ],
    },
  };
  const target = kind('apiextensions.k8s.io/v1/CustomResourceDefinition');
  const object = read(crd, 'apiextensions.k8s.io/v1/CustomResourceDefinition', 'Strict').object;
  t.match(object, crd, 'a JSON schema keeps its unions');
  const encoded = protobuf.object(object);
  t.strictSame(decode(encoded ?? Buffer.alloc(0), PROTOBUF, target, api).object, object, 'in protobuf too');
});
