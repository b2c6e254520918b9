import type { DeepReadonly, KubeObject, ObjectKey } from '../../machinery/types.js';

/**
 * The objects that authentication and authorization decide by. The `Objects` of strategies fit; reads come from the
 * watch cache, so that a revoked right or a deleted account counts at once.
 */
export interface Lookup {
  get(resource: string, key: ObjectKey): DeepReadonly<KubeObject> | undefined;
  list(resource: string, namespace?: string): Iterable<DeepReadonly<KubeObject>>;
  /** A number that moves whenever the resource's objects change; unknown: indexes are made for every question. */
  generation?(resource: string): number | undefined;
}
