import type {
  KubeObject,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  Service,
  StatefulSet,
  StorageClass,
} from '../../machinery/types.js';
import {
  CSI_NODES,
  DEVICE_CLASSES,
  NAMESPACES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  RESOURCE_CLAIMS,
  SERVICES,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from '../../client/resources.js';
import { keyOf, type Informer } from '../../client/types.js';
import { SELECTING_INDEX } from '../label-index.js';
import { bySelector } from '../service-pods.js';
import type { ControllerDefinition, ControllerContext, Reconciler } from '../controller.js';
import { isDeleting } from '../pods.js';
import { createBindingCycle } from './binding-cycle.js';
import { createSchedulerCache } from './cache.js';
import { createClaimBinder } from './claim-binder.js';
import { describe, truncateNote } from './fit-error.js';
import { createFramework, runPostFilters } from './framework.js';
import { createNominator } from './nominator.js';
import { place } from './place.js';
import { defaultPreemption } from './plugins/default-preemption.js';
import { createPodInfo, schedulingFacts, type PodInfo, type ReadonlyPod } from './pod-info.js';
import { DEFAULT_PROFILES, type Profile } from './profiles.js';
import { createSchedulingQueue, type QueuedPod } from './queue.js';
import { gateOf, type RunningProfile } from './running-profile.js';
import { createStatusWriter } from './status-writer.js';
import { watchCluster } from './watch.js';

/** The work queue holds this alone: whom to schedule next is the scheduling queue's to say. */
const NEXT = 'next';

/** Bindings on their way at once; more would only wait in the server. */
const MAX_BINDING = 50;

const DEFAULT_SCHEDULER = 'default-scheduler';
const schedulerOf = ({ spec }: ReadonlyPod): string => spec?.schedulerName ?? DEFAULT_SCHEDULER;

/** kube-scheduler: one Pod at a time gets its node; bindings run beside (pkg/scheduler/schedule_one.go). */
export function buildScheduler(
  { client, informers, queue: work, clock, log, recorder, signal }: ControllerContext,
  profiles: readonly Profile[],
  random: () => number,
): Reconciler {
  const pods = informers.informer<Pod>(PODS);
  const nodes = informers.informer<Node>(NODES);
  const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
  const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
  const classes = informers.informer<StorageClass>(STORAGE_CLASSES);
  const csiNodes = informers.informer<KubeObject>(CSI_NODES);
  const resourceClaims = informers.informer<KubeObject>(RESOURCE_CLAIMS);
  const deviceClasses = informers.informer<KubeObject>(DEVICE_CLASSES);
  const services = informers.informer<Service>(SERVICES);
  services.addIndex(SELECTING_INDEX, bySelector);
  const podClient = client.resource<Pod>(PODS);
  const statuses = createStatusWriter(podClient, clock);
  const cache = createSchedulerCache();
  const nominator = createNominator();
  const pluginContext = {
    snapshot: cache,
    volumes: { claims: claims.indexer, volumes: volumes.indexer, classes: classes.indexer },
    selectors: {
      services: services.indexer,
      replicationControllers: informers.informer<ReplicationController>(REPLICATION_CONTROLLERS).indexer,
      replicaSets: informers.informer<ReplicaSet>(REPLICA_SETS).indexer,
      statefulSets: informers.informer<StatefulSet>(STATEFUL_SETS).indexer,
    },
    namespaces: informers.informer<Namespace>(NAMESPACES).indexer,
    csiNodes: csiNodes.indexer,
    resourceClaims: resourceClaims.indexer,
    deviceClasses: deviceClasses.indexer,
    binder: createClaimBinder({
      clock,
      pods,
      claims,
      volumeClient: client.resource<PersistentVolume>(PERSISTENT_VOLUMES),
      claimClient: client.resource<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS),
    }),
  };
  const budgets = informers.informer<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS).indexer;
  const running = new Map<string, RunningProfile>(
    profiles.map(({ schedulerName, plugins }) => {
      const events = recorder(schedulerName);
      const postFilter = defaultPreemption({
        snapshot: cache,
        nominator,
        budgets,
        cached: pods.indexer,
        pods: podClient,
        events,
        clock,
        random,
        recheck: (id, onlyGated) => queue.recheck(id, onlyGated),
        onError: ({ key, id }, error) => {
          log.warn({ pod: key, error: error.message }, 'preemption failed, will retry');
          queue.recheck(id, false);
        },
      });
      return [schedulerName, { framework: createFramework(plugins(pluginContext), nominator), postFilter, events }];
    }),
  );
  const eventsByPlugin = new Map(
    [...running.values()].flatMap(({ framework }) => framework.plugins.map(({ name, events = [] }) => [name, events])),
  );
  const queue = createSchedulingQueue({
    clock,
    gate(pod) {
      const profile = running.get(schedulerOf(pod));
      return profile === undefined ? undefined : gateOf(profile, pod);
    },
    eventsOf: plugin => eventsByPlugin.get(plugin) ?? [],
    wake: () => work.add(NEXT),
  });
  signal.addEventListener('abort', () => queue.close(), { once: true });

  const known = new Map<string, string>();
  const watched = <T extends KubeObject>(informer: Informer<T>): Informer<KubeObject> => informer;
  watchCluster({
    pods,
    nodes,
    cache,
    queue,
    others: [
      [watched(claims), 'claim/changed'],
      [watched(volumes), 'volume/changed'],
      [watched(classes), 'storage-class/changed'],
      [csiNodes, 'csi-node/changed'],
      [resourceClaims, 'resource-claim/changed'],
      [deviceClasses, 'resource-claim/changed'],
    ],
    isOurs: pod => running.has(schedulerOf(pod)),
    waits(pod) {
      const id = pod.metadata.uid ?? '';
      if (isDeleting(pod)) return leave(pod);
      if (cache.isAssumed(id)) return;
      const facts = schedulingFacts(pod);
      const changed = known.has(id) && known.get(id) !== facts;
      known.set(id, facts);
      // A promise of another process holds, too.
      const nominated = pod.status?.nominatedNodeName ?? '';
      if (nominated !== nominator.nodeOf(id) && !statuses.isWriting(id)) nominator.set(createPodInfo(pod), nominated);
      queue.put(pod, changed);
    },
    left: pod => leave(pod),
  });
  function leave(pod: ReadonlyPod): void {
    const id = pod.metadata.uid ?? '';
    known.delete(id);
    queue.remove(id);
    if (nominator.nodeOf(id) === '') return;
    nominator.set(createPodInfo(pod), '');
    queue.happened('pod/deleted');
  }

  const background = (pod: PodInfo, task: Promise<void>): void => {
    task.catch((error: unknown) => {
      if (!signal.aborted) log.warn({ pod: pod.key, error: (error as Error).message }, 'pod status not written');
    });
  };
  const refuse = (
    pod: PodInfo,
    { events }: RunningProfile,
    reason: 'Unschedulable' | 'SchedulerError',
    message: string,
    nominated: string | undefined,
  ): void => {
    if (nominated !== undefined) nominator.set(pod, nominated);
    events.event(pod.pod, 'Warning', 'FailedScheduling', truncateNote(message));
    background(pod, statuses.write(pod, reason, message, nominated));
  };

  const bindings = createBindingCycle({
    podClient,
    cache,
    queue,
    signal,
    onBound: () => work.add(NEXT),
    onError: (pod, profile, { message }) => refuse(pod, profile, 'SchedulerError', message, ''),
  });

  let startAt = 0;
  const scheduleOne = (queued: QueuedPod): void => {
    const pod = createPodInfo(queued.pod);
    const profile = running.get(schedulerOf(pod.pod));
    if (profile === undefined || isDeleting(pod.pod)) return queue.remove(pod.id);
    const count = cache.nodes().length;
    if (count === 0) {
      queue.unschedulable(queued, new Set(['NodeName']));
      return refuse(pod, profile, 'Unschedulable', 'no nodes available to schedule pods', '');
    }
    const { framework, postFilter } = profile;
    const nominated = nominator.nodeOf(pod.id);
    const placement = place(pod, { framework, snapshot: cache, nominated, startAt: startAt % count, random });
    startAt = (startAt + placement.looked) % count;
    if ('diagnosis' in placement) {
      const { diagnosis, cycle } = placement;
      const { nominated: promised, message = '' } = runPostFilters(framework, postFilter, cycle, pod, diagnosis);
      queue.unschedulable(queued, diagnosis.plugins);
      return refuse(pod, profile, 'Unschedulable', describe(diagnosis, message), promised);
    }
    const { node, cycle } = placement;
    nominator.set(pod, '');
    cache.assume(pod, node);
    for (const plugin of framework.plugins) plugin.reserve?.(cycle.states.get(plugin), pod, node);
    void bindings.run(queued, pod, profile, cycle, node);
  };

  return {
    async reconcile() {
      if (bindings.count >= MAX_BINDING) return;
      const queued = queue.pop();
      if (queued === undefined) return;
      work.add(NEXT);
      try {
        scheduleOne(queued);
      } catch (error) {
        queue.failed(queued);
        const { message } = error as Error;
        log.error({ pod: keyOf(queued.pod), error: message }, 'pod cannot be scheduled, will retry');
      }
    },
  };
}

/** Places Pods on nodes as kube-scheduler does, with its default plugins. */
export const scheduler: ControllerDefinition = {
  name: 'scheduler',
  aliases: ['kube-scheduler'],
  // One at a time: each decision must see the one before it.
  workers: 1,
  build: context => buildScheduler(context, DEFAULT_PROFILES, () => context.random.number()),
};
