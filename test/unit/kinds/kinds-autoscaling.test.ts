import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import { cellsOf, created, createErrors, strategyOf } from '../../support/kinds.js';
import { object } from '../../support/kinds-workloads.js';

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
