import { readFileSync } from 'node:fs';
import t from 'tap';
import { createCatalog } from '../../../src/api/create-catalog.js';
import { defaultObject } from '../../../src/api/default-object.js';
import { cloneJson } from '../../../src/machinery/json-equal.js';
import { isStatusError } from '../../../src/machinery/status.js';
import { atOnce } from '../../../src/machinery/steps.js';
import type { DeepReadonly, KubeObject } from '../../../src/machinery/types.js';
import { check } from '../../../src/server/validation/check.js';
import { context, strategies } from '../../support/kinds.js';

const catalog = createCatalog(strategies);
const entry = catalog.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
if (entry === undefined) throw new Error('there is no such kind');
const { schema, strategy } = entry;

type Spec = Record<string, unknown>;
const NAME = 'widgets.example.org';

function decoded(spec: Spec | undefined, metadata: object, status?: object): KubeObject {
  const body = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec, status };
  const { object } = atOnce(schema.decode(Buffer.from(JSON.stringify(body)), 'application/json'));
  atOnce(defaultObject(entry as NonNullable<typeof entry>, object));
  return object;
}

function created(spec: Spec, metadata: object = { name: NAME }): KubeObject {
  const object = decoded(spec, metadata);
  strategy.prepareForCreate?.(context(), object);
  return object;
}

interface Answer {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

function answerTo(object: KubeObject, old?: DeepReadonly<KubeObject>, subresource = ''): Answer {
  const write = { subresource, partly: subresource !== '', object, old };
  try {
    return { errors: [], warnings: check(entry as NonNullable<typeof entry>, { namespace: () => undefined }, write) };
  } catch (error) {
    if (!isStatusError(error)) throw error;
    const causes = error.status.details?.causes ?? [];
    return { errors: causes.map(({ field = '', message = '' }) => `${field}: ${message}`), warnings: [] };
  }
}

interface Recorded extends Answer {
  readonly name: string;
  readonly metadata?: object;
  readonly spec: Spec;
}

/** Go goes through maps in any order. */
const sorted = (texts: readonly string[]): string[] => [...texts].sort();

t.test('what kube-apiserver 1.35.4 said of new definitions', async t => {
  const rows = JSON.parse(readFileSync('test/fixtures/custom-resource-definitions.json', 'utf8')) as Recorded[];
  for (const { name, metadata, spec, errors, warnings } of rows) {
    const answer = answerTo(created(spec, metadata));
    t.same(sorted(answer.errors), sorted(errors), name);
    t.same(answer.warnings, errors.length > 0 ? [] : warnings, `${name}: warnings`);
  }
  t.end();
});

const widget = (schema: object, more: object = {}): Spec => ({
  group: 'example.org',
  names: { plural: 'widgets', kind: 'Widget' },
  scope: 'Namespaced',
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
  ...more,
});
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

t.test('a definition is completed, and loses a status that its client gave it', async t => {
  const object = decoded(widget(anything), { name: NAME }, { storedVersions: ['v9'], acceptedNames: { plural: 'x' } });
  strategy.prepareForCreate?.(context(), object);
  t.match(object, {
    spec: {
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      conversion: { strategy: 'None' },
    },
    status: { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: ['v1'] },
  });
  t.end();
});

interface Change {
  readonly name: string;
  readonly old: Spec;
  readonly established?: boolean;
  readonly change: (object: {
    spec: Spec;
    status: Record<string, unknown>;
    metadata: { finalizers?: string[] };
  }) => void;
  readonly expect: readonly string[];
}

const twoVersions = (): Spec => ({
  ...widget(anything),
  versions: ['v1', 'v2'].map((name, i) => ({
    name,
    served: true,
    storage: i === 0,
    schema: { openAPIV3Schema: anything },
  })),
});
const costly = {
  type: 'object',
  properties: {
    l: {
      type: 'array',
      items: { type: 'string' },
      'x-kubernetes-validations': [{ rule: 'self.all(x, self.all(y, x == y))' }],
    },
  },
};

const CHANGES: readonly Change[] = [
  {
    name: 'nothing but a name of kinds that nobody serves yet',
    old: widget(anything),
    change: ({ spec }) => (spec['names'] = { plural: 'widgets', kind: 'Other' }),
    expect: [],
  },
  {
    name: 'what an established definition may not change',
    old: widget(anything),
    established: true,
    change: ({ spec }) =>
      Object.assign(spec, { group: 'b.org', scope: 'Cluster', names: { plural: 'others', kind: 'Other' } }),
    expect: [
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Other": field is immutable',
      'spec.group: Invalid value: "b.org": field is immutable',
      'spec.names.plural: Invalid value: "others": field is immutable',
    ],
  },
  {
    name: 'the storage version, which is noted',
    old: twoVersions(),
    change({ spec, status }) {
      const [v1, v2] = spec['versions'] as { storage: boolean }[];
      Object.assign(v1 as object, { storage: false });
      Object.assign(v2 as object, { storage: true });
      status['storedVersions'] = ['nobody reads this'];
    },
    expect: [],
  },
  {
    name: 'a version that there may be objects of',
    old: twoVersions(),
    change: ({ spec }) => (spec['versions'] = [{ ...(spec['versions'] as object[])[1], storage: true }]),
    expect: [
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
    ],
  },
  {
    name: 'preserveUnknownFields',
    old: widget(anything),
    change: ({ spec }) => (spec['preserveUnknownFields'] = true),
    expect: [
      'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    ],
  },
  {
    name: 'an authority that is none, once it is established',
    old: widget(anything),
    established: true,
    change: ({ spec }) =>
      (spec['conversion'] = {
        strategy: 'Webhook',
        webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://a', caBundle: 'QUJD' } },
      }),
    expect: [
      'spec.conversion.webhookClientConfig.caBundle: Invalid value: "QUJD": unable to load root certificates: unable to parse bytes as PEM block',
    ],
  },
  {
    name: 'a schema that has become broken',
    old: widget(anything),
    change: ({ spec }) => Object.assign(spec, widget({ type: 'object', properties: { a: {} } })),
    expect: [
      'spec.validation.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
    ],
  },
];

t.test('what may change', async t => {
  for (const { name, old, established = false, change, expect } of CHANGES) {
    const before = created(old);
    Object.assign(before.metadata, { resourceVersion: '1', uid: 'u', generation: 1 });
    if (established)
      Object.assign(before['status'] as object, { conditions: [{ type: 'Established', status: 'True' }] });
    const after = cloneJson<KubeObject>(before);
    change(after as never);
    after['status'] = cloneJson(before['status']);
    strategy.default?.(after);
    strategy.prepareForUpdate?.(context(), after, before);
    t.same(answerTo(after, before).errors, expect, name);
  }
  t.end();
});

t.test('the version that objects are stored in is added to those that they may be stored in', async t => {
  const before = created(twoVersions());
  const after = cloneJson<KubeObject>(before);
  const [v1, v2] = (after['spec'] as { versions: { storage: boolean }[] }).versions;
  Object.assign(v1 as object, { storage: false });
  Object.assign(v2 as object, { storage: true });
  strategy.prepareForUpdate?.(context(), after, before);
  t.match(after, { status: { storedVersions: ['v1', 'v2'] } });
  t.end();
});

t.test('a rule that was accepted may go on costing what it costs', async t => {
  const before = created(widget(costly));
  Object.assign(before.metadata, { resourceVersion: '1', uid: 'u', generation: 1 });
  const after = cloneJson<KubeObject>(before);
  Object.assign(after.metadata, { labels: { a: 'b' } });
  const perRule = /estimated rule cost exceeds budget/;
  t.match(answerTo(before).errors.join(), perRule);
  t.notMatch(answerTo(after, before).errors.join(), perRule);
  t.end();
});

t.test('a status says which names are accepted', async t => {
  const before = created(widget(anything));
  Object.assign(before.metadata, { resourceVersion: '1', uid: 'u', generation: 1 });
  const after = cloneJson<KubeObject>(before);
  Object.assign(after['status'] as object, { acceptedNames: { plural: 'A', kind: 'K' }, storedVersions: [] });
  const [error = '', ...more] = answerTo(after, before, 'status').errors;
  t.match(error, /^status\.acceptedNames\.plural: Invalid value: "A": a DNS-1035 label must consist of/);
  t.same(more, []);
  t.end();
});

t.test('formats that were unknown before are not told again', async t => {
  const of = (format: string): KubeObject => {
    const a = { type: 'string', format };
    return created(widget({ type: 'object', properties: { a, b: a } }));
  };
  const warned = (now: KubeObject, old?: KubeObject): unknown =>
    strategy.warnings?.({ namespace: () => undefined }, now, old);
  t.same(warned(of('foo')), ['unrecognized format "foo"', 'unrecognized format "foo"']);
  t.same(warned(of('foo'), of('foo')), []);
  t.same(warned(of('bar'), of('foo')), ['unrecognized format "bar"', 'unrecognized format "bar"']);
  t.end();
});
