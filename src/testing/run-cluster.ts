import type { IsolatedCluster } from './isolated-types.js';
import { createIsolatedCluster } from './isolated.js';
import type { ClusterOptions } from './types.js';

/** A cluster that runs while a test framework does: whoever asks for clusters finds it in $KUBECONFIG. */
export interface FrameworkCluster {
  /** Starts it, and sets KUBECONFIG for this process and those that it starts. */
  start(options: ClusterOptions): Promise<void>;
  /** Stops it, and puts KUBECONFIG back. Without one that runs, nothing. */
  stop(): Promise<void>;
}

export function createFrameworkCluster(
  environment: Record<string, string | undefined> = process.env,
): FrameworkCluster {
  let running: { readonly cluster: IsolatedCluster; readonly before: string | undefined } | undefined;
  const framework: FrameworkCluster = {
    async start(options) {
      await framework.stop();
      // In a process of its own: a framework may run tests in this one, and a test may wait for a child without a turn of its loop.
      const cluster = await createIsolatedCluster(options);
      running = { cluster, before: environment['KUBECONFIG'] };
      environment['KUBECONFIG'] = cluster.kubeconfigPath;
    },
    async stop() {
      if (running === undefined) return;
      const { cluster, before } = running;
      running = undefined;
      if (before === undefined) delete environment['KUBECONFIG'];
      else environment['KUBECONFIG'] = before;
      await cluster.stop();
    },
  };
  return framework;
}
