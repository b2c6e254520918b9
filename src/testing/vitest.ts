import { createFrameworkCluster } from './run-cluster.js';
import type { ClusterOptions } from './types.js';

/**
 * A global set-up of Vitest that starts a cluster before all tests, sets KUBECONFIG for them, and stops it after them:
 *
 * ```ts
 * // kubette.setup.ts, named in `test.globalSetup` of vitest.config.ts
 * import { globalSetup } from 'kubette/vitest';
 * export default globalSetup({ nodes: 2, crds: ['config/crd'] });
 * ```
 *
 * `globalSetup: 'kubette/vitest'` takes a cluster of one node. It runs in a process of its own.
 */
export const globalSetup =
  (options: ClusterOptions = {}): (() => Promise<() => Promise<void>>) =>
  async () => {
    const framework = createFrameworkCluster();
    await framework.start(options);
    return () => framework.stop();
  };

const oneNode: ReturnType<typeof globalSetup> = globalSetup();
export { oneNode as default };
