import { createFrameworkCluster } from './run-cluster.js';
import type { ClusterOptions } from './types.js';

/** Jest calls its set-up and its teardown from two modules, and gives the one nothing of the other. */
const framework = createFrameworkCluster();

/**
 * A global set-up of Jest that starts a cluster before all tests and sets KUBECONFIG for them:
 *
 * ```js
 * // kubette.setup.mjs, named in `globalSetup` of jest.config.js; 'kubette/jest/teardown' stands in `globalTeardown`
 * import { globalSetup } from 'kubette/jest';
 * export default globalSetup({ nodes: 2, crds: ['config/crd'] });
 * ```
 *
 * `globalSetup: 'kubette/jest'` takes a cluster of one node. It runs in a process of its own.
 */
export const globalSetup =
  (options: ClusterOptions = {}): (() => Promise<void>) =>
  () =>
    framework.start(options);

/** Stops the cluster. */
export const globalTeardown = (): Promise<void> => framework.stop();

const oneNode: ReturnType<typeof globalSetup> = globalSetup();
export { oneNode as default };
