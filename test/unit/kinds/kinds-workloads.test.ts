import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createErrors, defaulted, partErrors, strategyOf, updateErrors } from '../../support/kinds.js';
import { object, template, set } from '../../support/kinds-workloads.js';

const selector = { matchLabels: { app: 'a' } };

const running = (kind: string, more: object = {}): KubeObject =>
  object(kind, { selector, template: template(), ...more });

t.test('defaults', async t => {
  t.match(defaulted('deployments.apps', running('Deployment')), {
    spec: {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
  });
  t.match(defaulted('statefulsets.apps', running('StatefulSet')), {
    spec: {
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    },
  });
  t.match(defaulted('daemonsets.apps', running('DaemonSet')), {
    spec: { updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } } },
  });
  const controller = defaulted('replicationcontrollers', object('ReplicationController', { template: template() }));
  t.match(controller, { spec: { replicas: 1, selector: { app: 'a' } }, metadata: { labels: { app: 'a' } } });
  t.match(defaulted('cronjobs.batch', object('CronJob', { schedule: '* * * * *', jobTemplate: {} })), {
    spec: { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
  });
});

const MISMATCH =
  'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`';

t.test('workloads that are refused', async t => {
  const cases: { resource: string; object: KubeObject; expect: string[] }[] = [
    { resource: 'deployments.apps', object: running('Deployment'), expect: [] },
    { resource: 'statefulsets.apps', object: running('StatefulSet'), expect: [] },
    { resource: 'daemonsets.apps', object: running('DaemonSet'), expect: [] },
    {
      resource: 'deployments.apps',
      object: running('Deployment', { selector: { matchLabels: { z: 'z' } } }),
      expect: [MISMATCH],
    },
    {
      resource: 'replicasets.apps',
      object: running('ReplicaSet', { selector: null }),
      expect: ['spec.selector: Required value', MISMATCH],
    },
    {
      resource: 'deployments.apps',
      object: running('Deployment', { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '0%' } } }),
      expect: ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    },
    {
      resource: 'statefulsets.apps',
      object: running('StatefulSet', { podManagementPolicy: 'X' }),
      expect: ["spec.podManagementPolicy: Invalid value: \"X\": must be 'OrderedReady' or 'Parallel'"],
    },
    {
      resource: 'daemonsets.apps',
      object: running('DaemonSet', { updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } }),
      expect: [
        'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
      ],
    },
    {
      resource: 'deployments.apps',
      object: running('Deployment', { template: template({ restartPolicy: 'Never' }) }),
      expect: ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    },
    {
      resource: 'replicationcontrollers',
      object: object('ReplicationController', { selector: { a: 'b' }, template: null }),
      expect: ['spec.template: Required value'],
    },
  ];
  for (const { resource, object, expect } of cases)
    t.strictSame(createErrors(resource, object), expect, `${resource}: ${expect[0] ?? 'accepted'}`);
});

t.test('what may change', async t => {
  t.strictSame(
    updateErrors('deployments.apps', running('Deployment'), changed => {
      const labels = { app: 'a', b: 'c' };
      set('selector', { matchLabels: labels })(changed);
      set('template', template({}, labels))(changed);
    }),
    ['spec.selector: Invalid value: {"matchLabels":{"app":"a","b":"c"}}: field is immutable'],
  );
  t.match(updateErrors('statefulsets.apps', running('StatefulSet'), set('serviceName', 's')), [
    /^spec: Forbidden: updates to statefulset spec for fields other than 'replicas'/,
  ]);
  t.strictSame(updateErrors('statefulsets.apps', running('StatefulSet'), set('replicas', 3)), []);
});

t.test('counts in a status', async t => {
  const counts = (status: object): KubeObject => ({ ...running('StatefulSet'), status });
  t.strictSame(
    partErrors('statefulsets.apps', 'status', counts({ replicas: 1, readyReplicas: 1, availableReplicas: 1 })),
    [],
  );
  t.strictSame(partErrors('statefulsets.apps', 'status', counts({ replicas: 1, readyReplicas: 2 })), [
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
  ]);
});

t.test('scale', async t => {
  const scale = strategyOf('deployments.apps').subresources?.['scale'];
  if (scale?.kind !== 'view') return void t.fail('scale is a view');
  const deployment = { ...defaulted('deployments.apps', running('Deployment')), status: { replicas: 2 } };
  const view = scale.get(deployment);
  t.match(view, { kind: 'Scale', spec: { replicas: 1 }, status: { replicas: 2, selector: 'app=a' } });
  scale.put(deployment, { ...view, spec: { replicas: 5 } });
  t.match(deployment['spec' as never], { replicas: 5 });
  t.equal(scale.validate?.({ ...view, spec: { replicas: -1 } }).length, 1);
});

t.test('metadata of the internal type, which Tables show', async t => {
  const shown = (kind: string, annotations: Record<string, string>): unknown =>
    strategyOf(kind).internalMetadata?.({ metadata: { name: 'a', annotations } }).annotations;
  const generation = { 'deprecated.daemonset.template.generation': '1' };
  t.same(shown('daemonsets.apps', { ...generation, a: 'b' }), { a: 'b' });
  t.equal(shown('daemonsets.apps', generation), undefined);
});
