import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import {
  cellsOf,
  context,
  created,
  createErrors,
  defaulted,
  NOW,
  partErrors,
  strategyOf,
  updateErrors,
} from '../../support/kinds.js';

const UID = '11111111-1111-4111-8111-111111111111';
const STARTED = new Date(NOW - 90_000).toISOString();

const object = (kind: string, spec: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'a', namespace: 'ns', uid: UID, creationTimestamp: STARTED },
  spec,
});
const template = (spec: object = {}, labels: object = { app: 'a' }): object => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
});
const selector = { matchLabels: { app: 'a' } };
const running = (kind: string, more: object = {}): KubeObject =>
  object(kind, { selector, template: template(), ...more });

type Fields = Record<string, unknown>;
const set =
  (field: string, value: unknown) =>
  (changed: KubeObject): void => {
    (changed['spec'] as Fields)[field] = value;
  };

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

const job = (more: object = {}, spec: object = {}): KubeObject =>
  object('Job', { template: template({ restartPolicy: 'Never', ...spec }, {}), ...more });

t.test('Jobs', async t => {
  const made = created('jobs.batch', job());
  t.match(made, {
    metadata: { labels: { 'batch.kubernetes.io/job-name': 'a', 'controller-uid': UID } },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': UID } },
      template: { metadata: { labels: { 'batch.kubernetes.io/controller-uid': UID, 'job-name': 'a' } } },
    },
  });
  const cases: { object: KubeObject; expect: string[] }[] = [
    { object: job(), expect: [] },
    {
      object: job({}, { restartPolicy: 'Always' }),
      expect: ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    },
    {
      object: job({ backoffLimitPerIndex: 1 }),
      expect: ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    },
    {
      object: job({ managedBy: 'x' }),
      expect: ['spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")'],
    },
    {
      object: job({
        podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [0] } }] },
      }),
      expect: [
        'spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator',
      ],
    },
    {
      object: job({
        completionMode: 'Indexed',
        completions: 5,
        successPolicy: { rules: [{ succeededIndexes: '0-2,7', succeededCount: 1 }] },
      }),
      expect: [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-2,7": error parsing succeededIndexes: too large index: "7"',
        'spec.successPolicy.rules[0].succeededCount: Invalid value: 1: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)',
      ],
    },
  ];
  for (const { object, expect } of cases)
    t.strictSame(createErrors('jobs.batch', object), expect, expect[0] ?? 'accepted');
  t.match(updateErrors('jobs.batch', job(), set('completions', 2)), [/^spec.completions: .*field is immutable/]);
  t.strictSame(updateErrors('jobs.batch', job(), set('parallelism', 2)), []);
  const moved = updateErrors('jobs.batch', job({ suspend: true }), changed => {
    ((changed['spec'] as Fields)['template'] as { spec: Fields }).spec['nodeSelector'] = { a: 'b' };
  });
  t.strictSame(moved, [], 'a suspended Job may be sent elsewhere');
});

t.test('status of a Job', async t => {
  const withStatus = (status: object): KubeObject => ({ ...created('jobs.batch', job()), status });
  const condition = (type: string): object => ({ type, status: 'True' });
  const before = withStatus({ startTime: STARTED, active: 1 });
  const complete = { conditions: [condition('SuccessCriteriaMet'), condition('Complete')], completionTime: STARTED };
  t.strictSame(partErrors('jobs.batch', 'status', withStatus({ startTime: STARTED, ...complete }), before), []);
  t.strictSame(partErrors('jobs.batch', 'status', withStatus({ startTime: STARTED, active: 1, ...complete }), before), [
    'status.active: Invalid value: 1: active>0 is invalid for finished job',
  ]);
  const failed = { startTime: STARTED, conditions: [condition('Failed')] };
  t.strictSame(partErrors('jobs.batch', 'status', withStatus(failed), before), [
    'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
  ]);
  t.strictSame(cellsOf('jobs.batch', withStatus({ startTime: STARTED, succeeded: 1 })).slice(0, 5), [
    'a',
    'Running',
    '1/1',
    '90s',
    '90s',
  ]);
});

t.test('deleting a Job without saying what becomes of its Pods', async t => {
  const warnings: string[] = [];
  const { beforeDelete } = strategyOf('jobs.batch');
  beforeDelete?.(context({}, warnings), job(), { dryRun: false, propagationPolicy: 'Background' });
  t.strictSame(warnings, []);
  beforeDelete?.(context({}, warnings), job(), { dryRun: false });
  t.match(warnings, [/^child pods are preserved by default/]);
});

t.test('CronJobs', async t => {
  const cron = (more: object): KubeObject =>
    object('CronJob', {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: template({ restartPolicy: 'Never' }) } },
      ...more,
    });
  const cases: { more: object; expect: string[] }[] = [
    { more: {}, expect: [] },
    { more: { schedule: '@every 1h' }, expect: [] },
    { more: { schedule: '' }, expect: ['spec.schedule: Required value'] },
    {
      more: { schedule: '* *' },
      expect: ['spec.schedule: Invalid value: "* *": expected exactly 5 fields, found 2: [* *]'],
    },
    {
      more: { schedule: '60 * * * *' },
      expect: ['spec.schedule: Invalid value: "60 * * * *": end of range (60) above maximum (59): 60'],
    },
    {
      more: { schedule: 'TZ=UTC * * * * *' },
      expect: [
        'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    },
    { more: { timeZone: 'Europe/Paris' }, expect: [] },
    {
      more: { timeZone: 'Nowhere/City' },
      expect: ['spec.timeZone: Invalid value: "Nowhere/City": unknown time zone Nowhere/City'],
    },
    {
      more: { concurrencyPolicy: 'X' },
      expect: ['spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace"'],
    },
  ];
  for (const { more, expect } of cases)
    t.strictSame(createErrors('cronjobs.batch', cron(more)), expect, expect[0] ?? JSON.stringify(more));
  t.strictSame(cellsOf('cronjobs.batch', created('cronjobs.batch', cron({}))).slice(0, 6), [
    'a',
    '* * * * *',
    '<none>',
    'False',
    0,
    '<none>',
  ]);
});

t.test('autoscalers in both versions', async t => {
  const target = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' };
  const scaler = (spec: object): KubeObject =>
    object('HorizontalPodAutoscaler', { scaleTargetRef: target, maxReplicas: 3, ...spec });
  const v2 = 'horizontalpodautoscalers.autoscaling';
  const v1 = 'horizontalpodautoscalers.autoscaling/v1';
  t.strictSame(createErrors(v2, scaler({})), []);
  t.strictSame(createErrors(v2, scaler({ maxReplicas: 0 })), [
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
    'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
  ]);
  t.strictSame(createErrors(v2, scaler({ scaleTargetRef: { kind: 'Deployment', name: 'd' } })), [
    'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
  ]);
  const memory = {
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 70 } },
  };
  const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } };
  const stored = created(v2, scaler({ metrics: [memory, cpu], behavior: { scaleUp: { selectPolicy: 'Disabled' } } }));
  const { fromStorage, toStorage } = strategyOf(v1);
  const old = fromStorage?.(stored);
  t.match(old, { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 50 } });
  t.equal(
    old?.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'],
    '[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":70}}]',
  );
  if (old !== undefined)
    t.strictSame(
      toStorage?.(old),
      { ...stored, apiVersion: 'autoscaling/v2' },
      'nothing is lost on the way there and back',
    );
  t.strictSame(cellsOf(v2, stored), [
    'a',
    'Deployment/d',
    'memory: <unknown>/70%, cpu: <unknown>/50%',
    '1',
    3,
    0,
    '90s',
  ]);
});

t.test('metadata of the internal type, which Tables show', async t => {
  const shown = (kind: string, annotations: Record<string, string>): unknown =>
    strategyOf(kind).internalMetadata?.({ metadata: { name: 'a', annotations } }).annotations;
  const generation = { 'deprecated.daemonset.template.generation': '1' };
  t.same(shown('daemonsets.apps', { ...generation, a: 'b' }), { a: 'b' });
  t.equal(shown('daemonsets.apps', generation), undefined);
});
