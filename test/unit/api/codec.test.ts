import t from 'tap';
import { yamlToJson } from '../../../src/api/codec/yaml.js';
import { goJsonSyntaxError } from '../../../src/machinery/go-json.js';
import { canonicalTime } from '../../../src/machinery/go-time.js';
import type { FieldType, StructType } from '../../../src/machinery/schema.js';
import { isStatusError } from '../../../src/machinery/status.js';
import { applyDefaults } from '../../../src/api/go-struct/apply-defaults.js';
import { createCodec } from '../../../src/api/codec/create-codec.js';
import { canonicalize, decode, type FieldValidation } from '../../../src/api/codec/decode.js';
import { createProtobufAnswers } from '../../../src/api/codec/protobuf.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import type { BodyType } from '../../../src/api/kind-schema.js';
import { loadApi, type KindType } from '../../../src/api/load.js';
import { customKind } from '../../support/custom-kind.js';

const api = loadApi();
const protobuf = createProtobufAnswers(api);

function kind(name: string): KindType {
  const at = name.lastIndexOf('/');
  const [gv, kindName] = [name.slice(0, at), name.slice(at + 1)];
  const [group, version] = gv.includes('/') ? gv.split('/') : ['', gv];
  const found = api.kind(group ?? '', version ?? '', kindName);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

const JSON_TYPE = 'application/json';
const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const read = (value: unknown, of: string, fieldValidation: FieldValidation = 'Warn', type: BodyType = JSON_TYPE) =>
  decode(bytes(value), type, kind(of), api, { fieldValidation });

function refusal(value: unknown, of: string, type: BodyType = JSON_TYPE): string {
  try {
    decode(Buffer.isBuffer(value) ? value : bytes(value), type, kind(of), api, { fieldValidation: 'Strict' });
  } catch (error) {
    if (isStatusError(error, 'BadRequest')) return error.message;
    throw error;
  }
  return '';
}

t.test('a version that is not served but known', async t => {
  const eviction = { kind: 'Eviction', metadata: { name: 'a' } };
  const { object } = read({ apiVersion: 'policy/v1beta1', ...eviction }, 'policy/v1/Eviction');
  t.match(object, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } });
  t.match(
    refusal({ apiVersion: 'policy/v2', ...eviction }, 'policy/v1/Eviction'),
    /is registered for version "policy\/v2"/,
  );
});

t.test('decoding gives what Go would write back', async t => {
  const head = (of: string) => ({
    kind: of.slice(of.lastIndexOf('/') + 1),
    apiVersion: of.slice(0, of.lastIndexOf('/')),
  });
  const cases: { name: string; of: string; input: Record<string, unknown>; expect: Record<string, unknown> }[] = [
    {
      name: 'kind and apiVersion come from the endpoint',
      of: 'v1/ConfigMap',
      input: { metadata: { name: 'a' }, data: { k: 'v' } },
      expect: { metadata: { name: 'a' }, data: { k: 'v' } },
    },
    {
      name: 'nulls and empty things go, explicit zeros of pointers stay',
      of: 'v1/ConfigMap',
      input: { metadata: { name: 'a', labels: {}, creationTimestamp: null }, data: null, immutable: false },
      expect: { metadata: { name: 'a' }, immutable: false },
    },
    {
      name: 'null in a map is the zero value',
      of: 'v1/ConfigMap',
      input: { metadata: {}, data: { a: null, __proto__x: '' } },
      expect: { metadata: {}, data: { a: '', __proto__x: '' } },
    },
    {
      name: 'structs that are no pointers are always there',
      of: 'v1/Pod',
      input: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: '' }] } },
      expect: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', resources: {} }] }, status: {} },
    },
    {
      name: 'lists without omitempty are null when absent, and stay empty when sent empty',
      of: 'discovery.k8s.io/v1/EndpointSlice',
      input: { metadata: {}, addressType: 'IPv4', endpoints: [] },
      expect: { metadata: {}, addressType: 'IPv4', endpoints: [], ports: null },
    },
    {
      name: 'quantities are canonical, from strings and numbers',
      of: 'v1/ResourceQuota',
      input: { metadata: {}, spec: { hard: { cpu: '1000m', memory: '1024Mi', pods: 10, x: '1e9' } } },
      expect: { metadata: {}, spec: { hard: { cpu: '1', memory: '1Gi', pods: '10', x: '1e9' } }, status: {} },
    },
    {
      name: 'times are UTC, to the second or microsecond',
      of: 'coordination.k8s.io/v1/Lease',
      input: {
        metadata: { deletionTimestamp: '2026-01-01T01:00:00.9+01:00' },
        spec: { renewTime: '2026-01-01T00:00:00.000001Z' },
      },
      expect: {
        metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
        spec: { renewTime: '2026-01-01T00:00:00.000001Z' },
      },
    },
    {
      name: 'a repeated struct is decoded over the first',
      of: 'v1/ConfigMap',
      input: { metadata: { name: 'a' } },
      expect: { metadata: { name: 'a' } },
    },
    {
      name: 'base64 is spelt one way',
      of: 'v1/Secret',
      input: { metadata: {}, data: { a: 'AA\n==', b: 'QR==', c: [1, 2] } },
      expect: { metadata: {}, data: { a: 'AA==', b: 'QQ==', c: 'AQI=' } },
    },
    {
      name: 'zero times of required fields are null',
      of: 'v1/Event',
      input: { metadata: {}, involvedObject: {} },
      expect: {
        metadata: {},
        involvedObject: {},
        source: {},
        firstTimestamp: null,
        lastTimestamp: null,
        eventTime: null,
        reportingComponent: '',
        reportingInstance: '',
      },
    },
  ];
  for (const { name, of, input, expect } of cases) {
    const { object, strictProblems } = read(input, of, 'Strict');
    t.strictSame(object, { ...head(of), ...expect }, name);
    t.strictSame(strictProblems, [], `${name}: nothing strict`);
    t.equal(JSON.stringify(canonicalize(object, kind(of)).object), JSON.stringify(object), `${name}: is a fixed point`);
  }
  const twice = read('{"metadata":{"name":"a","labels":{"x":"1"}},"metadata":{"namespace":"n"}}', 'v1/ConfigMap');
  t.strictSame(twice.object.metadata, { name: 'a', labels: { x: '1' }, namespace: 'n' }, 'a repeated struct is merged');
});

t.test('strict problems', async t => {
  const cases: { name: string; of: string; body: unknown; expect: string[] }[] = [
    {
      name: 'in the order of the text, with paths',
      of: 'v1/ConfigMap',
      body: '{"metadata":{"foo":1,"name":"a","name":"b"},"spec":{"deep":1},"data":{"a":"1","a":"2"}}',
      expect: [
        'unknown field "metadata.foo"',
        'duplicate field "metadata.name"',
        'unknown field "spec"',
        'duplicate field "data.a"',
      ],
    },
    {
      name: 'list positions, names in any case are unknown',
      of: 'v1/Service',
      body: { metadata: {}, spec: { ports: [{ port: 80, target: 5 }, { Port: 1 }], clusterip: 'x' } },
      expect: [
        'unknown field "spec.ports[0].target"',
        'unknown field "spec.ports[1].Port"',
        'unknown field "spec.clusterip"',
      ],
    },
    {
      name: 'each is told once',
      of: 'v1/ConfigMap',
      body: '{"x":1,"x":2,"x":3}',
      expect: ['unknown field "x"'],
    },
  ];
  for (const { name, of, body, expect } of cases) {
    t.strictSame(read(body, of).strictProblems, expect, name);
    t.strictSame(read(body, of, 'Ignore').strictProblems, [], `${name}: ignored`);
    const target = kind(of);
    t.equal(
      refusal(body, of),
      `${target.kind} in version "${target.version}" cannot be handled as a ${target.kind}: strict decoding error: ${expect.join(', ')}`,
    );
  }
});

t.test('refused bodies', async t => {
  const handled = (of: string, text: string): string =>
    `${kind(of).kind} in version "${kind(of).version}" cannot be handled as a ${kind(of).kind}: ${text}`;
  const unrecognized = (of: string, text: string): string =>
    `the object provided is unrecognized (must be of type ${kind(of).kind}): ${text}`;
  const CM = 'v1/ConfigMap';
  const POD = 'v1/Pod';
  const cases: { body: unknown; of: string; expect: string }[] = [
    {
      of: CM,
      body: { metadata: { labels: { a: 5 } } },
      expect: handled(
        CM,
        'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
      ),
    },
    {
      of: CM,
      body: { metadata: 'x' },
      expect: handled(
        CM,
        'json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta',
      ),
    },
    {
      of: CM,
      body: { data: [] },
      expect: handled(CM, 'json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string'),
    },
    { of: CM, body: { binaryData: { a: '***' } }, expect: handled(CM, 'illegal base64 data at input byte 0') },
    {
      of: CM,
      body: { metadata: { generation: 1.5 } },
      expect: handled(
        CM,
        'json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.metadata.generation of type int64',
      ),
    },
    {
      of: CM,
      body: '{"metadata":{"generation":9223372036854775808}}',
      expect: handled(
        CM,
        'json: cannot unmarshal number 9223372036854775808 into Go struct field ObjectMeta.metadata.generation of type int64',
      ),
    },
    {
      of: CM,
      body: { metadata: { creationTimestamp: 'yesterday' } },
      expect: handled(
        CM,
        'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
      ),
    },
    {
      of: POD,
      body: { spec: { containers: ['x'] } },
      expect: handled(
        POD,
        'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container',
      ),
    },
    {
      of: POD,
      body: { spec: { containers: [{ image: true }] } },
      expect: handled(
        POD,
        'json: cannot unmarshal bool into Go struct field Container.spec.containers.image of type string',
      ),
    },
    {
      of: POD,
      body: { spec: { containers: [{ ports: [{ protocol: 1 }] }] } },
      expect: handled(
        POD,
        'json: cannot unmarshal number into Go struct field ContainerPort.spec.containers.ports.protocol of type v1.Protocol',
      ),
    },
    {
      of: POD,
      body: { spec: { priority: 3000000000 } },
      expect: handled(
        POD,
        'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32',
      ),
    },
    {
      of: POD,
      body: { spec: { containers: [{ resources: { limits: { cpu: '1x' } } }] } },
      expect: handled(
        POD,
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      ),
    },
    {
      of: POD,
      body: { spec: { containers: [{ livenessProbe: { httpGet: { port: true } } }] } },
      expect: handled(
        POD,
        'json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32',
      ),
    },
    {
      of: POD,
      body: { spec: { volumes: [{ configMap: { name: 5 } }] } },
      expect: handled(
        POD,
        'json: cannot unmarshal number into Go struct field ConfigMapVolumeSource.spec.volumes.VolumeSource.configMap.LocalObjectReference.name of type string',
      ),
    },
    {
      of: CM,
      body: { kind: 'Secret', apiVersion: 'v1', metadata: {} },
      expect:
        'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    },
    {
      of: CM,
      body: { kind: 'Secret', apiVersion: 'v1', data: 5 },
      expect:
        'Secret in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field Secret.data of type map[string][]uint8',
    },
    {
      of: CM,
      body: { kind: 'ConfigMap', apiVersion: 'v2' },
      expect:
        'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"',
    },
    {
      of: 'autoscaling/v2/HorizontalPodAutoscaler',
      body: { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v1' },
      expect: 'the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)',
    },
    {
      of: CM,
      body: { apiVersion: 'a/b/c', kind: 'ConfigMap' },
      expect: unrecognized(CM, 'unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c","kind":" ...)'),
    },
    {
      of: CM,
      body: { kind: 5 },
      expect: unrecognized(
        CM,
        `couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})`,
      ),
    },
    {
      of: CM,
      body: 'nonsense',
      expect: unrecognized(
        CM,
        `couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u') (6e6f6e73656e7365)`,
      ),
    },
    {
      of: CM,
      body: '',
      expect: unrecognized(CM, `couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`),
    },
    {
      of: CM,
      body: '{"data":{"a":"1"},}',
      expect: unrecognized(
        CM,
        `couldn't get version/kind; json parse error: invalid character '}' looking for beginning of object key string ({"data":{"a":"1"},})`,
      ),
    },
    {
      of: CM,
      body: '{"data":{"a":01}}',
      expect: unrecognized(
        CM,
        `couldn't get version/kind; json parse error: invalid character '1' after object key:value pair ({"data":{"a":01}})`,
      ),
    },
    {
      of: CM,
      body: '{"unknown":tru}',
      expect: unrecognized(
        CM,
        `couldn't get version/kind; json parse error: invalid character '}' in literal true (expecting 'e') ({"unknown":tru})`,
      ),
    },
  ];
  for (const { body, of, expect } of cases) t.equal(refusal(body, of), expect, JSON.stringify(body));
  t.match(refusal(`{"unknown":${'['.repeat(100000)}`, CM), 'exceeded max depth', 'a deep body ends in a refusal');
  t.match(
    refusal(`{"unknown":${'['.repeat(5000)}${']'.repeat(5000)}}`, CM),
    'exceeded max depth',
    'so does one deeper than the stack',
  );
  const deep = `{"spec":{"versions":[{"schema":{"openAPIV3Schema":${'{"not":'.repeat(5000)}{}${'}'.repeat(5000)}}}]}}`;
  t.match(refusal(deep, 'apiextensions.k8s.io/v1/CustomResourceDefinition'), 'exceeded max depth');
});

t.test('errors of Go JSON syntax', async t => {
  const cases: [text: string, expect: string | undefined][] = [
    ['{}', undefined],
    [' [1, -2.5e+3, "\\u00e9", true, null] ', undefined],
    ['', 'unexpected end of JSON input'],
    ['{"a"', 'unexpected end of JSON input'],
    ['{"a":tru', `invalid character ' ' in literal true (expecting 'e')`],
    ['[1.', `invalid character ' ' after decimal point in numeric literal`],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['falsy', "invalid character 'y' in literal false (expecting 'e')"],
    ["'", "invalid character '\\'' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
  ];
  for (const [text, expect] of cases) t.equal(goJsonSyntaxError(Buffer.from(text)), expect, text);
});

t.test('times as Go reads them', async t => {
  const cases: [text: string, layout: 'seconds' | 'micros', expect: string][] = [
    ['2026-02-28T23:59:59Z', 'seconds', '2026-02-28T23:59:59Z'],
    ['2024-02-29T00:00:00-02:30', 'seconds', '2024-02-29T02:30:00Z'],
    ['2026-01-01T00:00:00.123456789Z', 'seconds', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.123456+00:00', 'micros', '2026-01-01T00:00:00.123456Z'],
    ['', 'seconds', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ['2026-02-29T00:00:00Z', 'seconds', 'parsing time "2026-02-29T00:00:00Z": day out of range'],
    ['2026-13-01T00:00:00Z', 'seconds', 'parsing time "2026-13-01T00:00:00Z": month out of range'],
    ['2026-01-01', 'seconds', 'parsing time "2026-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ['2026-01-01T00:00:00Zx', 'seconds', 'parsing time "2026-01-01T00:00:00Zx": extra text: "x"'],
    [
      '2026-01-01T00:00:00Z',
      'micros',
      'parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
  ];
  for (const [text, layout, expect] of cases) {
    let got: string;
    try {
      got = canonicalTime(text, layout);
    } catch (error) {
      got = (error as Error).message;
    }
    t.equal(got, expect, `${layout} ${text}`);
  }
});

t.test("YAML that cannot be read, in go-yaml's words", async t => {
  const cases: Record<string, string> = {
    '{': 'line 1: did not find expected node content',
    '}': 'did not find expected node content',
    'a: b: c': 'mapping values are not allowed in this context',
    'a: b\n c: d': 'line 2: mapping values are not allowed in this context',
    'key\nfoo: bar': 'line 2: mapping values are not allowed in this context',
    'm:\n  a: x\n  b\n  c: y': "line 4: could not find expected ':'",
    'a: |\n x\ny': "line 4: could not find expected ':'",
    '- a\nb: c': "line 1: did not find expected '-' indicator",
    'a: [1, 2': "line 1: did not find expected ',' or ']'",
    'b: 1\na: [}': 'line 1: did not find expected node content',
    'a:\n  b: x\n c: y': 'line 2: did not find expected key',
    'a: "x': 'found unexpected end of stream',
    'a: "\\q"': 'found unknown escape character',
    'a: @b': 'found character that cannot start any token',
    'a: - b': 'block sequence entries are not allowed in this context',
    'a: *y': "unknown anchor 'y' referenced",
    'a: b\n\u0001': 'control characters are not allowed',
  };
  for (const [text, expect] of Object.entries(cases)) {
    const { error } = yamlToJson(text);
    t.equal(error, `yaml: ${expect}`, JSON.stringify(text));
  }
  t.equal(yamlToJson('b: 12345678901234567890\na: 1').json, '{"a":1,"b":12345678901234567890}');
});

t.test('YAML bodies', async t => {
  const yaml = (text: string, validation: FieldValidation = 'Warn') =>
    read(text, 'v1/ConfigMap', validation, 'application/yaml');
  t.strictSame(yaml('metadata:\n  name: a\ndata:\n  k: "1"\n  1: x\n').object, {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'a' },
    data: { 1: 'x', k: '1' },
  });
  t.equal(yaml('immutable: yes\n').object['immutable'], true, 'YAML 1.1 booleans');
  t.strictSame(yaml('data: {d: 2026-01-01}\n').object['data'], { d: '2026-01-01' }, 'dates stay text');
  for (const { name, input, expect } of [
    { name: 'JSON', input: '{"data":{"k":"v"}}', expect: { data: { k: 'v' } } },
    { name: 'a value like a key', input: '{"data":{"k":"\\"a\\": 1"}}', expect: { data: { k: '"a": 1' } } },
    { name: 'flow style that is no JSON', input: '{data: {k: v}}', expect: { data: { k: 'v' } } },
  ])
    t.match(yaml(input).object, expect, name);
  t.strictSame(
    yaml('{"data":{"k":"1","k":"2"}}').strictProblems,
    ['yaml: unmarshal errors:\n  line 1: key "k" already set in map'],
    'duplicate keys in JSON are told in the words of YAML',
  );
  t.strictSame(yaml('metadata:\n  name: a\n  name: b\nfoo: 1\n').strictProblems, [
    'yaml: unmarshal errors:\n  line 3: key "name" already set in map',
    'unknown field "foo"',
  ]);
  t.equal(
    refusal('a:\n\tb', 'v1/ConfigMap', 'application/yaml'),
    'the object provided is unrecognized (must be of type ConfigMap): yaml: line 2: found character that cannot start any token (613a0a0962)',
  );
  t.equal(
    refusal('data: {a: 1}\n', 'v1/ConfigMap', 'application/yaml'),
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  );
});

t.test('YAML as go-yaml reads it', async t => {
  const good: [text: string, json: string][] = [
    ['', 'null'],
    ['a: yes\nb: y\nc: "yes"\nd: ~\ne: !!str 5', '{"a":true,"b":true,"c":"yes","d":null,"e":"5"}'],
    ['- 0x1F\n- 017\n- 0o17\n- 1_000\n- 08\n- .5\n- 1:20', '[31,15,15,1000,8,0.5,"1:20"]'],
    ['- 12345678901234567890\n- 1e400\n- 2026-01-01', '[12345678901234567890,"1e400","2026-01-01"]'],
    ['a: &x {b: 1}\nc:\n  <<: *x\n  d: 2', '{"a":{"b":1},"c":{"b":1,"d":2}}'],
    ['a: |\n  x\n   y\n\nb: >-\n  x\n  y\n\n  z\n', '{"a":"x\\n y\\n","b":"x y\\nz"}'],
    ['? "a\\\n  b"\n: "c\n\n d"', '{"ab":"c\\nd"}'],
    ['{"a":1} what follows does not count', '{"a":1}'],
    ['a: b\n---\nc: {', '{"a":"b"}'],
    ['a:\n- b\n-\nc: [d: e, {f, g: }]', '{"a":["b",null],"c":[{"d":"e"},{"f":null,"g":null}]}'],
    ['1: a\n1.5: b\ntrue: c', '{"1":"a","1.5":"b","true":"c"}'],
    ['!!binary aGk=: !foo x', '{"hi":"x"}'],
  ];
  for (const [text, json] of good) t.same(yamlToJson(text), { json, duplicateKeys: [] }, text);
  const bad: [text: string, error: string][] = [
    ['{', 'yaml: line 1: did not find expected node content'],
    ['a: b: c', 'yaml: mapping values are not allowed in this context'],
    ['x: 1\na: b: c', 'yaml: line 2: mapping values are not allowed in this context'],
    ['a: b\n- c', 'yaml: line 1: did not find expected key'],
    ['a: - b', 'yaml: block sequence entries are not allowed in this context'],
    ['key\nb: c', 'yaml: line 2: mapping values are not allowed in this context'],
    ['a: 1\nkey\nb: c', "yaml: line 3: could not find expected ':'"],
    ['a: [b\nc: d', "yaml: line 1: did not find expected ',' or ']'"],
    ['a: "b', 'yaml: found unexpected end of stream'],
    ['a: "\\q"', 'yaml: found unknown escape character'],
    ['a: "\\ud800"', 'yaml: found invalid Unicode character escape code'],
    ['a:\n\tb: c', 'yaml: line 2: found character that cannot start any token'],
    ['a: @b', 'yaml: found character that cannot start any token'],
    ['a: *b', "yaml: unknown anchor 'b' referenced"],
    ['a: &b {c: *b}', "yaml: anchor 'b' value contains itself"],
    ['a: !h!x y', 'yaml: found undefined tag handle'],
    ['a: |0\n b', 'yaml: found an indentation indicator equal to 0'],
    ['a: \u0001', 'yaml: control characters are not allowed'],
    ['[a]: b', 'yaml: invalid map key: []interface {}{"a"}'],
    ['~: b', 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "b"'],
    ['a: .inf', 'json: unsupported value: +Inf'],
    ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
    ['<<: x', 'yaml: map merge requires map or sequence of maps as the value'],
    ['['.repeat(100_000), 'yaml: exceeded max depth of 10000'],
  ];
  for (const [text, error] of bad) t.equal(yamlToJson(text).error, error, text.slice(0, 40));
  t.same(yamlToJson('a: 1\nb:\n  1: x\n  1: y\na:\n  c').duplicateKeys, [
    'line 4: key 1 already set in map',
    'line 6: key "a" already set in map',
  ]);
});

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

t.test('schema defaults', async t => {
  const pod = { spec: { containers: [{ ports: [{ containerPort: 1 }, { protocol: 'UDP' }] }] } };
  applyDefaults(pod, kind('v1/Pod').type);
  t.strictSame(pod, {
    spec: { containers: [{ ports: [{ containerPort: 1, protocol: 'TCP' }, { protocol: 'UDP' }] }] },
  });
});

t.test('custom resources', async t => {
  const codec = createCodec(api);
  const entry = customKind(api, { type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
  const custom = (body: string): unknown => {
    try {
      return codec.decode(Buffer.from(body), JSON_TYPE, entry);
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.strictSame(
    custom('{"kind":"Widget","apiVersion":"example.org/v1","metadata":{"name":"x"},"spec":{"a":0,"a":null}}'),
    {
      object: { kind: 'Widget', apiVersion: 'example.org/v1', metadata: { name: 'x' }, spec: { a: null } },
      strictProblems: ['duplicate field "spec.a"'],
    },
  );
  t.equal(
    custom('{"metadata":{"name":"x"}}'),
    `the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{"metadata":{"name":"x"}}' ({"metadata":{"name":"x"}})`,
  );
  t.equal(
    custom('{"kind":"Widget","apiVersion":"example.org/v1","metadata":{"name":true}}'),
    'Widget in version "v1" cannot be handled as a Widget: json: cannot unmarshal bool into Go struct field ObjectMeta.name of type string',
  );
});
