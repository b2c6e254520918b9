import t from 'tap';
import { deepFreeze } from '../../../src/machinery/json-equal.js';
import { keepTimesIfUnchanged } from '../../../src/machinery/managed-fields/entries.js';
import { createFieldManager, type FieldManagerOptions } from '../../../src/machinery/managed-fields/field-manager.js';
import { parentEntries, scaleEntries } from '../../../src/machinery/managed-fields/scale.js';
import type { Field, StructType } from '../../../src/machinery/schema.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { isStatusError, type Status } from '../../../src/machinery/status.js';
import type { KubeObject, ManagedFieldsEntry } from '../../../src/machinery/types.js';
import { loadApi } from '../../../src/api/load.js';

const api = loadApi();

function struct(name: string): StructType {
  const type = api.type(name);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
}

/** One object and those who write it. Steps take fragments; the rest of the object is filled in. */
function object(kind: 'ConfigMap' | 'Service' | 'Deployment', overrides: Partial<FieldManagerOptions> = {}) {
  const [group, version] = kind === 'Deployment' ? ['apps', 'v1'] : ['', 'v1'];
  const type = struct(`${group === '' ? 'core' : group}.v1.${kind}`);
  const manager = createFieldManager(type, { group, version, kind, resetFields: {}, ...overrides });
  let live: KubeObject | undefined;
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  const complete = (part: object): KubeObject => {
    const { metadata = {}, ...rest } = part as Partial<KubeObject>;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return { apiVersion, kind, ...rest, metadata: { name: 'x', namespace: 'n', ...metadata } };
  };
  const store = (stored: KubeObject): KubeObject => {
    live = deepFreeze({ ...stored, metadata: { ...stored.metadata, uid: 'u' } });
    return live;
  };
  const write = (name: string, subresource = '') => ({ manager: name, subresource, nowMs: (nowMs += 1000) });
  return {
    get live() {
      return live;
    },
    update(name: string, part: object, subresource = ''): KubeObject {
      const next = complete(part);
      if (live !== undefined) next.metadata.uid = 'u';
      if (live?.metadata.managedFields !== undefined && next.metadata.managedFields === undefined) {
        next.metadata.managedFields = live.metadata.managedFields;
      }
      atOnce(manager.update(live, next, write(name, subresource)));
      return store(next);
    },
    apply(name: string, part: object, force = false, subresource = ''): KubeObject {
      return store(atOnce(manager.apply(live, deepFreeze(complete(part)), { ...write(name, subresource), force })));
    },
    /** The Status of an apply that fails. */
    refused(name: string, part: object): Status {
      try {
        atOnce(manager.apply(live, deepFreeze(complete(part)), { ...write(name), force: false }));
      } catch (error) {
        if (isStatusError(error)) return error.status;
        throw error;
      }
      throw new Error('the apply went through');
    },
  };
}

const owned = (o: KubeObject | undefined): Record<string, unknown> =>
  Object.fromEntries(
    (o?.metadata.managedFields ?? []).map(e => [
      `${e.manager} ${e.operation}${e.subresource === undefined ? '' : ` ${e.subresource}`}`,
      e.fieldsV1,
    ]),
  );

t.test('the life of an applied object', t => {
  const o = object('ConfigMap');
  const labels = { x: 'y' };
  t.same(o.apply('m1', { metadata: { labels }, data: { k: '1', l: '2' } })['data'], { k: '1', l: '2' });
  const m1 = { 'f:data': { 'f:k': {}, 'f:l': {} }, 'f:metadata': { 'f:labels': { 'f:x': {} } } };
  t.same(owned(o.live), { 'm1 Apply': m1 });
  const first = o.live?.metadata.managedFields?.[0]?.time;
  o.apply('m1', { metadata: { labels }, data: { k: '1', l: '2' } });
  t.equal(o.live?.metadata.managedFields?.[0]?.time, first, 'time stands still when nothing changes');

  t.same(o.apply('m1', { metadata: { labels }, data: { k: '3' } })['data'], { k: '3' }, 'what is given up goes');
  o.apply('m2', { data: { k: '3' } });
  t.same(owned(o.live)['m2 Apply'], { 'f:data': { 'f:k': {} } }, 'the same value is shared');
  t.match(
    o.live?.metadata.managedFields?.map(e => [e.manager, e.time === undefined]),
    [
      ['m2', true],
      ['m1', false],
    ],
  );

  t.match(o.refused('m2', { data: { k: '4' } }), {
    code: 409,
    reason: 'Conflict',
    message: 'Apply failed with 1 conflict: conflict with "m1": .data.k',
    details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.k' }] },
  });
  t.equal(
    o.refused('m2', { metadata: { labels: { x: 'z' } }, data: { k: '4' } }).message,
    'Apply failed with 2 conflicts: conflicts with "m1":\n- .data.k\n- .metadata.labels.x',
  );
  o.apply('m2', { metadata: { labels: { x: 'z' } }, data: { k: '4' } }, true);
  t.same(owned(o.live), { 'm2 Apply': { 'f:data': { 'f:k': {} }, 'f:metadata': { 'f:labels': { 'f:x': {} } } } });

  o.update('upd', { metadata: { labels: { x: 'z' } }, data: { k: '5', u: '1' } });
  t.same(owned(o.live), {
    'm2 Apply': { 'f:metadata': { 'f:labels': { 'f:x': {} } } },
    'upd Update': { 'f:data': { 'f:k': {}, 'f:u': {} } },
  });
  t.equal(
    o.refused('m2', { data: { k: '6' } }).message,
    'Apply failed with 1 conflict: conflict with "upd" using v1: .data.k',
  );
  o.apply('m2', {});
  t.same(owned(o.live), { 'upd Update': { 'f:data': { 'f:k': {}, 'f:u': {} } } });
  t.same(o.live?.['data'], { k: '5', u: '1' }, 'others keep what they own');
  t.end();
});

t.test('lists and structs', t => {
  const o = object('Service');
  o.update('c', {
    spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }], selector: { a: 'b' }, type: 'ClusterIP' },
    status: { loadBalancer: {} },
  });
  t.same(
    owned(o.live),
    {
      'c Update': {
        'f:spec': {
          'f:ports': {
            '.': {},
            'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
          },
          'f:selector': {},
          'f:type': {},
        },
      },
    },
    "structs that are always there are nobody's",
  );
  o.apply('a', { spec: { ports: [{ port: 81 }] } });
  t.same(
    owned(o.live)['a Apply'],
    { 'f:spec': { 'f:ports': { 'k:{"port":81,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } } },
    'keys have their defaults',
  );
  t.match(o.live, { spec: { ports: [{ port: 80 }, { port: 81 }] } });
  o.apply('a', { spec: { ports: [{ port: 81 }, { port: 80 }] } });
  t.match(o.live, { spec: { ports: [{ port: 81 }, { port: 80, targetPort: 80 }] } }, 'shared items come in its order');
  o.apply('a', { spec: { ports: [{ port: 80 }] } });
  t.same(
    (o.live?.['spec'] as { ports: { port: number }[] }).ports.map(p => p.port),
    [80],
  );
  t.equal(
    o.refused('b', { spec: { selector: { a: 'c' } } }).message,
    'Apply failed with 1 conflict: conflict with "c" using v1: .spec.selector',
    'an atomic map is one field',
  );
  t.end();
});

t.test('configurations that do not fit the schema', t => {
  const o = object('Deployment');
  const containers = (list: unknown): object => ({ spec: { template: { spec: { containers: list } } } });
  const at = 'failed to create typed patch object (n/x; apps/v1, Kind=Deployment): ';
  const cases: [part: object, message: string][] = [
    [{ spec: { foo: 1 } }, `${at}.spec.foo: field not declared in schema`],
    [{ spec: { replicas: 'x' } }, `${at}.spec.replicas: expected numeric (int or float), got string`],
    [{ spec: { paused: 1 } }, `${at}.spec.paused: expected boolean, got &{1}`],
    [{ spec: { template: 'x' } }, `${at}.spec.template: expected map, got &{x}`],
    [containers({ a: 1 }), `${at}.spec.template.spec.containers: expected list, got &{map[a:1]}`],
    [
      { metadata: { labels: { a: 1 } } },
      `${at}.metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}`,
    ],
    [
      containers([{ name: 'a' }, { name: 'a' }]),
      `${at}.spec.template.spec.containers: duplicate entries for key [name="a"]`,
    ],
    [
      containers([{ name: 'a', foo: 1 }]),
      `${at}.spec.template.spec.containers[name="a"].foo: field not declared in schema`,
    ],
    [
      { spec: { replicas: true, paused: 'x' } },
      `${at}errors:\n  .spec.replicas: expected numeric (int or float), got bool\n  .spec.paused: expected boolean, got &{x}`,
    ],
  ];
  for (const [part, message] of cases) t.match(o.refused('m', part), { code: 500, message }, message.slice(at.length));
  t.match(o.refused('m', { kind: 'Pod' }), { code: 400, message: 'invalid object type: apps/v1, Kind=Pod' });
  t.match(o.refused('m', { apiVersion: 'v1' }), { code: 400, message: 'invalid object type: /v1, Kind=Deployment' });
  t.match(o.refused('m', { metadata: { managedFields: [] } }), {
    code: 400,
    message: 'metadata.managedFields must be nil',
  });
  t.end();
});

t.test('entries of objects that come and go', t => {
  const reset = object('ConfigMap');
  reset.update('m', { data: { a: '1' } });
  reset.update('m', { data: { a: '1' }, metadata: { managedFields: [{}] } });
  t.equal(reset.live?.metadata.managedFields, undefined, '[{}] forgets');
  reset.update('m', { data: { a: '2' } });
  t.equal(reset.live?.metadata.managedFields, undefined, 'and nothing is tracked until an apply');
  reset.apply('a', { data: { b: '1' } });
  t.same(owned(reset.live), {
    'a Apply': { 'f:data': { 'f:b': {} } },
    'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {} } },
  });

  const bad = object('ConfigMap');
  bad.update('m', { data: { a: '1' } });
  const before = owned(bad.live);
  const junk = [{ manager: 'j', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { x: {} } }];
  bad.update('m', { data: { a: '1' }, metadata: { managedFields: junk } });
  t.same(owned(bad.live), before, 'entries that are not understood are ignored');
  const spaced = { 'f:data': { 'f:a': {} }, 'f:x': { 'k:{"b": 1, "a": 2}': {} } };
  bad.update('m', { data: { a: '1' }, metadata: { managedFields: [{ ...junk[0], fieldsV1: spaced }] } });
  t.same(owned(bad.live)['j Update'], { 'f:data': { 'f:a': {} }, 'f:x': { 'k:{"a":2,"b":1}': {} } }, 'canonical keys');

  const many = object('ConfigMap');
  const data: Record<string, string> = {};
  for (let i = 0; i < 13; i++) {
    data[`k${i}`] = '1';
    many.update(`m${i}`, { data: { ...data } });
  }
  const managers = many.live?.metadata.managedFields?.map(e => e.manager);
  t.equal(managers?.length, 10);
  t.equal(managers?.[0], 'ancient-changes');
  t.same(owned(many.live)['ancient-changes Update'], {
    'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} },
  });
  t.end();
});

t.test('kubectl goes over from client-side to server-side apply', t => {
  const config = { data: { a: '1' } };
  const last = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'n' },
    ...config,
  });
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const o = object('ConfigMap');
  o.update('kubectl-client-side-apply', { ...config, metadata: { annotations: { [annotation]: last } } });
  o.apply('kubectl', { data: { a: '2' } });
  t.same(o.live?.['data'], { a: '2' }, 'what client-side apply set is no conflict');
  t.equal(
    o.live?.metadata.annotations?.[annotation],
    '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"x","namespace":"n"}}\n',
    'the annotation follows',
  );
  o.update('other', { data: { a: '3' }, metadata: { annotations: { [annotation]: last } } });
  t.match(o.refused('kubectl', { data: { a: '4' } }), { code: 409 }, 'what changed since is');
  t.end();
});

t.test('parts that a write cannot own', t => {
  const o = object('Deployment', { resetFields: { '': ['status'], status: ['spec'] } });
  o.update('m', { spec: { replicas: 1 }, status: { replicas: 1 } });
  t.same(owned(o.live), { 'm Update': { 'f:spec': { 'f:replicas': {} } } });
  o.update('k', { spec: { replicas: 2 }, status: { replicas: 2 } }, 'status');
  t.same(owned(o.live), {
    'm Update': { 'f:spec': { 'f:replicas': {} } },
    'k Update status': { 'f:status': { 'f:replicas': {} } },
  });
  t.end();
});

t.test('other versions', t => {
  const v1 = struct('core.v1.ConfigMap');
  const rename = (o: Record<string, unknown>, from: string, to: string): Record<string, unknown> => {
    const { [from]: value, ...rest } = o;
    return value === undefined ? rest : { ...rest, [to]: value };
  };
  const renamed: Field = { ...(v1.byName.get('data') as Field), name: 'values' };
  const old: StructType = {
    ...v1,
    fields: [...v1.fields, renamed],
    byName: new Map([...v1.byName, ['values', renamed]]),
  };
  const entry = (apiVersion: string, field: string): ManagedFieldsEntry => ({
    manager: 'm',
    operation: 'Apply',
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: { [field]: { 'f:a': {}, 'f:b': {} } },
  });
  const live = (managedFields: ManagedFieldsEntry[]): KubeObject =>
    deepFreeze({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', uid: 'u', managedFields },
      data: { a: '1', b: '2' },
    });
  const manager = createFieldManager(v1, {
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    resetFields: {},
    convert: (o, to) =>
      to === 'v0'
        ? { object: rename(o, 'data', 'values'), struct: old }
        : to === 'v1'
          ? { object: rename(o, 'values', 'data'), struct: v1 }
          : undefined,
  });
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: '1' } };
  const write = { manager: 'm', subresource: '', nowMs: 0, force: false };
  const pruned = atOnce(manager.apply(live([entry('v0', 'f:values')]), config, write));
  t.same(pruned['data'], { a: '1' }, 'what was applied in an older version is pruned');
  t.same(
    pruned.metadata.managedFields?.map(e => [e.apiVersion, e.fieldsV1]),
    [['v1', { 'f:data': { 'f:a': {} } }]],
  );

  const next: KubeObject = { ...config, metadata: { name: 'x', uid: 'u' }, data: { a: '9', b: '2' } };
  atOnce(
    manager.update(live([entry('v0', 'f:values'), { ...entry('gone', 'f:x'), manager: 'g' }]), next, {
      ...write,
      manager: 'u',
    }),
  );
  t.same(owned(next), { 'm Apply': { 'f:values': { 'f:b': {} } }, 'u Update': { 'f:data': { 'f:a': {} } } });
  t.end();
});

t.test('scale and its object', t => {
  const mapping = { apiVersion: 'apps/v1', replicasPaths: { 'apps/v1': 'spec.replicas' } };
  const base = { operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1' } as const;
  const parent: ManagedFieldsEntry[] = [
    {
      ...base,
      manager: 'a',
      time: '2026-01-01T00:00:00Z',
      fieldsV1: { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } },
    },
    { ...base, manager: 'b', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
  ];
  const scale = scaleEntries(parent, mapping);
  t.same(scale, [
    {
      ...base,
      manager: 'a',
      apiVersion: 'autoscaling/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    },
  ]);
  t.same(parentEntries(parent, scale, mapping), parent, 'nothing changed');
  const taken = {
    ...base,
    operation: 'Update',
    manager: 'h',
    apiVersion: 'autoscaling/v1',
    subresource: 'scale',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  } as const;
  t.same(parentEntries(parent, [taken], mapping), [
    { ...parent[0], fieldsV1: { 'f:spec': { 'f:paused': {} } } },
    parent[1],
    { ...taken, apiVersion: 'apps/v1' },
  ]);
  t.end();
});

t.test('times alone are no change', t => {
  const entry: ManagedFieldsEntry = {
    manager: 'm',
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: {},
  };
  const at = (time: string, data: object): KubeObject => ({ metadata: { managedFields: [{ ...entry, time }] }, data });
  const same = at('2026-01-02T00:00:00Z', { a: '1' });
  keepTimesIfUnchanged(same, at('2026-01-01T00:00:00Z', { a: '1' }));
  t.equal(same.metadata.managedFields?.[0]?.time, '2026-01-01T00:00:00Z');
  const changed = at('2026-01-02T00:00:00Z', { a: '2' });
  keepTimesIfUnchanged(changed, at('2026-01-01T00:00:00Z', { a: '1' }));
  t.equal(changed.metadata.managedFields?.[0]?.time, '2026-01-02T00:00:00Z');
  t.end();
});

t.test('custom resources', t => {
  const field = (name: string, more: Partial<Field>): Field => ({
    name,
    type: { kind: 'string' },
    pointer: true,
    omit: 'empty',
    required: false,
    ...more,
  });
  const structOf = (name: string, fields: Field[], more: Partial<StructType> = {}): StructType => ({
    name,
    goName: name,
    fields,
    byName: new Map(fields.map(f => [f.name, f])),
    ...more,
  });
  const spec = structOf('Spec', [
    field('color', {}),
    field('open', {
      type: { kind: 'struct', struct: structOf('Open', [field('a', {})], { preserveUnknownFields: true }) },
    }),
    field('tags', { type: { kind: 'list', items: { kind: 'string' } }, listType: 'set' }),
    field('items', {
      type: { kind: 'list', items: { kind: 'struct', struct: structOf('Item', [field('k', {}), field('v', {})]) } },
      listType: 'map',
      listMapKeys: ['k', 'l'],
    }),
    field('atom', { type: { kind: 'map', values: { kind: 'string' } }, mapType: 'atomic' }),
  ]);
  const widget = structOf('Widget', [
    field('apiVersion', {}),
    field('kind', {}),
    field('metadata', { type: { kind: 'struct', struct: struct('meta.v1.ObjectMeta') } }),
    field('spec', { type: { kind: 'struct', struct: spec } }),
  ]);
  const manager = createFieldManager(widget, {
    group: 'e.org',
    version: 'v1',
    kind: 'Widget',
    resetFields: {},
    unstructured: true,
  });
  const make = (spec: object): KubeObject => ({
    apiVersion: 'e.org/v1',
    kind: 'Widget',
    metadata: { name: 'x' },
    spec,
  });
  const created = make({ color: 'red', open: { a: '1', z: { y: [1] } }, tags: ['a', 'b'], atom: { k: 'v' } });
  const write = { subresource: '', nowMs: 0 };
  atOnce(manager.update(undefined, created, { ...write, manager: 'c' }));
  t.same(owned(created), {
    'c Update': {
      'f:spec': {
        '.': {},
        'f:atom': {},
        'f:color': {},
        'f:open': { '.': {}, 'f:a': {}, 'f:z': { '.': {}, 'f:y': {} } },
        'f:tags': { '.': {}, 'v:"a"': {}, 'v:"b"': {} },
      },
    },
  });
  const live = deepFreeze({ ...created, metadata: { ...created.metadata, uid: 'u' } });
  const applied = atOnce(
    manager.apply(live, make({ open: { z: { w: 1 } }, tags: ['c', 'a'] }), {
      ...write,
      manager: 'a',
      force: false,
    }),
  );
  t.same(applied['spec'], {
    color: 'red',
    open: { a: '1', z: { y: [1], w: 1 } },
    tags: ['c', 'a', 'b'],
    atom: { k: 'v' },
  });
  t.throws(() => atOnce(manager.apply(live, make({ items: [{ v: '1' }] }), { ...write, manager: 'a', force: false })), {
    message: `failed to create typed patch object (/x; e.org/v1, Kind=Widget): .spec.items: element 0: associative list with keys has an element that omits all key fields ["k" "l"] (and doesn't have default values for any key fields)`,
  });
  const granular: ManagedFieldsEntry = {
    manager: 'g',
    operation: 'Apply',
    apiVersion: 'e.org/v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:atom': { 'f:k': {} } } },
  };
  const next = make({ color: 'blue', atom: { k: 'v' } });
  next.metadata.uid = 'u';
  const before = make({ color: 'red', atom: { k: 'v' } });
  before.metadata = { name: 'x', uid: 'u', managedFields: [granular] };
  atOnce(manager.update(deepFreeze(before), next, { ...write, manager: 'c' }));
  t.same(owned(next)['g Apply'], { 'f:spec': { 'f:atom': {} } }, 'a field that became atomic is owned as a whole');
  t.end();
});
