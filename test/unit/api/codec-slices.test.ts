import t from 'tap';
import { atOnce, type Steps } from '../../../src/machinery/steps.js';
import { canonicalSteps, decodeSteps } from '../../../src/api/codec/decode.js';
import { bigValues } from '../../../src/api/codec/json-outline.js';
import { createProtobufAnswers, openEnvelope, readRawObject } from '../../../src/api/codec/protobuf.js';
import { utf8Steps } from '../../../src/api/codec/utf8-steps.js';
import { loadApi, type KindType } from '../../../src/api/load.js';
import type { BodyType, DecodedBody } from '../../../src/api/kind-schema.js';
import { customKind } from '../../support/custom-kind.js';

const api = loadApi();

function kind(group: string, name: string): KindType {
  const found = api.kind(group, 'v1', name);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

/** What the steps come to, and how many there were. */
function counted<T>(steps: Steps<T>): { value: T; count: number } {
  for (let count = 1; ; count++) {
    const step = steps.next();
    if (step.done === true) return { value: step.value, count };
  }
}

const MAP = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, `n${i}`]));
const LIST = Array.from({ length: 10_000 }, (_, i) => ({ name: `n${i}`, value: 'ü' }));
const configMap = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', labels: MAP }, data: MAP };
const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name: 'a' },
  spec: { containers: [{ name: 'c', env: LIST, resources: {} }] },
  status: {},
};
const role = {
  kind: 'Role',
  apiVersion: 'rbac.authorization.k8s.io/v1',
  metadata: { name: 'a' },
  rules: Array.from({ length: 500 }, (_, i) => ({
    verbs: Array.from({ length: 40 }, (_, j) => `v${i}-${j}`),
  })),
};
/** Small to big: how many bytes a step may read. */
const STEP = 40_000;

const decoded = (type: BodyType, body: object | string, of: KindType): { value: DecodedBody; count: number } =>
  counted(decodeSteps(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), type, of, api));

t.test('a big body is read in many steps, and what is read is the same', async t => {
  for (const [body, of] of [
    [configMap, kind('', 'ConfigMap')],
    [pod, kind('', 'Pod')],
    [role, kind('rbac.authorization.k8s.io', 'Role')],
  ] as const) {
    const steps = JSON.stringify(body).length / STEP;
    const read = decoded('application/json', body, of);
    t.strictSame(read.value.object, body);
    t.ok(read.count > steps, `${of.kind}: ${read.count} steps`);
    const made = counted(canonicalSteps(body, of));
    t.strictSame(made.value.object, body);
    t.ok(made.count > steps, `${of.kind}, made here: ${made.count} steps`);
  }
});

t.test('so it is in YAML, of every style', async t => {
  const block = [
    'kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a\n  finalizers:',
    ...LIST.map(({ name }) => `  - ${name}`),
    'data:',
    ...Object.entries(MAP).map(([key, value]) => `  ${key}: "${value}"`),
  ].join('\n');
  const flow = `{kind: ConfigMap, apiVersion: v1, metadata: {name: a, finalizers: [${LIST.map(({ name }) => name).join(', ')},]}, data: {${Object.entries(
    MAP,
  )
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ')}}}`;
  const expected = { ...configMap, metadata: { name: 'a', finalizers: LIST.map(({ name }) => name) } };
  for (const [name, text] of Object.entries({ block, flow })) {
    const { value, count } = decoded('application/yaml', text, kind('', 'ConfigMap'));
    t.same(value.object, expected, name);
    // Nodes are read, composed and written, 256 to 512 of them in a step.
    t.ok(count > 150, `${name}: ${count} steps`);
  }
});

t.test('so it is in protobuf, and in what is cut short the error is found', async t => {
  const protobuf = createProtobufAnswers(api);
  const schema = {
    kind: 'CustomResourceDefinition',
    apiVersion: 'apiextensions.k8s.io/v1',
    metadata: { name: 'a' },
    spec: {
      group: 'a',
      names: { plural: 'a', kind: 'A' },
      scope: 'Cluster',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { k: { properties: Object.fromEntries(LIST.map(({ name }) => [name, { type: 'string' }])) } },
            },
          },
        },
      ],
    },
    status: { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null },
  };
  for (const [body, of] of [
    [configMap, kind('', 'ConfigMap')],
    [pod, kind('', 'Pod')],
    [role, kind('rbac.authorization.k8s.io', 'Role')],
    [schema, kind('apiextensions.k8s.io', 'CustomResourceDefinition')],
  ] as const) {
    const bytes = protobuf.object(body);
    if (bytes === undefined) throw new Error('no protobuf');
    const { value, count } = counted(decodeSteps(bytes, 'application/vnd.kubernetes.protobuf', of, api));
    t.strictSame(
      value.object,
      atOnce(decodeSteps(Buffer.from(JSON.stringify(body)), 'application/json', of, api)).object,
    );
    t.ok(count > bytes.length / STEP, `${of.kind}: ${count} steps`);
  }
  const { type } = kind('', 'Pod');
  const raw = openEnvelope(protobuf.object(pod) ?? Buffer.alloc(0)).raw;
  t.throws(() => atOnce(readRawObject(raw.subarray(0, 100_000), type)), { message: 'unexpected EOF' });
});

t.test('a custom resource is read in steps too', async t => {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;
  const { schema } = customKind(api, anything, { kind: 'Thing', group: 'example.com' });
  const thing = {
    kind: 'Thing',
    apiVersion: 'example.com/v1',
    metadata: { name: 'a', labels: MAP },
    spec: [MAP, LIST],
  };
  const text = JSON.stringify(thing).replace('"k7":"n7"', '"k6":"n6","k7":"n7"');
  const body = Buffer.from(text.replace('"value":"ü"', '"value":"a","value":"ü"'));
  const { value, count } = counted(schema.decode(body, 'application/json'));
  t.strictSame(value.object, thing);
  t.same(value.strictProblems, ['duplicate field "metadata.labels.k6"', 'duplicate field "spec[1][0].value"']);
  t.ok(count > body.length / STEP, `${count} steps`);
});

t.test('JSON that is sent as YAML is put in order in steps', async t => {
  const reversed = Object.fromEntries(Object.entries(MAP).reverse());
  const sorted = Object.keys(MAP).sort();
  for (const data of [MAP, reversed]) {
    const body = { ...configMap, metadata: { name: 'a' }, data };
    const { value, count } = decoded('application/yaml', body, kind('', 'ConfigMap'));
    t.same(Object.keys(value.object['data'] as object), sorted);
    t.strictSame(value.object['data'], MAP);
    t.ok(count > (2 * JSON.stringify(body).length) / STEP, `${count} steps`);
  }
  const twice = JSON.stringify(configMap).replace('"k9":"n9"', '"k9":"n9","k8":"n8"');
  const { strictProblems } = decoded('application/yaml', twice, kind('', 'ConfigMap')).value;
  t.match(strictProblems, ['key "k8" already set in map']);
});

t.test('text is decoded in steps as it is at once, whatever the bytes', async t => {
  for (const unit of [
    [0x61],
    [0xc3, 0xa4],
    [0xe2, 0x82, 0xac],
    [0xf0, 0x9f, 0x98, 0x80],
    [0x80],
    [0xf0, 0x9f],
    [0xe2, 0x82, 0xac, 0x80],
  ])
    for (const shift of [0, 1, 2, 3]) {
      const bytes = Buffer.concat([Buffer.alloc(shift, 'x'), Buffer.alloc(300_000, Buffer.from(unit))]);
      const { value, count } = counted(utf8Steps(bytes));
      t.equal(value === bytes.toString(), true, `${unit.join()} at ${shift}`);
      t.equal(count, 3);
    }
  t.equal(atOnce(utf8Steps(Buffer.alloc(0))), '');
});

t.test('what is wrong inside a big value is said as in a small one', async t => {
  const text = JSON.stringify(pod);
  const strict = text
    .replace('"name":"n9000"', '"name":"n","name":"n9000","nam":1')
    .replace('"resources":{}', '"x":[]');
  t.same(decoded('application/json', strict, kind('', 'Pod')).value.strictProblems, [
    'duplicate field "spec.containers[0].env[9000].name"',
    'unknown field "spec.containers[0].env[9000].nam"',
    'unknown field "spec.containers[0].x"',
  ]);
  for (const [name, wrong, message] of [
    [
      'a type',
      text.replace('"name":"n9000"', '"name":9'),
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.name of type string',
    ],
    [
      'another type',
      text.replace('"env":[', '"env":{"a":[').replace('}],"resources"', '}]},"resources"'),
      'cannot unmarshal object into Go struct field',
    ],
    ['syntax', text.replace('"name":"n9000",', '"name":"n9000"'), 'invalid character'],
    ['an end', text.slice(0, -1), 'unexpected end of JSON input'],
  ] as const)
    t.throws(() => decoded('application/json', wrong, kind('', 'Pod')), { message: new RegExp(message) }, name);
});

t.test('a map is empty whatever blanks are in it, and null is none', async t => {
  const body = '{"metadata":{"labels":{ \n },"annotations":null},"data":{"a":"{"},"binaryData":{},"data":{}}';
  const { object } = decoded('application/json', body, kind('', 'ConfigMap')).value;
  t.strictSame(object, { kind: 'ConfigMap', apiVersion: 'v1', metadata: {}, data: { a: '{' } });
});

t.test('big values are found by where they begin, brackets in texts not counted', async t => {
  const long = 'x'.repeat(40_000);
  const found = (text: string): number[] => [...atOnce(bigValues(text))].sort((a, b) => a - b);
  t.same(found('{"a":[1],"b":{}}'), []);
  t.same(found(`{"a":["${long}"],"b":"[${long}","c":{}}`), [0, 5]);
  t.same(found(`["\\"]",{"a":"${long}\\\\"}]`), [0, 7]);
  t.same(found(`]]${long}`), [], 'no JSON');
});
