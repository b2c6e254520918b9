import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, OwnerReference } from '../../machinery/types.js';
import { discoverPreferred } from '../../client/discovery.js';
import type { ResourceRef } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { createGraph, FOREGROUND, ORPHAN, type GraphNode } from './graph.js';

/** How often discovery is asked again; upstream's ResyncPeriod of the garbage collector. */
const DISCOVERY_PERIOD_MS = 30_000;

/** Their objects own nothing and are owned by nothing worth collecting, and come in masses (upstream DefaultIgnoredResources). */
const IGNORED = new Set(['events.', 'events.events.k8s.io']);

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/** Deletes what has lost its last owner and carries out foreground and orphan deletions (pkg/controller/garbagecollector). */
export const garbageCollector: ControllerDefinition = {
  name: 'garbage-collector-controller',
  aliases: ['garbagecollector'],
  workers: 20,
  build({ client, informers, queue, clock, signal, log }) {
    const graph = createGraph();
    /** "group/Kind" → where its objects are. */
    const byKind = new Map<string, ResourceRef>();
    const monitored = new Set<string>();
    const resolve = (owner: DeepReadonly<OwnerReference>): ResourceRef | undefined =>
      byKind.get(`${groupOf(owner.apiVersion)}/${owner.kind}`);

    const deleteWork = (node: GraphNode): void => queue.add(`delete/${node.uid}`);

    const changed = (ref: ResourceRef, kind: string, object: DeepReadonly<KubeObject>): void => {
      const { node, before } = graph.upsert(ref, kind, object, resolve);
      if (node.orphaning) queue.add(`orphan/${node.uid}`);
      else if (node.deletingDependents) {
        for (const dependent of node.dependents) deleteWork(dependent);
        deleteWork(node);
      }
      if (node.owners.length === 0) return;
      const ownersChanged = before === undefined || JSON.stringify(before.owners) !== JSON.stringify(node.owners);
      if (ownersChanged) deleteWork(node);
      // An owner that waits for its dependents may be free now.
      if (before !== undefined)
        for (const owner of before.owners) {
          const parent = graph.get(owner.uid);
          if (parent?.deletingDependents === true) deleteWork(parent);
        }
    };
    const gone = (object: DeepReadonly<KubeObject>): void => {
      const node = graph.remove(object.metadata.uid ?? '');
      if (node === undefined) return;
      for (const dependent of node.dependents) deleteWork(dependent);
      for (const owner of node.owners) {
        const parent = graph.get(owner.uid);
        if (parent?.deletingDependents === true) deleteWork(parent);
      }
    };

    const discover = async (): Promise<void> => {
      const resources = (await discoverPreferred(client)).filter(
        ({ verbs, ref }) =>
          verbs.includes('list') &&
          verbs.includes('watch') &&
          verbs.includes('delete') &&
          !IGNORED.has(`${ref.resource}.${ref.group}`),
      );
      for (const { ref, kind } of resources) byKind.set(`${ref.group}/${kind}`, ref);
      for (const { ref, kind } of resources) {
        const id = `${ref.resource}.${ref.group}`;
        if (monitored.has(id)) continue;
        monitored.add(id);
        informers.informer<KubeObject>(ref, { metadataOnly: true }).addHandler({
          add: object => changed(ref, kind, object),
          update: (_old, object) => changed(ref, kind, object),
          delete: gone,
        });
      }
    };

    const at = (node: GraphNode): { namespace: string; name: string } => ({
      namespace: node.namespace,
      name: node.name,
    });
    const getLive = async (node: GraphNode): Promise<KubeObject | undefined> => {
      try {
        const live = await client.resource(node.ref).get(at(node));
        return live.metadata.uid === node.uid ? live : undefined;
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return undefined;
        throw error;
      }
    };
    const tolerant = async (write: Promise<unknown>): Promise<void> => {
      try {
        await write;
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    };
    const removeFinalizer = async (node: GraphNode, live: KubeObject, finalizer: string): Promise<void> => {
      const finalizers = (live.metadata.finalizers ?? []).filter(name => name !== finalizer);
      if (finalizers.length === (live.metadata.finalizers ?? []).length) return;
      const { resourceVersion, uid } = live.metadata;
      await tolerant(
        client
          .resource(node.ref)
          .patch(at(node), { metadata: { finalizers, resourceVersion, uid } }, { type: 'merge' }),
      );
    };
    const setOwners = (
      node: GraphNode,
      live: KubeObject,
      ownerReferences: readonly OwnerReference[],
    ): Promise<void> => {
      const { resourceVersion, uid } = live.metadata;
      return tolerant(
        client
          .resource(node.ref)
          .patch(at(node), { metadata: { ownerReferences, resourceVersion, uid } }, { type: 'merge' }),
      );
    };

    type OwnerState = 'solid' | 'absent' | 'waiting';
    const ownerState = async (owner: OwnerReference, dependent: GraphNode): Promise<OwnerState> => {
      const ref = resolve(owner);
      // A kind that discovery does not know: nobody can say that the owner is gone.
      if (ref === undefined) return 'solid';
      const known = graph.get(owner.uid);
      // An owner in another namespace cannot own: looked up in the dependent's, it is not there.
      const namespace = ref.namespaced ? dependent.namespace : '';
      const sameplace = known === undefined || known.virtual || known.namespace === namespace;
      if (known !== undefined && !known.virtual && sameplace) return known.deletingDependents ? 'waiting' : 'solid';
      try {
        const live = await client.resource(ref).get({ namespace, name: owner.name });
        if (live.metadata.uid !== owner.uid) return 'absent';
        const foreground =
          live.metadata.deletionTimestamp !== undefined && (live.metadata.finalizers ?? []).includes(FOREGROUND);
        return foreground ? 'waiting' : 'solid';
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return 'absent';
        throw error;
      }
    };

    const finishForeground = async (node: GraphNode): Promise<void> => {
      const blocking = [...node.dependents].filter(dependent =>
        dependent.owners.some(o => o.uid === node.uid && o.blockOwnerDeletion === true),
      );
      if (blocking.length === 0) {
        const live = await getLive(node);
        if (live !== undefined) await removeFinalizer(node, live, FOREGROUND);
        return;
      }
      for (const dependent of blocking) if (!dependent.deletingDependents) deleteWork(dependent);
    };

    const attemptToDelete = async (uid: string): Promise<void> => {
      const node = graph.get(uid);
      if (node === undefined) return;
      if (node.deletingDependents) return finishForeground(node);
      if (node.deleting) return;
      const live = await getLive(node);
      if (live === undefined) {
        graph.remove(uid);
        for (const dependent of node.dependents) deleteWork(dependent);
        return;
      }
      const owners = live.metadata.ownerReferences ?? [];
      if (node.virtual || owners.length === 0) return;
      const states = await Promise.all(owners.map(owner => ownerState(owner, node)));
      const solid = owners.filter((_, i) => states[i] === 'solid');
      const waiting = owners.filter((_, i) => states[i] === 'waiting');
      if (solid.length > 0) {
        // Also drops the reference to one that waits, so that it need not wait for this one.
        if (solid.length < owners.length) await setOwners(node, live, solid);
        return;
      }
      let propagationPolicy = 'Background';
      if (waiting.length > 0 && node.dependents.size > 0) {
        propagationPolicy = 'Foreground';
        // Two objects that own each other would wait for each other for ever.
        for (const dependent of node.dependents) {
          if (!dependent.deletingDependents) continue;
          const unblocked = owners.map(owner => ({ ...owner, blockOwnerDeletion: false }));
          await setOwners(node, live, unblocked);
          break;
        }
      } else if (live.metadata.finalizers?.includes(ORPHAN) === true) propagationPolicy = 'Orphan';
      else if (live.metadata.finalizers?.includes(FOREGROUND) === true) propagationPolicy = 'Foreground';
      await tolerant(client.resource(node.ref).delete(at(node), { propagationPolicy, preconditions: { uid } }));
    };

    const attemptToOrphan = async (uid: string): Promise<void> => {
      const node = graph.get(uid);
      if (node === undefined || !node.orphaning) return;
      for (const dependent of [...node.dependents]) {
        const live = await getLive(dependent);
        if (live === undefined) continue;
        const rest = (live.metadata.ownerReferences ?? []).filter(owner => owner.uid !== uid);
        await setOwners(dependent, live, rest);
      }
      const live = await getLive(node);
      if (live !== undefined) await removeFinalizer(node, live, ORPHAN);
    };

    return {
      async reconcile(key) {
        const [work, uid = ''] = key.split('/');
        await (work === 'orphan' ? attemptToOrphan(uid) : attemptToDelete(uid));
      },
      async background() {
        while (!signal.aborted) {
          try {
            await discover();
          } catch (error) {
            log.warn({ error: (error as Error).message }, 'discovery failed, will retry');
          }
          await clock.sleep(DISCOVERY_PERIOD_MS, signal).catch(() => undefined);
        }
      },
    };
  },
};
