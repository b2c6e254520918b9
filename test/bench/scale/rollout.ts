import { DEPLOYMENTS } from '../../../src/client/resources.js';
import type { Deployment } from '../../../src/machinery/types.js';
import { scaled } from '../api/scale.js';
import type { Row } from '../table.js';
import { measured, readyPods, startBenchCluster, updatedPods } from './cluster.js';
import { deployment } from './objects.js';

const REPLICAS = scaled(1_000);
const NODES = 50;

/** A Deployment of many Pods is created, and then given another image: ReplicaSets, scheduler, agents and status follow. */
export async function rollout(): Promise<Row[]> {
  const cluster = await startBenchCluster(['--nodes', String(NODES), '--nodes-per-agent', String(NODES)]);
  try {
    const deployments = cluster.client.resource<Deployment>(DEPLOYMENTS);
    const created = await measured(cluster, `Deployment of ${REPLICAS} Pods, ${NODES} nodes: all Ready`, async () => {
      const ready = readyPods(cluster, 'rolled', REPLICAS);
      await deployments.create('default', deployment('rolled', REPLICAS, { maxSurge: '25%', maxUnavailable: '25%' }));
      await ready;
    });
    const rolled = await measured(cluster, 'the same, rolled to another image', async () => {
      const containers = [{ name: 'c', image: 'registry.k8s.io/pause:3.9' }];
      const patch = { spec: { template: { spec: { containers } } } };
      await deployments.patch({ namespace: 'default', name: 'rolled' }, patch, { type: 'strategic' });
      await updatedPods(cluster, 'rolled', REPLICAS);
    });
    return [...created, ...rolled];
  } finally {
    await cluster.stop();
  }
}
