import type { DeepReadonly, KubeObject, OwnerReference } from '../../machinery/types.js';
import { discoverPreferred, failingText } from '../../client/discovery.js';
import type { ResourceRef } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { createGraph, FOREGROUND, means, ORPHAN, type GraphNode } from './graph.js';
import { createAbsentOwners, ownerState, type OwnerState } from './owners.js';
import { createGarbageWrites } from './writes.js';

/** How often discovery is asked again; upstream's ResyncPeriod of the garbage collector. */
const DISCOVERY_PERIOD_MS = 30_000;

const METADATA = { metadataOnly: true };

/** What is told of the objects of one resource. */
interface Monitor {
  readonly ref: ResourceRef;
  stop(): void;
  objects(): Iterable<DeepReadonly<KubeObject>>;
}

/** How soon an owner that lives, though no watch has shown it yet, is asked for again: it may go before one does. */
const UNSEEN_OWNER_MS = 10_000;

/** Their objects own nothing and are owned by nothing worth collecting, and come in masses (upstream DefaultIgnoredResources). */
const IGNORED = new Set(['events.', 'events.events.k8s.io']);

/** Deletes what has lost its last owner and carries out foreground and orphan deletions (pkg/controller/garbagecollector). */
export const garbageCollector: ControllerDefinition = {
  name: 'garbage-collector-controller',
  aliases: ['garbagecollector'],
  workers: 20,
  build({ client, informers, queue, clock, signal, log, recorder }) {
    const graph = createGraph();
    const absent = createAbsentOwners();
    const writes = createGarbageWrites(client);
    const events = recorder('garbage-collector-controller');
    /** "apiVersion/Kind" → where its objects are. */
    const byKind = new Map<string, ResourceRef>();
    const monitored = new Map<string, Monitor>();
    /** Uids of objects with an owner whose kind is not served: looked at again when kinds have come. */
    const unknownOwner = new Set<string>();
    const resolve = ({ apiVersion, kind }: DeepReadonly<OwnerReference>): ResourceRef | undefined =>
      byKind.get(`${apiVersion}/${kind}`);
    const lookup = { client, graph, absent, resolve };

    const deleteWork = (node: GraphNode): void => queue.add(`delete/${node.uid}`);
    const isSolid = (owner: DeepReadonly<OwnerReference>, { namespace }: GraphNode): boolean => {
      const known = graph.get(owner.uid);
      return known !== undefined && !known.deletingDependents && means(owner, known, namespace);
    };
    const isElsewhere = (owner: GraphNode | undefined, dependent: GraphNode): boolean =>
      owner !== undefined && owner.namespace !== '' && owner.namespace !== dependent.namespace;
    const reportElsewhere = (dependent: GraphNode, owner: DeepReadonly<OwnerReference>): void => {
      const { ref, kind, namespace, name, uid } = dependent;
      const apiVersion = ref.group === '' ? ref.version : `${ref.group}/${ref.version}`;
      const text = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
      const about = { apiVersion, kind, metadata: { name, uid, ...(namespace === '' ? {} : { namespace }) } };
      const message = `ownerRef ${text} does not exist in namespace "${namespace}"`;
      events.event(about, 'Warning', 'OwnerRefInvalidNamespace', message);
    };
    const freeOwners = (owners: readonly DeepReadonly<OwnerReference>[]): void => {
      for (const { uid } of owners) {
        const parent = graph.get(uid);
        if (parent?.deletingDependents === true) deleteWork(parent);
      }
    };

    /** An owner that shows after its dependents may not be the one they mean. */
    const checkDependents = (owner: GraphNode): void => {
      for (const dependent of graph.dependents(owner.uid)) {
        const wrong = dependent.owners.find(o => o.uid === owner.uid && !means(o, owner, dependent.namespace));
        if (wrong === undefined) continue;
        if (isElsewhere(owner, dependent)) reportElsewhere(dependent, wrong);
        deleteWork(dependent);
      }
    };
    const ownersChanged = (node: GraphNode, before: readonly DeepReadonly<OwnerReference>[]): void => {
      freeOwners(before);
      if (!node.owners.every(owner => isSolid(owner, node))) deleteWork(node);
      const had = new Set(before.map(owner => owner.uid));
      const elsewhere = node.owners.find(({ uid }) => !had.has(uid) && isElsewhere(graph.get(uid), node));
      if (elsewhere !== undefined) reportElsewhere(node, elsewhere);
    };
    const changed = (ref: ResourceRef, kind: string, object: DeepReadonly<KubeObject>): void => {
      const { node, before } = graph.upsert(ref, kind, object);
      if (before === undefined) checkDependents(node);
      if (node.orphaning) queue.add(`orphan/${node.uid}`);
      else if (node.deletingDependents && before?.deletingDependents !== true) {
        for (const dependent of graph.dependents(node.uid)) deleteWork(dependent);
        deleteWork(node);
      }
      const old = before?.owners ?? [];
      if (JSON.stringify(old) !== JSON.stringify(node.owners)) ownersChanged(node, old);
    };
    const forget = (uid: string): void => {
      unknownOwner.delete(uid);
      const node = graph.remove(uid);
      if (node === undefined) return;
      const dependents = graph.dependents(uid);
      const { kind, name, ref } = node;
      const apiVersion = ref.group === '' ? ref.version : `${ref.group}/${ref.version}`;
      if (dependents.size > 0) absent.add(node.namespace, { apiVersion, kind, name, uid });
      for (const dependent of dependents) deleteWork(dependent);
      freeOwners(node.owners);
    };

    const monitor = (ref: ResourceRef, kind: string): Monitor => {
      const informer = informers.informer<KubeObject>(ref, METADATA);
      const unhear = informer.addHandler({
        add: object => changed(ref, kind, object),
        update: (_old, object) => changed(ref, kind, object),
        delete: object => forget(object.metadata.uid ?? ''),
      });
      return {
        ref,
        stop() {
          unhear();
          informers.release?.(ref, METADATA);
        },
        objects: () => informer.indexer.list(),
      };
    };
    const discover = async (): Promise<void> => {
      const { resources, failing } = await discoverPreferred(client);
      if (failing.length > 0) log.warn({ error: failingText(failing) }, 'discovery of groups failed, will retry');
      const failed = new Set(failing.map(groupVersion => groupVersion.split('/')[0] ?? ''));
      const kinds = new Map<string, ResourceRef>();
      for (const { ref, kind, versions } of resources)
        for (const version of versions)
          kinds.set(`${ref.group === '' ? version : `${ref.group}/${version}`}/${kind}`, ref);
      const isNews = [...kinds.keys()].some(kind => !byKind.has(kind));
      for (const [kind, { group }] of byKind) if (!kinds.has(kind) && !failed.has(group)) byKind.delete(kind);
      for (const [kind, ref] of kinds) byKind.set(kind, ref);
      const served = new Set<string>();
      for (const { ref, kind, verbs } of resources) {
        const id = `${ref.resource}.${ref.group}`;
        const isWatched = ['list', 'watch', 'delete'].every(verb => verbs.includes(verb));
        if (!isWatched || IGNORED.has(id)) continue;
        served.add(id);
        const known = monitored.get(id);
        if (known !== undefined && known.ref.version === ref.version && known.ref.namespaced === ref.namespaced)
          continue;
        // Its objects come again, in another version.
        known?.stop();
        monitored.set(id, monitor(ref, kind));
      }
      for (const [id, gone] of monitored) {
        if (served.has(id) || failed.has(gone.ref.group)) continue;
        monitored.delete(id);
        // What is not served has no objects, whatever was missed of their end.
        for (const object of gone.objects()) forget(object.metadata.uid ?? '');
        gone.stop();
      }
      if (isNews) for (const uid of unknownOwner) queue.add(`delete/${uid}`);
    };

    const finishForeground = async (node: GraphNode): Promise<void> => {
      const blocking = [...graph.dependents(node.uid)].filter(dependent =>
        dependent.owners.some(o => o.uid === node.uid && o.blockOwnerDeletion === true),
      );
      if (blocking.length === 0) {
        const live = await writes.live(node);
        if (live !== undefined) await writes.removeFinalizer(node, live, FOREGROUND);
        return;
      }
      for (const dependent of blocking) if (!dependent.deleting) deleteWork(dependent);
    };

    const attemptToDelete = async (uid: string): Promise<void> => {
      const node = graph.get(uid);
      if (node === undefined) return;
      if (node.deletingDependents) return finishForeground(node);
      if (node.deleting || node.owners.every(owner => isSolid(owner, node))) return;
      const live = await writes.live(node);
      if (live === undefined) return forget(uid);
      const owners = live.metadata.ownerReferences ?? [];
      if (owners.length === 0) return;
      const states: OwnerState[] = [];
      for (const owner of owners) states.push(await ownerState(owner, node, lookup));
      // Nothing is done to an object with an owner that cannot be looked up: what is deleted does not come back.
      if (states.includes('unresolvable')) return;
      if (states.includes('unknown')) return void unknownOwner.add(uid);
      unknownOwner.delete(uid);
      const solid = owners.filter((_, i) => states[i] === 'solid');
      if (solid.length > 0) {
        // Also drops the reference to one that waits, so that it need not wait for this one.
        if (solid.length < owners.length) await writes.setOwners(node, live, solid);
        if (solid.some(owner => graph.get(owner.uid) === undefined)) queue.addAfter(`delete/${uid}`, UNSEEN_OWNER_MS);
        return;
      }
      const dependents = graph.dependents(uid);
      let policy = 'Background';
      let current = live;
      if (states.includes('waiting') && dependents.size > 0) {
        policy = 'Foreground';
        // Two objects that own each other would wait for each other for ever.
        if ([...dependents].some(dependent => dependent.deletingDependents)) {
          await writes.setOwners(
            node,
            live,
            owners.map(owner => ({ ...owner, blockOwnerDeletion: false })),
          );
          const unblocked = await writes.live(node);
          if (unblocked === undefined) return;
          current = unblocked;
        }
      } else if (live.metadata.finalizers?.includes(ORPHAN) === true) policy = 'Orphan';
      else if (live.metadata.finalizers?.includes(FOREGROUND) === true) policy = 'Foreground';
      await writes.remove(node, current, policy);
    };

    const attemptToOrphan = async (uid: string): Promise<void> => {
      const node = graph.get(uid);
      if (node === undefined || !node.orphaning) return;
      for (const dependent of [...graph.dependents(uid)]) {
        const live = await writes.live(dependent);
        const owners = live?.metadata.ownerReferences ?? [];
        const rest = owners.filter(owner => owner.uid !== uid);
        if (live !== undefined && rest.length < owners.length) await writes.setOwners(dependent, live, rest);
      }
      const live = await writes.live(node);
      if (live !== undefined) await writes.removeFinalizer(node, live, ORPHAN);
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
