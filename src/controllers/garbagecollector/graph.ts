import type { DeepReadonly, KubeObject, OwnerReference } from '../../machinery/types.js';
import type { ResourceRef } from '../../client/types.js';

/** An object in the ownership graph. A virtual node is an owner that dependents name but no watch has shown. */
export interface GraphNode {
  readonly uid: string;
  readonly ref: ResourceRef;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  owners: readonly DeepReadonly<OwnerReference>[];
  readonly dependents: Set<GraphNode>;
  /** Has a deletionTimestamp. */
  deleting: boolean;
  /** Has the foregroundDeletion finalizer and a deletionTimestamp: waits for its dependents. */
  deletingDependents: boolean;
  orphaning: boolean;
  virtual: boolean;
}

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

export interface Graph {
  get(uid: string): GraphNode | undefined;
  /** Files an object and links it to its owners; virtual owners are made as needed. Returns owners that are new to it. */
  upsert(
    ref: ResourceRef,
    kind: string,
    object: DeepReadonly<KubeObject>,
    resolve: (owner: DeepReadonly<OwnerReference>) => ResourceRef | undefined,
  ): { node: GraphNode; before?: GraphSnapshot };
  /** Takes a node out; its dependents keep naming it. */
  remove(uid: string): GraphNode | undefined;
}

/** What of a node's earlier state decides what to do after a change. */
export interface GraphSnapshot {
  readonly deleting: boolean;
  readonly owners: readonly DeepReadonly<OwnerReference>[];
}

export function createGraph(): Graph {
  const nodes = new Map<string, GraphNode>();
  const link = (node: GraphNode, resolve: (owner: DeepReadonly<OwnerReference>) => ResourceRef | undefined): void => {
    for (const owner of node.owners) {
      let parent = nodes.get(owner.uid);
      if (parent === undefined) {
        const ref = resolve(owner);
        if (ref === undefined) continue;
        parent = {
          uid: owner.uid,
          ref,
          kind: owner.kind,
          namespace: ref.namespaced ? node.namespace : '',
          name: owner.name,
          owners: [],
          dependents: new Set(),
          deleting: false,
          deletingDependents: false,
          orphaning: false,
          virtual: true,
        };
        nodes.set(owner.uid, parent);
      }
      parent.dependents.add(node);
    }
  };
  return {
    get: uid => nodes.get(uid),
    upsert(ref, kind, object, resolve) {
      const { metadata } = object;
      const uid = metadata.uid ?? '';
      const existing = nodes.get(uid);
      const finalizers = metadata.finalizers ?? [];
      const deleting = metadata.deletionTimestamp !== undefined;
      const state = {
        owners: metadata.ownerReferences ?? [],
        deleting,
        deletingDependents: deleting && finalizers.includes(FOREGROUND),
        orphaning: deleting && finalizers.includes(ORPHAN),
        virtual: false,
      };
      if (existing === undefined) {
        const node: GraphNode = {
          uid,
          ref,
          kind,
          namespace: metadata.namespace ?? '',
          name: metadata.name ?? '',
          dependents: new Set(),
          ...state,
        };
        nodes.set(uid, node);
        link(node, resolve);
        return { node };
      }
      const before = { deleting: existing.deleting, owners: existing.owners };
      for (const owner of existing.owners)
        if (!state.owners.some(o => o.uid === owner.uid)) nodes.get(owner.uid)?.dependents.delete(existing);
      // A virtual node was a guess from an owner reference: where it lives is known now.
      Object.assign(existing, state, { ref, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
      link(existing, resolve);
      return { node: existing, before };
    },
    remove(uid) {
      const node = nodes.get(uid);
      if (node === undefined) return undefined;
      nodes.delete(uid);
      for (const owner of node.owners) nodes.get(owner.uid)?.dependents.delete(node);
      return node;
    },
  };
}
