import type { DeepReadonly, KubeObject, OwnerReference } from '../../machinery/types.js';
import type { ResourceRef } from '../../client/types.js';

type Reference = DeepReadonly<OwnerReference>;

/** An object that a watch has shown, in the ownership graph. */
export interface GraphNode {
  readonly uid: string;
  readonly ref: ResourceRef;
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  owners: readonly Reference[];
  /** Has a deletionTimestamp. */
  deleting: boolean;
  /** Has the foregroundDeletion finalizer and a deletionTimestamp: waits for its dependents. */
  deletingDependents: boolean;
  orphaning: boolean;
}

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/** Whether a reference of an object in `namespace` means this owner, and not only its uid. */
export const means = (reference: Reference, owner: GraphNode, namespace: string): boolean =>
  reference.kind === owner.kind &&
  reference.name === owner.name &&
  groupOf(reference.apiVersion) === owner.ref.group &&
  (owner.namespace === '' || owner.namespace === namespace);

/** What of a node's earlier state decides what to do after a change. */
export type GraphSnapshot = Pick<GraphNode, 'owners' | 'deletingDependents'>;

/**
 * Who owns whom, by uid. Dependents are filed under their owner's uid whether or not the owner has been seen, so that
 * none is forgotten by the order in which watches start.
 */
export interface Graph {
  get(uid: string): GraphNode | undefined;
  /** Objects that name this uid as an owner, rightly or not. */
  dependents(uid: string): ReadonlySet<GraphNode>;
  upsert(ref: ResourceRef, kind: string, object: DeepReadonly<KubeObject>): { node: GraphNode; before?: GraphSnapshot };
  remove(uid: string): GraphNode | undefined;
}

const NONE: ReadonlySet<GraphNode> = new Set();

export function createGraph(): Graph {
  const nodes = new Map<string, GraphNode>();
  const byOwner = new Map<string, Set<GraphNode>>();
  const link = (node: GraphNode): void => {
    for (const { uid } of node.owners) {
      const dependents = byOwner.get(uid);
      if (dependents === undefined) byOwner.set(uid, new Set([node]));
      else dependents.add(node);
    }
  };
  const unlink = (node: GraphNode): void => {
    for (const { uid } of node.owners) {
      const dependents = byOwner.get(uid);
      dependents?.delete(node);
      if (dependents?.size === 0) byOwner.delete(uid);
    }
  };
  return {
    get: uid => nodes.get(uid),
    dependents: uid => byOwner.get(uid) ?? NONE,
    upsert(ref, kind, { metadata }) {
      const uid = metadata.uid ?? '';
      const finalizers = metadata.finalizers ?? [];
      const deleting = metadata.deletionTimestamp !== undefined;
      const state = {
        owners: metadata.ownerReferences ?? [],
        deleting,
        deletingDependents: deleting && finalizers.includes(FOREGROUND),
        orphaning: deleting && finalizers.includes(ORPHAN),
      };
      const existing = nodes.get(uid);
      if (existing === undefined) {
        const { namespace = '', name = '' } = metadata;
        const node: GraphNode = { uid, ref, kind, namespace, name, ...state };
        nodes.set(uid, node);
        link(node);
        return { node };
      }
      const before = { owners: existing.owners, deletingDependents: existing.deletingDependents };
      unlink(existing);
      Object.assign(existing, state);
      link(existing);
      return { node: existing, before };
    },
    remove(uid) {
      const node = nodes.get(uid);
      if (node === undefined) return undefined;
      nodes.delete(uid);
      unlink(node);
      return node;
    },
  };
}
