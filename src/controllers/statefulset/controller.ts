import { semanticEqual } from '../../machinery/json-equal.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../../machinery/types.js';
import { CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from '../../client/resources.js';
import { splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import {
  createRevision,
  nextRevision,
  ownRevisions,
  renumber,
  sameData,
  templatePatch,
  truncateHistory,
  type Revision,
} from '../history.js';
import {
  byController,
  claim,
  controllerOf,
  controllerReference,
  CONTROLLER_INDEX,
  ownedOrOrphaned,
} from '../ownership.js';
import { watchOwnedPods, watchOwners } from '../owned-pods.js';
import { slowStart } from '../slow-start.js';
import { writeStatus } from '../status-writer.js';
import { isMember, podRevision, type ReadonlyPod, type ReadonlyStatefulSet } from './identity.js';
import { planStatefulSet, type StatefulSetPlan } from './plan.js';
import { createStatefulPodControl } from './pod-control.js';

/** Upstream retry.DefaultRetry. */
const STATUS_RETRIES = 4;

interface Revisions {
  readonly all: readonly Revision[];
  readonly current: Revision;
  readonly update: Revision;
  readonly collisionCount: number;
}

/** Keeps the numbered Pods and claims of StatefulSets (pkg/controller/statefulset). */
export const statefulSetController: ControllerDefinition = {
  name: 'statefulset-controller',
  aliases: ['statefulset'],
  workers: 5,
  build(context) {
    const { client, informers, queue, clock } = context;
    const sets = informers.informer<StatefulSet>(STATEFUL_SETS);
    const pods = informers.informer<Pod>(PODS);
    const revisions = informers.informer<ControllerRevision>(CONTROLLER_REVISIONS);
    revisions.addIndex(CONTROLLER_INDEX, byController);
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const setClient = client.resource<StatefulSet>(STATEFUL_SETS);
    const podClient = client.resource<Pod>(PODS);
    const revisionClient = client.resource<ControllerRevision>(CONTROLLER_REVISIONS);
    const act = createStatefulPodControl({
      pods: podClient,
      claims: client.resource<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS),
      recorder: context.recorder('statefulset-controller'),
    });
    watchOwners(sets, queue);
    watchOwnedPods({ pods, owners: sets, kind: 'StatefulSet', selector: set => set.spec?.selector, queue });

    /** The revision that is wanted now and the one that was there before (getStatefulSetRevisions). */
    const findRevisions = async (set: ReadonlyStatefulSet, all: readonly Revision[]): Promise<Revisions> => {
      const wanted = {
        owner: set,
        reference: controllerReference(set, 'apps/v1', 'StatefulSet'),
        labels: set.spec?.template.metadata?.labels,
        data: templatePatch(set.spec?.template),
        revision: nextRevision(all),
      };
      const newest = all.at(-1);
      const same = { data: wanted.data } as unknown as Revision;
      const equal = all.findLast(revision => sameData(revision, same));
      let collisionCount = set.status?.collisionCount ?? 0;
      let update: Revision;
      if (equal !== undefined)
        // An older template is back: its revision becomes the newest.
        update =
          newest !== undefined && sameData(newest, equal)
            ? newest
            : await renumber(equal, wanted.revision, revisionClient);
      else ({ revision: update, collisionCount } = await createRevision(wanted, collisionCount, revisionClient));
      const current = all.find(revision => revision.metadata.name === set.status?.currentRevision) ?? update;
      return { all, current, update, collisionCount };
    };

    const carryOut = async (set: ReadonlyStatefulSet, { steps }: StatefulSetPlan): Promise<Error | undefined> => {
      const find = (name: string) => claims.indexer.get(`${set.metadata.namespace ?? ''}/${name}`);
      for (const step of steps) {
        const { error } = await slowStart(step, action => act(set, action, find));
        if (error !== undefined) return error;
      }
      return undefined;
    };

    const cleanUp = async (
      set: ReadonlyStatefulSet,
      found: Revisions,
      owned: readonly ReadonlyPod[],
    ): Promise<void> => {
      const used = new Set([found.current.metadata.name, found.update.metadata.name, ...owned.map(podRevision)]);
      const unused = found.all.filter(revision => !used.has(revision.metadata.name));
      await truncateHistory(unused, set.spec?.revisionHistoryLimit ?? 10, revisionClient);
    };

    return {
      async reconcile(key) {
        const set = sets.indexer.get(key);
        if (set === undefined) return;
        const selector = labelSelectorAsSelector(set.spec?.selector);
        const reference = controllerReference(set, 'apps/v1', 'StatefulSet');
        const all = await ownRevisions(set, reference, selector, revisions.indexer, revisionClient);
        const candidates = ownedOrOrphaned(pods.indexer, set).filter(
          pod => controllerOf(pod) !== undefined || isMember(set, pod),
        );
        const owned = await claim<Pod>(set, reference, candidates, selector, podClient);
        const found = await findRevisions(set, all);
        const plan = planStatefulSet({
          set,
          pods: owned,
          ...found,
          reference,
          claim: name => claims.indexer.get(`${splitKey(key).namespace}/${name}`),
          nowMs: clock.now(),
        });
        const error = await carryOut(set, plan);
        if (!semanticEqual(counted(plan.status), counted(set.status)))
          await writeStatus(setClient, set, plan.status, STATUS_RETRIES);
        await cleanUp(set, found, owned);
        if (error !== undefined) throw error;
        const minReady = set.spec?.minReadySeconds ?? 0;
        if (minReady > 0 && plan.status.availableReplicas !== plan.status.readyReplicas)
          queue.addAfter(key, minReady * 1000);
      },
    };
  },
};

/** A status without the counts that are 0, which are not stored. */
const counted = (status: object | undefined): object =>
  Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== 0));
