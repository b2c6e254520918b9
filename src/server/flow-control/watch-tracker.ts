import type { FieldRequirement } from '../../machinery/fields.js';
import type { RequestInfo } from '../pipeline/request-info.js';

/** How many watches a write may have to tell: those of its resource, its namespace and its object. */
export interface WatchTracker {
  /** The returned function ends it. */
  register(info: RequestInfo, fields: readonly FieldRequirement[] | undefined): () => void;
  interested(info: RequestInfo): number;
}

type What = Pick<RequestInfo, 'group' | 'resource' | 'namespace' | 'name'>;

const keyOf = ({ group, resource, namespace, name }: What): string => `${group}/${resource}/${namespace}/${name}`;

/** Upstream counts the watches of single nodes' Pods as if each were of another Pod than the one that is written. */
const isElsewhere = ({ resource }: RequestInfo, fields: readonly FieldRequirement[] | undefined): boolean =>
  resource === 'pods' &&
  (fields ?? []).some(({ field, operator, value }) => field === 'spec.nodeName' && operator === '=' && value !== '');

export function createWatchTracker(): WatchTracker {
  const counts = new Map<string, number>();
  const add = (key: string, by: number): void => {
    const next = (counts.get(key) ?? 0) + by;
    if (next === 0) counts.delete(key);
    else counts.set(key, next);
  };
  return {
    register(info, fields) {
      if (isElsewhere(info, fields)) return () => undefined;
      const key = keyOf(info);
      add(key, 1);
      let ended = false;
      return () => {
        if (!ended) add(key, -1);
        ended = true;
      };
    },
    interested({ group, resource, namespace, name }) {
      if (counts.size === 0) return 0;
      const count = (of: Omit<What, 'group' | 'resource'>): number =>
        counts.get(keyOf({ group, resource, ...of })) ?? 0;
      let sum = count({ namespace: '', name: '' });
      if (namespace !== '') sum += count({ namespace, name: '' });
      if (name !== '') sum += count({ namespace, name });
      return sum;
    },
  };
}
