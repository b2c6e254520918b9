import t from 'tap';
import { applyDefaults } from '../../../src/api/go-struct/apply-defaults.js';
import { createCodec } from '../../../src/api/codec/create-codec.js';
import { canonicalize } from '../../../src/api/codec/decode.js';
import { customKind } from '../../support/custom-kind.js';
import { api, kind, JSON_TYPE, read, refusal } from '../../support/codec.js';

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
