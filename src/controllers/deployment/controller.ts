import { formatTime } from '../../machinery/clock.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Deployment, Pod, ReplicaSet } from '../../machinery/types.js';
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import {
  byController,
  claim,
  controllerOf,
  controllerReference,
  CONTROLLER_INDEX,
  ownedOrOrphaned,
} from '../ownership.js';
import { isTerminal } from '../pods.js';
import { canonicalJson } from './hash.js';
import { createNewSets } from './new-set.js';
import { byRevision, expiredRevisions, findNew } from './revisions.js';
import {
  isScalingEvent,
  newReplicas,
  replicaAnnotations,
  replicasOf,
  scaleDownOld,
  scaleProportionally,
  sum,
} from './rolling.js';
import {
  conditionOf,
  countedStatus,
  deadlineIn,
  isComplete,
  rolloutStatus,
  withCondition,
  type DeploymentStatus,
} from './status.js';

type ReadonlySet = DeepReadonly<ReplicaSet>;
type ReadonlyDeployment = DeepReadonly<Deployment>;

const active = (sets: readonly ReadonlySet[]): ReadonlySet[] => sets.filter(set => replicasOf(set) > 0);

/** Rolls Deployments out over ReplicaSets (pkg/controller/deployment). */
export const deploymentController: ControllerDefinition = {
  name: 'deployment-controller',
  aliases: ['deployment'],
  workers: 5,
  build({ client, informers, queue, clock, recorder }) {
    const deployments = informers.informer<Deployment>(DEPLOYMENTS);
    const sets = informers.informer<ReplicaSet>(REPLICA_SETS);
    const pods = informers.informer<Pod>(PODS);
    const setClient = client.resource<ReplicaSet>(REPLICA_SETS);
    const deploymentClient = client.resource<Deployment>(DEPLOYMENTS);
    const events = recorder('deployment-controller');
    sets.addIndex(CONTROLLER_INDEX, byController);
    pods.addIndex(CONTROLLER_INDEX, byController);

    const ownerKey = (set: ReadonlySet): string | undefined => {
      const owner = controllerOf(set);
      return owner?.kind === 'Deployment' ? `${set.metadata.namespace ?? ''}/${owner.name}` : undefined;
    };
    const setChanged = (set: ReadonlySet): void => {
      const key = ownerKey(set);
      if (key !== undefined) return queue.add(key);
      if (controllerOf(set) !== undefined) return;
      for (const deployment of deployments.indexer.byIndex('namespace', set.metadata.namespace ?? ''))
        if (labelSelectorAsSelector(deployment.spec?.selector).matches(set.metadata.labels ?? {}))
          queue.add(keyOf(deployment));
    };
    deployments.addHandler({
      add: deployment => queue.add(keyOf(deployment)),
      update: (_old, deployment) => queue.add(keyOf(deployment)),
      delete: deployment => queue.add(keyOf(deployment)),
    });
    sets.addHandler({
      add: setChanged,
      update: (old, set) => {
        if (ownerKey(old) !== ownerKey(set)) setChanged(old);
        setChanged(set);
      },
      delete: setChanged,
    });
    // Recreate goes on once the last old Pod is gone.
    pods.addHandler({
      delete: pod => {
        const owner = controllerOf(pod);
        const set =
          owner?.kind === 'ReplicaSet' ? sets.indexer.get(`${pod.metadata.namespace ?? ''}/${owner.name}`) : undefined;
        if (set !== undefined) setChanged(set);
      },
    });

    const scale = async (deployment: ReadonlyDeployment, set: ReadonlySet, to: number): Promise<ReadonlySet> => {
      const from = replicasOf(set);
      const annotations = { ...set.metadata.annotations, ...replicaAnnotations(deployment) };
      if (from === to && canonicalJson(annotations) === canonicalJson(set.metadata.annotations)) return set;
      const updated = await setClient.update({
        ...(set as ReplicaSet),
        metadata: { ...(set as ReplicaSet).metadata, annotations },
        spec: { ...(set as ReplicaSet).spec, replicas: to } as NonNullable<ReplicaSet['spec']>,
      });
      if (from !== to) {
        const direction = from < to ? 'up' : 'down';
        events.event(
          deployment,
          'Normal',
          'ScalingReplicaSet',
          `Scaled ${direction} replica set ${set.metadata.name ?? ''} from ${from} to ${to}`,
        );
      }
      return updated;
    };

    const updateStatus = async (deployment: ReadonlyDeployment, status: DeploymentStatus): Promise<void> => {
      if (canonicalJson(normalised(deployment.status)) === canonicalJson(normalised(status))) return;
      await deploymentClient.update({ ...(deployment as Deployment), status }, { subresource: 'status' });
    };

    const newSets = createNewSets({ setClient, deploymentClient, events, clock });

    const scaleOnly = async (
      deployment: ReadonlyDeployment,
      all: readonly ReadonlySet[],
      fresh: ReadonlySet | undefined,
    ): Promise<void> => {
      const running = active(all);
      const newest = fresh ?? [...all].sort((a, b) => byRevision(b, a))[0];
      const only = running.length <= 1 ? (running[0] ?? newest) : undefined;
      if (only !== undefined) {
        await scale(deployment, only, deployment.spec?.replicas ?? 1);
        return;
      }
      // The new set is complete: old ones are leftovers.
      if (
        fresh !== undefined &&
        replicasOf(fresh) === (deployment.spec?.replicas ?? 1) &&
        (fresh.status?.availableReplicas ?? 0) === replicasOf(fresh)
      ) {
        for (const set of running.filter(other => other !== fresh)) await scale(deployment, set, 0);
        return;
      }
      if (deployment.spec?.strategy?.type === 'Recreate') return;
      for (const { set, to } of scaleProportionally(deployment, running)) await scale(deployment, set, to);
    };

    const cleanUp = async (deployment: ReadonlyDeployment, old: readonly ReadonlySet[]): Promise<void> => {
      for (const set of expiredRevisions(deployment, old))
        await setClient
          .delete({ namespace: set.metadata.namespace ?? '', name: set.metadata.name ?? '' })
          .catch((error: unknown) => {
            if (!isStatusError(error, 'NotFound')) throw error;
          });
    };

    const pausedCondition = async (deployment: ReadonlyDeployment): Promise<ReadonlyDeployment> => {
      const progressing = conditionOf(deployment, 'Progressing');
      const paused = deployment.spec?.paused === true;
      if (progressing?.reason === 'ProgressDeadlineExceeded' || deployment.spec?.progressDeadlineSeconds === undefined)
        return deployment;
      const isMarked = progressing?.reason === 'DeploymentPaused';
      if (paused === isMarked) return deployment;
      const next = paused
        ? {
            type: 'Progressing',
            status: 'Unknown' as const,
            reason: 'DeploymentPaused',
            message: 'Deployment is paused',
          }
        : {
            type: 'Progressing',
            status: 'Unknown' as const,
            reason: 'DeploymentResumed',
            message: 'Deployment is resumed',
          };
      const conditions = withCondition(deployment.status?.conditions ?? [], next, formatTime(clock.now()));
      const status = { ...(deployment as Deployment).status, conditions };
      return await deploymentClient.update({ ...(deployment as Deployment), status }, { subresource: 'status' });
    };

    return {
      async reconcile(key) {
        let deployment = deployments.indexer.get(key);
        if (deployment === undefined) return;
        const selector = labelSelectorAsSelector(deployment.spec?.selector);
        if (selector.requirements.length === 0) {
          events.event(
            deployment,
            'Warning',
            'SelectingAll',
            'This deployment is selecting all pods. A non-empty selector is required.',
          );
          const observedGeneration = deployment.metadata.generation ?? 0;
          return updateStatus(deployment, { ...(deployment as Deployment).status, observedGeneration });
        }
        const candidates = ownedOrOrphaned(sets.indexer, deployment);
        const owned = await claim<ReplicaSet>(
          deployment,
          controllerReference(deployment, 'apps/v1', 'Deployment'),
          candidates,
          selector,
          setClient,
        );
        const status = async (all: readonly ReadonlySet[], fresh: ReadonlySet | undefined): Promise<void> => {
          const now = clock.now();
          await updateStatus(
            deployment as ReadonlyDeployment,
            rolloutStatus(deployment as ReadonlyDeployment, all, fresh, now, formatTime(now)),
          );
          const left = deadlineIn(deployment as ReadonlyDeployment, now);
          if (left !== undefined && left > 0) queue.addAfter(key, left + 1000);
        };
        if (deployment.metadata.deletionTimestamp !== undefined) {
          const fresh = findNew(deployment, owned);
          return updateStatus(deployment, countedStatus(deployment, owned, fresh, formatTime(clock.now())));
        }
        deployment = await pausedCondition(deployment);
        const existing = findNew(deployment, owned);
        if (deployment.spec?.paused === true || isScalingEvent(deployment, owned)) {
          const synced = await newSets.sync(deployment, owned);
          deployment = synced.deployment;
          const { fresh } = synced;
          const old = owned.filter(set => set !== existing);
          const all = fresh === undefined ? old : [...old, fresh];
          await scaleOnly(deployment, all, fresh);
          if (deployment.spec?.paused === true) await cleanUp(deployment, old);
          return updateStatus(deployment, countedStatus(deployment, all, fresh, formatTime(clock.now())));
        }

        if (deployment.spec?.strategy?.type === 'Recreate') {
          const old = owned.filter(set => set !== existing);
          if (sum(old, replicasOf) > 0) {
            for (const set of active(old)) await scale(deployment, set, 0);
            return status(owned, existing);
          }
          if (oldPodsRunning(old)) return status(owned, existing);
        }
        const ensured = await newSets.ensure(deployment, owned);
        deployment = ensured.deployment;
        let fresh = ensured.fresh;
        const old = owned.filter(set => set.metadata.uid !== fresh.metadata.uid);
        const target = newReplicas(deployment, [...old, fresh], fresh);
        const grown = replicasOf(fresh) > (deployment.spec?.replicas ?? 1) ? (deployment.spec?.replicas ?? 1) : target;
        if (grown !== replicasOf(fresh)) {
          fresh = await scale(deployment, fresh, grown);
          return status([...old, fresh], fresh);
        }
        if (deployment.spec?.strategy?.type !== 'Recreate') {
          const shrink = scaleDownOld(deployment, [...old, fresh], old, fresh);
          for (const { set, to } of shrink) await scale(deployment, set, to);
          if (shrink.length > 0) return status([...old, fresh], fresh);
        }
        const now = formatTime(clock.now());
        if (isComplete(deployment, countedStatus(deployment, [...old, fresh], fresh, now)))
          await cleanUp(deployment, old);
        await status([...old, fresh], fresh);
      },
    };

    function oldPodsRunning(old: readonly ReadonlySet[]): boolean {
      return old.some(set =>
        pods.indexer.byIndex(CONTROLLER_INDEX, set.metadata.uid ?? '').some(pod => !isTerminal(pod)),
      );
    }
  },
};

/** Counts that are 0 are not stored, but for terminatingReplicas; conditions in one order. */
function normalised(status: DeepReadonly<Deployment['status']>): unknown {
  const entries = Object.entries(status ?? {}).filter(([key, value]) => value !== 0 || key === 'terminatingReplicas');
  const conditions = [...(status?.conditions ?? [])].sort((a, b) => (a.type < b.type ? -1 : 1));
  return { ...Object.fromEntries(entries), conditions };
}
