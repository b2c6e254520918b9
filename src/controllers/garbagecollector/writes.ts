import { semanticEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { KubeObject, ObjectKey, OwnerReference } from '../../machinery/types.js';
import type { Client } from '../../client/types.js';
import type { GraphNode } from './graph.js';

/** What the garbage collector writes. An object that is gone is no error: that is what it wanted. */
export interface GarbageWrites {
  /** The object as the server has it; undefined when it is gone or another one of its name. */
  live(node: GraphNode): Promise<KubeObject | undefined>;
  removeFinalizer(node: GraphNode, live: KubeObject, finalizer: string): Promise<void>;
  setOwners(node: GraphNode, live: KubeObject, owners: readonly OwnerReference[]): Promise<void>;
  /** @throws StatusError Conflict when the object has got other owners meanwhile */
  remove(node: GraphNode, live: KubeObject, propagationPolicy: string): Promise<void>;
}

export function createGarbageWrites(client: Client): GarbageWrites {
  const at = ({ namespace, name }: GraphNode): ObjectKey => ({ namespace, name });
  const tolerant = async (write: Promise<unknown>): Promise<void> => {
    try {
      await write;
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };
  const patchMetadata = (node: GraphNode, live: KubeObject, metadata: object): Promise<void> => {
    const { resourceVersion, uid } = live.metadata;
    const patch = { metadata: { ...metadata, resourceVersion, uid } };
    return tolerant(client.resource(node.ref).patch(at(node), patch, { type: 'merge' }));
  };
  const writes: GarbageWrites = {
    async live(node) {
      try {
        const live = await client.resource(node.ref).get(at(node));
        return live.metadata.uid === node.uid ? live : undefined;
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return undefined;
        throw error;
      }
    },
    async removeFinalizer(node, live, finalizer) {
      const before = live.metadata.finalizers ?? [];
      const finalizers = before.filter(name => name !== finalizer);
      if (finalizers.length < before.length) await patchMetadata(node, live, { finalizers });
    },
    setOwners: (node, live, ownerReferences) => patchMetadata(node, live, { ownerReferences }),
    async remove(node, live, propagationPolicy) {
      const { uid } = node;
      const { resourceVersion = '', ownerReferences } = live.metadata;
      const resource = client.resource(node.ref);
      try {
        await tolerant(resource.delete(at(node), { propagationPolicy, preconditions: { uid, resourceVersion } }));
      } catch (error) {
        if (!isStatusError(error, 'Conflict')) throw error;
        const now = await writes.live(node);
        if (now === undefined) return;
        if (!semanticEqual(now.metadata.ownerReferences ?? [], ownerReferences ?? [])) throw error;
        // Writes that have nothing to do with its owners must not keep it alive.
        await tolerant(resource.delete(at(node), { propagationPolicy, preconditions: { uid } }));
      }
    },
  };
  return writes;
}
