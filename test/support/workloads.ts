import { PODS } from '../../src/client/resources.js';
import type { ControllerDefinition } from '../../src/controllers/controller.js';
import type { KubeObject } from '../../src/machinery/types.js';
import type { FakeCluster } from './fake-cluster.js';

export const NOW = '2026-01-01T00:00:00Z';

export const meta = (name: string, more: object = {}) => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
  creationTimestamp: NOW,
  generation: 1,
  ...more,
});

export const template = (labels: Record<string, string>, more: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...more },
});

/** Works the controller's queue until it is empty. */
export async function settle(cluster: FakeCluster, definition: ControllerDefinition): Promise<() => Promise<void>> {
  const reconciler = definition.build(cluster.context());
  const run = async (): Promise<void> => {
    for (let rounds = 0; cluster.queued.size > 0; rounds++) {
      if (rounds > 50) throw new Error(`never settles: ${[...cluster.queued].join()}`);
      const keys = [...cluster.queued];
      cluster.queued.clear();
      for (const key of keys) await reconciler.reconcile(key);
    }
  };
  await run();
  return run;
}

export const podNames = (cluster: FakeCluster): string[] =>
  cluster
    .list(PODS)
    .map(pod => pod.metadata.name ?? '')
    .sort();

export const setPod = (cluster: FakeCluster, name: string, status: object): void => {
  const pod = cluster.get(PODS, `default/${name}`) as KubeObject;
  cluster.load(PODS, { ...pod, status });
};

const RUNNING = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: NOW }] };

export const setAllRunning = (cluster: FakeCluster): void => {
  for (const pod of cluster.list(PODS)) setPod(cluster, pod.metadata.name ?? '', RUNNING);
};
