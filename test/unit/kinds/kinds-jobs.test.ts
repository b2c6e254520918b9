import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import { cellsOf, context, created, createErrors, partErrors, strategyOf, updateErrors } from '../../support/kinds.js';
import { UID, STARTED, object, template, type Fields, set } from '../../support/kinds-workloads.js';

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
