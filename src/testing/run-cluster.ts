import { Cluster } from './cluster.js';
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
  let running: { readonly cluster: Cluster; readonly before: string | undefined } | undefined;
  const framework: FrameworkCluster = {
    async start(options) {
      await framework.stop();
      const cluster = await Cluster.create({ ...options, isolate: false });
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
