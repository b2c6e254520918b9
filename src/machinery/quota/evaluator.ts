import type { DeepReadonly, KubeObject } from '../types.js';
import type { ResourceList } from './resource-list.js';
import type { ScopeRequirement } from './scopes.js';

type Item = DeepReadonly<KubeObject>;

/** A write, as far as quotas care. */
export interface QuotaOperation {
  readonly operation: 'CREATE' | 'UPDATE';
  readonly subresource: string;
  readonly object: Item;
  readonly old?: Item;
}

/**
 * What objects of one resource use up of a quota (kubernetes pkg/quota/v1 Evaluator). Pure: the admission plugin asks
 * about one object, the resourcequota controller about all of them.
 */
export interface QuotaEvaluator {
  /** resourceId, e.g. "pods" or "deployments.apps". */
  readonly resource: string;
  /** Those of `names` that say something about the resource. */
  matchingResources(names: readonly string[]): string[];
  matchesScope(item: Item, requirement: ScopeRequirement): boolean;
  /** Whether the write can change usage. */
  handles(operation: QuotaOperation): boolean;
  /** What the object lacks for a quota on `names`, e.g. "must specify requests.cpu for: c". */
  missing?(names: readonly string[], item: Item): string | undefined;
  usage(item: Item, nowMs: number): ResourceList;
}

export const onlyKnown = (names: readonly string[], known: readonly string[]): string[] =>
  known.filter(name => names.includes(name)).sort();
