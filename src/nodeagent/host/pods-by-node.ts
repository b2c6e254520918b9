import type { EventHandler, Indexer, Informer } from '../../client/types.js';
import type { DeepReadonly, Pod } from '../../machinery/types.js';

/** Index of the Pods by their node. */
const BY_NODE = 'node';
const nodeOf = (pod: DeepReadonly<Pod>): string => pod.spec?.nodeName ?? '';

/**
 * One informer of the Pods of many nodes, seen by each as its own: a change costs what it costs the node that it is on, and
 * not a look by every node.
 */
export function podsByNode(all: Informer<Pod>): (nodeName: string) => Informer<Pod> {
  const handlers = new Map<string, Set<EventHandler<Pod>>>();
  all.addIndex(BY_NODE, pod => [nodeOf(pod)]);
  const of = (pod: DeepReadonly<Pod>): Iterable<EventHandler<Pod>> => handlers.get(nodeOf(pod)) ?? [];
  all.addHandler({
    add(pod) {
      for (const handler of of(pod)) handler.add?.(pod);
    },
    update(old, pod) {
      const moved = nodeOf(old) !== nodeOf(pod);
      if (moved) for (const handler of of(old)) handler.delete?.(old);
      for (const handler of of(pod))
        if (moved) handler.add?.(pod);
        else handler.update?.(old, pod);
    },
    delete(pod) {
      for (const handler of of(pod)) handler.delete?.(pod);
    },
  });
  return nodeName => {
    const own = (): readonly DeepReadonly<Pod>[] => all.indexer.byIndex(BY_NODE, nodeName);
    const byIndex: Indexer<Pod>['byIndex'] = (index, value) =>
      all.indexer.byIndex(index, value).filter(pod => nodeOf(pod) === nodeName);
    return {
      indexer: {
        get(key) {
          const pod = all.indexer.get(key);
          return pod !== undefined && nodeOf(pod) === nodeName ? pod : undefined;
        },
        list: own,
        byIndex,
        countByIndex: (index, value) => byIndex(index, value).length,
      },
      addHandler(handler) {
        const known = handlers.get(nodeName) ?? new Set<EventHandler<Pod>>();
        handlers.set(nodeName, known.add(handler));
        for (const pod of own()) handler.add?.(pod);
        return () => {
          known.delete(handler);
          if (known.size === 0 && handlers.get(nodeName) === known) handlers.delete(nodeName);
        };
      },
      addIndex: (name, index) => all.addIndex(name, index),
      get synced() {
        return all.synced;
      },
      whenSynced: signal => all.whenSynced(signal),
    };
  };
}
