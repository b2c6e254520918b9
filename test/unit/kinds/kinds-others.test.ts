import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { StatusError } from '../../../src/machinery/status.js';
import { isStatusError } from '../../../src/machinery/status.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import { loadApi } from '../../../src/api/load.js';
import { runEventTtl } from '../../../src/server/bootstrap/event-ttl.js';
import type { Objects } from '../../../src/api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from '../../../src/server/admission/types.js';
import { namespaceLifecycle } from '../../../src/server/admission/namespace-lifecycle.js';
import { defaultTolerationSeconds, priority } from '../../../src/server/admission/pod-scheduling.js';
import { createServiceAccountPlugin } from '../../../src/server/admission/service-account.js';
import { defaultStorageClass, storageObjectInUseProtection } from '../../../src/server/admission/storage.js';
import { cellsOf, context, created, createErrors, partErrors, strategyOf, updateErrors } from '../../support/kinds.js';

const object = (kind: string, more: object = {}, name = 'a'): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' },
  ...more,
});

t.test('ConfigMaps and Secrets', async t => {
  t.strictSame(createErrors('configmaps', object('ConfigMap', { data: { a: '1' }, binaryData: { a: 'MQ==' } })), [
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ]);
  const fixed = object('ConfigMap', { data: { a: '1' }, immutable: true });
  t.strictSame(
    updateErrors('configmaps', fixed, changed => {
      changed['data'] = { a: '2' };
      changed['immutable'] = false;
    }),
    [
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ],
  );
  t.strictSame(createErrors('secrets', object('Secret', { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } })), [
    'data[tls.key]: Required value',
  ]);
});

t.test('Events of both groups are one kind', async t => {
  const { fromStorage, toStorage } = strategyOf('events.events.k8s.io');
  const event = object('Event', {
    apiVersion: 'events.k8s.io/v1',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'example.org/c',
    reportingInstance: 'c-1',
    action: 'Act',
    reason: 'Because',
    type: 'Normal',
    regarding: { kind: 'Pod', namespace: 'ns', name: 'p' },
    note: 'text',
  });
  const core = toStorage?.(event);
  t.match(core, {
    involvedObject: { name: 'p' },
    message: 'text',
    reportingComponent: 'example.org/c',
  });
  if (core !== undefined)
    t.match(fromStorage?.(core), { regarding: { name: 'p' }, note: 'text', reportingController: 'example.org/c' });
});

t.test('Ingresses', async t => {
  const backend = { service: { name: 's', port: { number: 80 } } };
  const rule = (path: object, host = 'a.example.org'): object => ({
    rules: [{ host, http: { paths: [{ backend, ...path }] } }],
  });
  const cases: { spec: object; expect: string[] }[] = [
    { spec: rule({ path: '/', pathType: 'Prefix' }), expect: [] },
    { spec: {}, expect: ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'] },
    {
      spec: rule({ path: '/' }),
      expect: ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified'],
    },
    {
      spec: rule({ path: '/a/../b', pathType: 'Exact' }),
      expect: ['spec.rules[0].http.paths[0].path: Invalid value: "/a/../b": must not contain \'/../\''],
    },
    {
      spec: rule({ path: '/', pathType: 'Prefix' }, '192.0.2.1'),
      expect: ['spec.rules[0].host: Invalid value: "192.0.2.1": must be a DNS name, not an IP address'],
    },
    {
      spec: { defaultBackend: { service: { name: 's', port: {} } } },
      expect: ['spec.defaultBackend: Required value: port name or number is required'],
    },
  ];
  const ingresses = 'ingresses.networking.k8s.io';
  for (const { spec, expect } of cases)
    t.strictSame(createErrors(ingresses, object('Ingress', { spec })), expect, expect[0] ?? 'accepted');
  t.strictSame(cellsOf(ingresses, created(ingresses, object('Ingress', { spec: cases[0]?.spec }))), [
    'a',
    '<none>',
    'a.example.org',
    '',
    '80',
    '10m',
  ]);
});

t.test('NetworkPolicies', async t => {
  const policies = 'networkpolicies.networking.k8s.io';
  const policy = (spec: object): KubeObject => object('NetworkPolicy', { spec: { podSelector: {}, ...spec } });
  t.match(created(policies, policy({ egress: [{}] })), { spec: { policyTypes: ['Ingress', 'Egress'] } });
  const from = (peer: object): object => ({ ingress: [{ from: [peer] }] });
  const cases: { spec: object; expect: string[] }[] = [
    { spec: from({ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } }), expect: [] },
    { spec: from({}), expect: ['spec.ingress[0].from[0]: Required value: must specify a peer'] },
    {
      spec: from({ podSelector: {}, ipBlock: { cidr: '192.0.2.0/24' } }),
      expect: ['spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer'],
    },
    {
      spec: from({ ipBlock: { cidr: '192.0.2.0/24', except: ['198.51.100.0/24'] } }),
      expect: [
        'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "198.51.100.0/24": must be a strict subset of `cidr`',
      ],
    },
    {
      spec: { ingress: [{ ports: [{ port: 'a', endPort: 5 }] }] },
      expect: ['spec.ingress[0].ports[0].endPort: Invalid value: 5: may not be specified when `port` is non-numeric'],
    },
  ];
  for (const { spec, expect } of cases)
    t.strictSame(createErrors(policies, policy(spec)), expect, expect[0] ?? 'accepted');
});

t.test('PodDisruptionBudgets', async t => {
  const budgets = 'poddisruptionbudgets.policy';
  const budget = (spec: object, status: object = {}): KubeObject => object('PodDisruptionBudget', { spec, status });
  t.strictSame(createErrors(budgets, budget({ minAvailable: '101%' })), [
    'spec.minAvailable: Invalid value: "101%": must not be greater than 100%',
  ]);
  t.match(createErrors(budgets, budget({ minAvailable: 1, maxUnavailable: 1 })), [
    /^spec: Invalid value: \{"MinAvailable":1,.*\}: minAvailable and maxUnavailable cannot be both set$/,
  ]);
  const condition = { type: 'DisruptionAllowed', status: 'Maybe' };
  t.strictSame(partErrors(budgets, 'status', budget({}, { disruptionsAllowed: -1, conditions: [condition] })), [
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    'status.conditions[0].lastTransitionTime: Required value',
    'status.conditions[0].reason: Required value',
    'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
  ]);
});

t.test('PriorityClasses', async t => {
  const classes = 'priorityclasses.scheduling.k8s.io';
  const priorityClass = (value: number, name = 'a'): KubeObject => object('PriorityClass', { value }, name);
  t.strictSame(createErrors(classes, priorityClass(2_000_000_000)), [
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ]);
  t.strictSame(createErrors(classes, priorityClass(2_000_001_000, 'system-node-critical')), []);
  t.equal(createErrors(classes, priorityClass(1, 'system-x')).length, 1);
  t.strictSame(
    updateErrors(classes, priorityClass(1), changed => {
      changed['value'] = 2;
    }),
    ['value: Forbidden: may not be changed in an update.'],
  );
});

const catalog = createCatalog({}, loadApi());

function request(resource: string, object: KubeObject, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const entry = catalog.preferred(resource);
  if (entry === undefined) throw new Error(`no ${resource}`);
  const { namespace = '', name = '' } = object.metadata;
  return { operation: 'CREATE', resource: entry.info, subresource: '', key: { namespace, name }, object, ...more };
}

async function refusal(
  plugin: AdmissionPlugin,
  asked: AdmissionRequest,
  objects: Record<string, KubeObject> = {},
): Promise<StatusError | undefined> {
  try {
    await plugin.admit?.(context(objects), asked);
    await plugin.validate?.(context(objects), asked);
    return undefined;
  } catch (error) {
    if (isStatusError(error)) return error;
    throw error;
  }
}

const pod = (spec: object = {}): KubeObject =>
  object('Pod', { spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec } });

t.test('admission: namespaces', async t => {
  const active = { 'namespaces//ns': object('Namespace', { status: { phase: 'Active' } }, 'ns') };
  t.equal(await refusal(namespaceLifecycle, request('configmaps', object('ConfigMap')), active), undefined);
  const missing = await refusal(namespaceLifecycle, request('configmaps', object('ConfigMap')));
  t.match(missing?.status, { code: 404, message: 'namespaces "ns" not found' });
  const ending = object('Namespace', { status: { phase: 'Terminating' } }, 'ns');
  ending.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  const refused = await refusal(namespaceLifecycle, request('configmaps', object('ConfigMap')), {
    'namespaces//ns': ending,
  });
  t.match(refused?.status, {
    code: 403,
    message: 'configmaps "a" is forbidden: unable to create new content in namespace ns because it is being terminated',
    details: { causes: [{ reason: 'NamespaceTerminating' }] },
  });
});

t.test('admission: what Pods get', async t => {
  const asked = request('pods', pod());
  t.equal(await refusal(priority, asked), undefined);
  t.equal(await refusal(defaultTolerationSeconds, asked), undefined);
  t.match(asked.object?.['spec'], {
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
  });
  const unknown = await refusal(priority, request('pods', pod({ priorityClassName: 'x' })));
  t.match(unknown?.status, {
    code: 403,
    message: 'pods "a" is forbidden: no PriorityClass with name x was found',
  });
});

t.test('admission: service accounts', async t => {
  const plugin = createServiceAccountPlugin(() => 0);
  const missing = await refusal(plugin, request('pods', pod()));
  t.match(missing?.status, {
    code: 403,
    message: 'pods "a" is forbidden: error looking up service account ns/default: serviceaccount "default" not found',
  });
  const account = { 'serviceaccounts/ns/default': object('ServiceAccount', {}, 'default') };
  const asked = request('pods', pod());
  t.equal(await refusal(plugin, asked, account), undefined);
  t.match(asked.object?.['spec'], {
    serviceAccountName: 'default',
    volumes: [{ name: /^kube-api-access-.{5}$/, projected: { defaultMode: 0o644 } }],
    containers: [{ volumeMounts: [{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }] }],
  });
  const without = request('pods', pod({ automountServiceAccountToken: false }));
  t.equal(await refusal(plugin, without, account), undefined);
  t.equal((without.object?.['spec'] as { volumes?: unknown }).volumes, undefined);
});

t.test('admission: claims', async t => {
  const claim = request('persistentvolumeclaims', object('PersistentVolumeClaim', { spec: {} }));
  const standard = object('StorageClass', { provisioner: 'p' }, 'standard');
  standard.metadata.annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  t.equal(
    await refusal(defaultStorageClass, claim, { 'storageclasses.storage.k8s.io//standard': standard }),
    undefined,
  );
  t.equal(await refusal(storageObjectInUseProtection, claim), undefined);
  t.match(claim.object, {
    metadata: { finalizers: ['kubernetes.io/pvc-protection'] },
    spec: { storageClassName: 'standard' },
  });
});

t.test('Events live for an hour', async t => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:30:00Z'));
  const gone: string[] = [];
  const events = [object('Event', {}, 'old'), object('Event', {}, 'touched')];
  const [, touched] = events;
  if (touched !== undefined)
    touched.metadata.managedFields = [{ manager: 'm', operation: 'Update', time: '2026-01-01T00:20:00Z' }];
  const stop = new AbortController();
  const objects: Objects = {
    ...context().objects,
    list: () => events.filter(event => !gone.includes(event.metadata.name ?? '')),
    delete(_ctx, _resource, { name }) {
      gone.push(name);
      return Promise.resolve(object('Event'));
    },
  };
  const running = runEventTtl({
    objects,
    clock,
    ctx: context(),
    signal: stop.signal,
    onError: error => t.fail(String(error)),
  });
  const wait = async (minutes: number): Promise<void> => {
    for (let i = 0; i < minutes; i++) {
      clock.step(60_000);
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  await wait(31);
  t.strictSame(gone, ['old'], 'an hour after its last write');
  await wait(20);
  t.strictSame(gone, ['old', 'touched']);
  stop.abort();
  await running;
});
