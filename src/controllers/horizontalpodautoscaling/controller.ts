import { formatTime } from '../../machinery/clock.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import { parseLabelSelector, type Selector } from '../../machinery/labels.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, HorizontalPodAutoscaler, Pod } from '../../machinery/types.js';
import { HORIZONTAL_POD_AUTOSCALERS, PODS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { NoMatchError, scalePath, type Scale } from '../scale-subresource.js';
import { newHistory, remember, type History } from './history.js';
import { MetricError, proposalFor, type MetricProposal } from './metric-proposal.js';
import { createMetricsClient } from './metrics-client.js';
import { normalize } from './normalize.js';
import {
  withCondition,
  type AutoscalerStatus,
  type Condition,
  type MetricStatus,
  type ReadonlyAutoscaler,
} from './status.js';

/** Upstream --horizontal-pod-autoscaler-sync-period. */
const PERIOD_MS = 15_000;
const UPDATE_TRIES = 5;

/** What stands in the way of scaling, once it has been told of. */
class ScalingError extends Error {
  override readonly name = 'ScalingError';
  constructor(
    readonly condition: Condition,
    message: string,
    readonly statuses: readonly MetricStatus[] = [],
  ) {
    super(message);
  }
}

const inactive = (reason: string, message: string): Condition => ({
  type: 'ScalingActive',
  status: 'False',
  reason,
  message,
});

/** Does what metrics ask for, within bounds and rules, and says why not (pkg/controller/podautoscaler). */
export const horizontalPodAutoscalerController: ControllerDefinition = {
  name: 'horizontal-pod-autoscaler-controller',
  aliases: ['horizontalpodautoscaling'],
  workers: 5,
  // Whatever failed is tried again in its turn.
  retry: { baseMs: PERIOD_MS, maxMs: PERIOD_MS },
  build({ client, informers, queue, clock, recorder }) {
    const autoscalers = informers.informer<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS);
    const pods = informers.informer<Pod>(PODS).indexer;
    const writer = client.resource<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS);
    const metrics = createMetricsClient(client);
    const events = recorder('horizontal-pod-autoscaler');
    const histories = new Map<string, History>();
    /** What each one last said which Pods are its. */
    const selectors = new Map<string, Selector>();
    // Nothing is looked at sooner than a period after it changed (default_hpa_rate_limiter.go).
    const later = (autoscaler: ReadonlyAutoscaler): void => queue.addAfter(keyOf(autoscaler), PERIOD_MS);
    const forget = (key: string): void => {
      histories.delete(key);
      selectors.delete(key);
    };
    autoscalers.addHandler({
      add: later,
      update: (_old, autoscaler) => later(autoscaler),
      delete: autoscaler => forget(keyOf(autoscaler)),
    });

    const selectedPods = (autoscaler: ReadonlyAutoscaler, scale: Scale): DeepReadonly<Pod>[] => {
      const warn = (event: string, reason: string, message: string, told = message): never => {
        events.event(autoscaler, 'Warning', event, message);
        throw new ScalingError(inactive(reason, told), message);
      };
      const text = scale.status?.selector ?? '';
      if (text === '')
        return warn(
          'SelectorRequired',
          'InvalidSelector',
          'selector is required',
          "the HPA target's scale is missing a selector",
        );
      let selector: Selector;
      try {
        selector = parseLabelSelector(text);
      } catch (error) {
        const problem = `couldn't convert selector into a corresponding internal selector object: ${(error as Error).message}`;
        return warn('InvalidSelector', 'InvalidSelector', problem);
      }
      const { namespace = '' } = autoscaler.metadata;
      selectors.set(keyOf(autoscaler), selector);
      const found = pods.byIndex('namespace', namespace).filter(pod => selector.matches(pod.metadata.labels));
      const rivals = [...selectors].filter(
        ([key, other]) => key.startsWith(`${namespace}/`) && found.some(pod => other.matches(pod.metadata.labels)),
      );
      if (rivals.length > 1) {
        // As Go prints a list of keys.
        const keys = rivals.map(([key]) => `{${key.slice(namespace.length + 1)} ${namespace}}`).join(' ');
        const problem = `pods by selector ${text} are controlled by multiple HPAs: [${keys}]`;
        return warn('AmbiguousSelector', 'AmbiguousSelector', problem);
      }
      return found;
    };

    interface Computed {
      readonly replicas: number;
      readonly metric: string;
      readonly statuses: readonly MetricStatus[];
      readonly condition: Condition;
    }

    const compute = async (autoscaler: ReadonlyAutoscaler, scale: Scale): Promise<Computed> => {
      const specs = autoscaler.spec?.metrics ?? [];
      const specReplicas = scale.spec?.replicas ?? 0;
      const around = {
        autoscaler,
        metrics,
        pods: selectedPods(autoscaler, scale),
        selector: scale.status?.selector ?? '',
        specReplicas,
        statusReplicas: scale.status?.replicas ?? 0,
        nowMs: clock.now(),
      };
      const statuses: MetricStatus[] = [];
      const invalid: MetricError[] = [];
      let best: MetricProposal | undefined;
      for (const spec of specs) {
        try {
          const proposal = await proposalFor(spec, around);
          statuses.push(proposal.status);
          if (best === undefined || best.replicas === 0 || proposal.replicas > best.replicas) best = proposal;
        } catch (error) {
          if (!(error instanceof MetricError)) throw error;
          events.event(autoscaler, 'Warning', error.reason, error.message);
          statuses.push({ type: '' });
          invalid.push(error);
        }
      }
      const [first] = invalid;
      // Less than there is must not come from knowing less.
      if (first !== undefined && (best === undefined || best.replicas < specReplicas)) {
        const sum = `invalid metrics (${invalid.length} invalid out of ${specs.length}), first error is: ${first.wrapped}`;
        const why = `the HPA was unable to compute the replica count: ${first.message}`;
        throw new ScalingError(inactive(first.reason, why), sum, statuses);
      }
      const message = `the HPA was able to successfully calculate a replica count from ${best?.metric ?? ''}`;
      return {
        replicas: best?.replicas ?? 0,
        metric: best?.metric ?? '',
        statuses,
        condition: { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message },
      };
    };

    /** Again on a conflict, with what is there now. */
    const rescale = async (path: string, scale: Scale, replicas: number): Promise<void> => {
      let current = scale;
      for (let attempt = 1; ; attempt++) {
        try {
          await client.request('PUT', path, { ...current, spec: { ...current.spec, replicas } });
          return;
        } catch (error) {
          if (!isStatusError(error, 'Conflict') || attempt >= UPDATE_TRIES) throw error;
          current = (await client.request('GET', path)) as Scale;
        }
      }
    };

    const judge = async (autoscaler: ReadonlyAutoscaler): Promise<AutoscalerStatus> => {
      const now = clock.now();
      const before = autoscaler.status as AutoscalerStatus | undefined;
      let conditions = before?.conditions ?? [];
      const set = (condition: Condition): void => void (conditions = withCondition(conditions, condition, now));
      const able = (status: 'True' | 'False', reason: string, message: string): void =>
        set({ type: 'AbleToScale', status, reason, message });
      const { scaleTargetRef, minReplicas: min = 1, maxReplicas: max = min, behavior } = autoscaler.spec ?? {};
      let path: string;
      let scale: Scale;
      try {
        path = await scalePath(client, {
          apiVersion: scaleTargetRef?.apiVersion ?? 'v1',
          kind: scaleTargetRef?.kind ?? '',
          name: scaleTargetRef?.name ?? '',
          namespace: autoscaler.metadata.namespace ?? '',
        });
        scale = (await client.request('GET', path)) as Scale;
      } catch (error) {
        const text = error instanceof NoMatchError ? error.inGroup : (error as Error).message;
        events.event(autoscaler, 'Warning', 'FailedGetScale', text);
        able('False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${text}`);
        return { desiredReplicas: 0, ...before, conditions };
      }
      able('True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
      const current = scale.spec?.replicas ?? 0;
      const key = keyOf(autoscaler);
      const history = histories.get(key) ?? newHistory(now, current);
      histories.set(key, history);
      const statusOf = (desired: number, statuses: readonly MetricStatus[], rescaled: boolean): AutoscalerStatus => ({
        ...(before?.observedGeneration === undefined ? {} : { observedGeneration: before.observedGeneration }),
        ...(rescaled
          ? { lastScaleTime: formatTime(now) }
          : before?.lastScaleTime === undefined
            ? {}
            : { lastScaleTime: before.lastScaleTime }),
        currentReplicas: current,
        desiredReplicas: desired,
        ...(statuses.length === 0 ? {} : { currentMetrics: [...statuses] }),
        conditions,
      });

      let desired: number;
      let reason = '';
      let statuses: readonly MetricStatus[] = [];
      if (current === 0 && min !== 0) {
        set(inactive('ScalingDisabled', 'scaling is disabled since the replica count of the target is zero'));
        return statusOf(current, [], false);
      } else if (current > max) {
        [desired, reason] = [max, 'Current number of replicas above Spec.MaxReplicas'];
      } else if (current < min) {
        [desired, reason] = [min, 'Current number of replicas below Spec.MinReplicas'];
      } else {
        let computed: Computed;
        try {
          computed = await compute(autoscaler, scale);
        } catch (error) {
          if (!(error instanceof ScalingError)) throw error;
          set(error.condition);
          events.event(autoscaler, 'Warning', 'FailedComputeMetricsReplicas', error.message);
          return statusOf(before?.desiredReplicas ?? 0, error.statuses, false);
        }
        set(computed.condition);
        statuses = computed.statuses;
        if (computed.replicas > current) reason = `${computed.metric} above target`;
        if (computed.replicas < current) reason = 'All metrics below target';
        const asked = { history, behavior, min, max, current, desired: computed.replicas, nowMs: now };
        const { replicas, conditions: limits } = normalize(asked);
        limits.forEach(set);
        desired = replicas;
        if (desired === current) return statusOf(current, statuses, false);
      }
      try {
        await rescale(path, scale, desired);
      } catch (error) {
        const { message } = error as Error;
        events.event(
          autoscaler,
          'Warning',
          'FailedRescale',
          `New size: ${desired}; reason: ${reason}; error: ${message}`,
        );
        able('False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${message}`);
        return statusOf(before?.desiredReplicas ?? 0, statuses, false);
      }
      able('True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`);
      events.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`);
      remember(history, behavior, current, desired, now);
      return statusOf(desired, statuses, true);
    };

    return {
      async reconcile(key) {
        const autoscaler = autoscalers.indexer.get(key);
        if (autoscaler === undefined) return forget(key);
        const status = await judge(autoscaler);
        if (!semanticEqual(status, autoscaler.status))
          await writer.update({ ...(autoscaler as HorizontalPodAutoscaler), status }, { subresource: 'status' });
        queue.addAfter(key, PERIOD_MS);
      },
    };
  },
};
