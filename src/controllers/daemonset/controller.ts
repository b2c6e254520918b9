import { semanticEqual } from '../../machinery/json-equal.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import type { ControllerRevision, DaemonSet, DeepReadonly, Node, Pod } from '../../machinery/types.js';
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { createExpectations } from '../expectations.js';
import { ownRevisions, truncateHistory, type Revision } from '../history.js';
import { watchOwnedPods, watchOwners } from '../owned-pods.js';
import {
  byController,
  claim,
  controllerOf,
  controllerReference,
  CONTROLLER_INDEX,
  ownedOrOrphaned,
} from '../ownership.js';
import { createPodControl } from '../pod-control.js';
import { isNamespaceTerminating } from '../pod-template.js';
import { availableIn } from '../pods.js';
import { slowStart } from '../slow-start.js';
import { writeStatus } from '../status-writer.js';
import { createFailedPodBackoff } from './backoff.js';
import { daemonPod, HASH_LABEL, judgeNode, targetNode, type ReadonlyDaemonSet, type ReadonlyPod } from './nodes.js';
import { daemonStatus, planDaemons, planRollingUpdate, viewDaemonSet, type DaemonSetView } from './plan.js';
import { findRevisions } from './revisions.js';

/** Upstream daemon.BurstReplicas. */
const BURST_REPLICAS = 250;
/** Index of daemon Pods by the node that they are on, or meant for. */
const BY_TARGET = 'daemon-target';
/** Upstream daemon.StatusUpdateRetries. */
const STATUS_RETRIES = 1;

/** Keeps a Pod of every DaemonSet on every node that it wants (pkg/controller/daemon). */
export const daemonSetController: ControllerDefinition = {
  name: 'daemonset-controller',
  aliases: ['daemonset'],
  workers: 2,
  build(context) {
    const { client, informers, queue, clock } = context;
    const sets = informers.informer<DaemonSet>(DAEMON_SETS);
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    const revisions = informers.informer<ControllerRevision>(CONTROLLER_REVISIONS);
    revisions.addIndex(CONTROLLER_INDEX, byController);
    const setClient = client.resource<DaemonSet>(DAEMON_SETS);
    const podClient = client.resource<Pod>(PODS);
    const revisionClient = client.resource<ControllerRevision>(CONTROLLER_REVISIONS);
    const recorder = context.recorder('daemonset-controller');
    const podControl = createPodControl(podClient, recorder);
    const expectations = createExpectations(clock);
    const backoff = createFailedPodBackoff(clock);

    watchOwners(sets, queue, expectations);
    watchOwnedPods({
      pods,
      owners: sets,
      kind: 'DaemonSet',
      queue,
      selector: set => set.spec?.selector,
      expectations,
    });
    pods.addIndex(BY_TARGET, pod => (controllerOf(pod)?.kind === 'DaemonSet' ? [targetNode(pod) ?? ''] : []));
    /** Only sets for which the node makes a difference; one that is gone makes none until its Pods are (syncNodeUpdate). */
    const nodeChanged = (node: DeepReadonly<Node>): void => {
      const owners = new Set<string>();
      for (const pod of pods.indexer.byIndex(BY_TARGET, node.metadata.name ?? '')) {
        const owner = controllerOf(pod);
        if (owner !== undefined) owners.add(`${pod.metadata.namespace ?? ''}/${owner.name}`);
      }
      for (const set of sets.indexer.list()) {
        const { run, stay } = judgeNode(set, node);
        const scheduled = owners.has(keyOf(set));
        const misplaced = (set.status?.numberMisscheduled ?? 0) > 0;
        if (scheduled ? !stay || misplaced : run) queue.add(keyOf(set));
      }
    };
    nodes.addHandler({
      add: nodeChanged,
      update: (old, node) => {
        if (nodeMatters(old, node)) nodeChanged(node);
      },
    });

    const write = async (
      key: string,
      { set, hash }: DaemonSetView,
      create: readonly string[],
      remove: readonly ReadonlyPod[],
    ): Promise<void> => {
      const wanted = create.slice(0, BURST_REPLICAS);
      const unwanted = remove.slice(0, BURST_REPLICAS);
      const reference = controllerReference(set, 'apps/v1', 'DaemonSet');
      expectations.expectCreations(key, wanted.length);
      expectations.expectDeletions(
        key,
        unwanted.map(pod => pod.metadata.uid ?? ''),
      );
      const { done, error } = await slowStart(wanted, async node => {
        await podControl.create(set, daemonPod(set, reference, hash, node));
      });
      for (let missing = wanted.length - done; missing > 0; missing--) expectations.creationObserved(key);
      const results = await Promise.allSettled(
        unwanted.map(async pod => {
          let written = false;
          try {
            written = await podControl.delete(set, pod);
          } finally {
            if (!written) expectations.deletionObserved(key, pod.metadata.uid ?? '');
          }
        }),
      );
      if (error !== undefined && !isNamespaceTerminating(error)) throw error;
      const failed = results.find(result => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    };

    /** Pods that fail again and again are replaced ever more slowly. */
    const manage = async (key: string, view: DaemonSetView): Promise<boolean> => {
      const { set } = view;
      const plan = planDaemons(view);
      const held = new Set<ReadonlyPod>();
      for (const pod of plan.ended) {
        const where = `${keyOf(pod)} on node ${pod.spec?.nodeName ?? ''}`;
        if (pod.status?.phase === 'Succeeded') {
          const message = `Found succeeded daemon pod ${where}, will try to delete it`;
          recorder.event(set, 'Normal', 'SucceededDaemonPod', message);
          continue;
        }
        const wait = backoff.take(`${set.metadata.uid ?? ''}/${pod.spec?.nodeName ?? ''}`);
        if (wait === 0) {
          const message = `Found failed daemon pod ${where}, will try to kill it`;
          recorder.event(set, 'Warning', 'FailedDaemonPod', message);
        } else {
          held.add(pod);
          queue.addAfter(key, wait);
        }
      }
      const remove = plan.remove.filter(pod => !held.has(pod));
      if (plan.create.length + remove.length === 0) return false;
      await write(key, view, plan.create, remove);
      return true;
    };

    const cleanUp = async (set: ReadonlyDaemonSet, old: readonly Revision[], owned: readonly ReadonlyPod[]) => {
      const used = new Set(owned.map(pod => pod.metadata.labels?.[HASH_LABEL]));
      const unused = old.filter(revision => !used.has(revision.metadata.labels?.[HASH_LABEL]));
      // The limit is on all old revisions; what is in use cannot go but counts.
      const limit = (set.spec?.revisionHistoryLimit ?? 10) - (old.length - unused.length);
      await truncateHistory(unused, Math.max(0, limit), revisionClient);
    };

    return {
      async reconcile(key) {
        const set = sets.indexer.get(key);
        if (set === undefined) return expectations.forget(key);
        const selector = labelSelectorAsSelector(set.spec?.selector);
        if (selector.empty) {
          const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
          recorder.event(set, 'Warning', 'SelectingAll', message);
          return;
        }
        if (set.metadata.deletionTimestamp !== undefined) return;
        const reference = controllerReference(set, 'apps/v1', 'DaemonSet');
        const all = await ownRevisions(set, reference, selector, revisions.indexer, revisionClient);
        const { current, old } = await findRevisions(set, all, revisionClient, setClient);
        const hash = current.metadata.labels?.[HASH_LABEL] ?? '';
        const candidates = ownedOrOrphaned(pods.indexer, set);
        const owned = await claim<Pod>(set, reference, candidates, selector, podClient);
        const view = viewDaemonSet(set, [...nodes.indexer.list()], owned, hash, clock.now());

        let failure: Error | undefined;
        const settled = expectations.satisfied(key);
        if (settled) {
          try {
            // What was written is not in this view; its events bring the next sync.
            const changed = await manage(key, view);
            if (!changed && set.spec?.updateStrategy?.type !== 'OnDelete') {
              const { create, remove } = planRollingUpdate(view);
              await write(key, view, create, remove);
            }
            await cleanUp(set, old, owned);
          } catch (error) {
            failure = error as Error;
          }
        }
        // A generation counts as observed only once it has been acted on.
        const generation = settled ? set.metadata.generation : set.status?.observedGeneration;
        const status = daemonStatus(view, generation ?? 0);
        if (!semanticEqual(counted(status), counted(set.status)))
          await writeStatus(setClient, set, status, STATUS_RETRIES);
        if (failure !== undefined) throw failure;
        // Also for a Pod that surges: the status counts only one per node, but its predecessor waits for it.
        const minReady = set.spec?.minReadySeconds ?? 0;
        const now = clock.now();
        const next = Math.min(...owned.map(pod => availableIn(pod, minReady, now) ?? Infinity));
        if (next !== Infinity) queue.addAfter(key, next);
      },
    };
  },
};

const counted = (status: object | undefined): object =>
  Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== 0));

/** Labels and taints decide; heartbeats do not (shouldIgnoreNodeUpdate). */
const nodeMatters = (old: DeepReadonly<Node>, node: DeepReadonly<Node>): boolean =>
  !semanticEqual(old.metadata.labels, node.metadata.labels) || !semanticEqual(old.spec?.taints, node.spec?.taints);
