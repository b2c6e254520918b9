import { formatTime } from '../../machinery/clock.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { HorizontalPodAutoscaler } from '../../machinery/types.js';
import { HORIZONTAL_POD_AUTOSCALERS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { NoMatchError, scalePath, type Scale } from '../scale-subresource.js';
import { boundReplicas, metricFailure, withCondition, type AutoscalerStatus, type ReadonlyAutoscaler } from './plan.js';

/** Upstream --horizontal-pod-autoscaler-sync-period. */
const PERIOD_MS = 15_000;

/** Keeps targets within their bounds and says why metrics do not move them (pkg/controller/podautoscaler). */
export const horizontalPodAutoscalerController: ControllerDefinition = {
  name: 'horizontal-pod-autoscaler-controller',
  aliases: ['horizontalpodautoscaling'],
  workers: 5,
  build({ client, informers, queue, clock, recorder }) {
    const autoscalers = informers.informer<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS);
    const writer = client.resource<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS);
    const events = recorder('horizontal-pod-autoscaler');
    // Nothing is looked at sooner than a period after it changed (default_hpa_rate_limiter.go).
    const later = (autoscaler: ReadonlyAutoscaler): void => queue.addAfter(keyOf(autoscaler), PERIOD_MS);
    autoscalers.addHandler({ add: later, update: (_old, autoscaler) => later(autoscaler) });

    const judge = async (autoscaler: ReadonlyAutoscaler): Promise<AutoscalerStatus> => {
      const now = clock.now();
      let conditions = (autoscaler.status?.conditions ?? []) as NonNullable<AutoscalerStatus['conditions']>;
      const set = (type: string, status: 'True' | 'False', reason: string, message: string): void => {
        conditions = withCondition(conditions, { type, status, reason, message }, now);
      };
      const before = autoscaler.status as AutoscalerStatus | undefined;
      const target = autoscaler.spec?.scaleTargetRef;
      let path: string;
      let scale: Scale;
      try {
        path = await scalePath(client, {
          apiVersion: target?.apiVersion ?? 'v1',
          kind: target?.kind ?? '',
          name: target?.name ?? '',
          namespace: autoscaler.metadata.namespace ?? '',
        });
        scale = (await client.request('GET', path)) as Scale;
      } catch (error) {
        const text = error instanceof NoMatchError ? error.inGroup : (error as Error).message;
        events.event(autoscaler, 'Warning', 'FailedGetScale', text);
        const message = `the HPA controller was unable to get the target's current scale: ${text}`;
        set('AbleToScale', 'False', 'FailedGetScale', message);
        return { desiredReplicas: 0, ...before, conditions };
      }
      set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
      const current = scale.spec?.replicas ?? 0;
      const { desired, reason, disabled } = boundReplicas(autoscaler, current);
      if (disabled === true) {
        const message = 'scaling is disabled since the replica count of the target is zero';
        set('ScalingActive', 'False', 'ScalingDisabled', message);
      }
      if (desired === undefined) {
        const metrics = autoscaler.spec?.metrics ?? [];
        const failures = metrics.map(metricFailure);
        for (const failure of failures) events.event(autoscaler, 'Warning', failure.reason, failure.message);
        const [first] = failures;
        if (first !== undefined) {
          const message = `the HPA was unable to compute the replica count: ${first.message}`;
          set('ScalingActive', 'False', first.reason, message);
          const count = failures.length;
          const sum = `invalid metrics (${count} invalid out of ${count}), first error is: ${first.wrapped}`;
          events.event(autoscaler, 'Warning', 'FailedComputeMetricsReplicas', sum);
        }
        const currentMetrics = metrics.map(() => ({ type: '' }));
        return { desiredReplicas: 0, ...before, currentReplicas: current, currentMetrics, conditions };
      }
      if (desired === current) return { ...before, currentReplicas: current, desiredReplicas: desired, conditions };
      await client.request('PUT', path, { ...scale, spec: { replicas: desired } });
      const message = `the HPA controller was able to update the target scale to ${desired}`;
      set('AbleToScale', 'True', 'SucceededRescale', message);
      events.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason ?? ''}`);
      return {
        ...before,
        currentReplicas: current,
        desiredReplicas: desired,
        lastScaleTime: formatTime(now),
        conditions,
      };
    };

    return {
      async reconcile(key) {
        const autoscaler = autoscalers.indexer.get(key);
        if (autoscaler === undefined) return;
        const status = await judge(autoscaler);
        if (!semanticEqual(status, autoscaler.status))
          await writer.update({ ...(autoscaler as HorizontalPodAutoscaler), status }, { subresource: 'status' });
        queue.addAfter(key, PERIOD_MS);
      },
    };
  },
};
