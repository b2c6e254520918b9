import { splitKey, type ResourceClient } from '../../../client/types.js';
import type { Pod } from '../../../machinery/types.js';
import type { PodInfo } from '../plugin.js';

/** Tells the server where a Pod runs. */
export const defaultBinder =
  (pods: ResourceClient<Pod>) =>
  async ({ pod, key }: PodInfo, node: string): Promise<void> => {
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    await pods.createSubresource(splitKey(key), 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { kind: 'Node', name: node },
    });
  };
