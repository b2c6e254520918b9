import { semanticEqual } from '../../machinery/json-equal.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import type {
  Deployment,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../machinery/types.js';
import {
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { byLabel, candidatesWith, LABEL_INDEX } from '../label-index.js';
import {
  budgetStatus,
  disruptedPods,
  expectedCounts,
  failedStatus,
  goSelector,
  needsScale,
  type BudgetStatus,
  type ReadonlyBudget,
  type ReadonlyPod,
} from './plan.js';
import { createScaleFinder } from './scale.js';

/** Says how many Pods of each budget may be evicted now (pkg/controller/disruption). */
export const disruptionController: ControllerDefinition = {
  name: 'disruption-controller',
  aliases: ['disruption'],
  workers: 1,
  build(context) {
    const { client, informers, queue, clock } = context;
    const budgets = informers.informer<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS);
    const pods = informers.informer<Pod>(PODS);
    pods.addIndex(LABEL_INDEX, byLabel);
    const writer = client.resource<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS);
    const recorder = context.recorder('controllermanager');
    const findScale = createScaleFinder({
      client,
      deployments: informers.informer<Deployment>(DEPLOYMENTS).indexer,
      replicaSets: informers.informer<ReplicaSet>(REPLICA_SETS).indexer,
      statefulSets: informers.informer<StatefulSet>(STATEFUL_SETS).indexer,
      replicationControllers: informers.informer<ReplicationController>(REPLICATION_CONTROLLERS).indexer,
    });

    budgets.addHandler({
      add: budget => queue.add(keyOf(budget)),
      update: (_old, budget) => queue.add(keyOf(budget)),
    });
    const podChanged = (pod: ReadonlyPod): void => {
      for (const budget of budgets.indexer.byIndex('namespace', pod.metadata.namespace ?? ''))
        if (labelSelectorAsSelector(budget.spec?.selector).matches(pod.metadata.labels)) queue.add(keyOf(budget));
    };
    pods.addHandler({
      add: podChanged,
      update(old, pod) {
        podChanged(pod);
        if (!semanticEqual(old.metadata.labels, pod.metadata.labels)) podChanged(old);
      },
      delete: podChanged,
    });

    const writeStatus = async (budget: ReadonlyBudget, status: BudgetStatus): Promise<void> => {
      if (semanticEqual(status, budget.status)) return;
      await writer.update({ ...(budget as PodDisruptionBudget), status }, { subresource: 'status' });
    };

    const sync = async (key: string, budget: ReadonlyBudget): Promise<void> => {
      const selector = labelSelectorAsSelector(budget.spec?.selector);
      const selected = candidatesWith(pods.indexer, splitKey(key).namespace, budget.spec?.selector?.matchLabels).filter(
        pod => selector.matches(pod.metadata.labels),
      );
      if (selected.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found');
      let scale = 0;
      if (needsScale(budget)) {
        try {
          const found = await findScale(selected);
          scale = found.scale;
          if (found.unmanaged.length > 0) tellUnmanaged(budget);
        } catch (error) {
          const text = (error as Error).message;
          const message = `Failed to calculate the number of expected pods: ${text}`;
          recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', message);
          throw error;
        }
      }
      const now = clock.now();
      const { pending, overdue, recheckMs } = disruptedPods(budget, selected, now);
      for (const pod of overdue) {
        const message = `Pod was expected by PDB ${key} to be deleted but it wasn't`;
        recorder.event(pod, 'Warning', 'NotDeleted', message);
      }
      if (recheckMs !== undefined) queue.addAfter(key, recheckMs - now + 1);
      await writeStatus(budget, budgetStatus(budget, selected, expectedCounts(budget, selected, scale), pending, now));
    };

    const tellUnmanaged = (budget: ReadonlyBudget): void => {
      recorder.event(
        budget,
        'Warning',
        'UnmanagedPods',
        `Pods selected by this PodDisruptionBudget (selector: ${goSelector(budget.spec?.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
      );
    };

    return {
      async reconcile(key) {
        const budget = budgets.indexer.get(key);
        if (budget === undefined) return;
        try {
          await sync(key, budget);
        } catch (error) {
          await writeStatus(budget, failedStatus(budget, (error as Error).message, clock.now()));
          throw error;
        }
      },
    };
  },
};
