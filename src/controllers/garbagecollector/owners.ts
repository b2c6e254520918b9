import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, OwnerReference } from '../../machinery/types.js';
import type { Client, ResourceRef } from '../../client/types.js';
import { FOREGROUND, means, type Graph, type GraphNode } from './graph.js';

type Reference = DeepReadonly<OwnerReference>;

/**
 * What became of an owner. `unresolvable`: an object without a namespace names an owner of a kind that has one; nobody
 * can say which it means. `unknown`: its kind is not served, now.
 */
export type OwnerState = 'solid' | 'absent' | 'waiting' | 'unresolvable' | 'unknown';

/** Upstream's size of the same cache. */
const MAX_ABSENT = 500;

/** Owners that are known to be gone, the last ones: their dependents need not each ask for them. */
export interface AbsentOwners {
  add(namespace: string, owner: Reference): void;
  has(namespace: string, owner: Reference): boolean;
}

export function createAbsentOwners(): AbsentOwners {
  const known = new Set<string>();
  const key = (namespace: string, { apiVersion, kind, name, uid }: Reference): string =>
    [apiVersion, kind, namespace, name, uid].join('\n');
  return {
    add(namespace, owner) {
      known.add(key(namespace, owner));
      for (const oldest of known) {
        if (known.size <= MAX_ABSENT) break;
        known.delete(oldest);
      }
    },
    has: (namespace, owner) => known.has(key('', owner)) || known.has(key(namespace, owner)),
  };
}

export interface OwnerLookup {
  readonly client: Client;
  readonly graph: Graph;
  readonly absent: AbsentOwners;
  resolve(owner: Reference): ResourceRef | undefined;
}

/** Whether an owner lives, by the graph where it is sure and else by the server (garbagecollector.go isDangling). */
export async function ownerState(owner: Reference, dependent: GraphNode, lookup: OwnerLookup): Promise<OwnerState> {
  const { client, graph, absent } = lookup;
  if (absent.has(dependent.namespace, owner)) return 'absent';
  const ref = lookup.resolve(owner);
  if (ref === undefined) return 'unknown';
  if (dependent.namespace === '' && ref.namespaced) return 'unresolvable';
  const known = graph.get(owner.uid);
  if (known !== undefined && means(owner, known, dependent.namespace))
    return known.deletingDependents ? 'waiting' : 'solid';
  const namespace = ref.namespaced ? dependent.namespace : '';
  try {
    const { metadata } = await client.resource(ref).get({ namespace, name: owner.name });
    if (metadata.uid === owner.uid) {
      const waits = metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(FOREGROUND);
      return waits ? 'waiting' : 'solid';
    }
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
  absent.add(namespace, owner);
  return 'absent';
}
