import { DEPLOYMENTS, PODS, SERVICES } from '../../../src/client/resources.js';
import type { RestClient } from '../../../src/client/rest-client.js';
import type { Deployment, Pod, Service } from '../../../src/machinery/types.js';
import type { ServiceKind, Step } from './script.js';

const PORT = 80;

const deploymentOf = (app: string, replicas: number): Deployment => ({
  metadata: { name: app, labels: { app } },
  spec: {
    replicas,
    selector: { matchLabels: { app } },
    template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image: 'nginx:1' }] } },
  },
});

const serviceOf = (app: string, kind: ServiceKind): Service => ({
  metadata: { name: app },
  spec: {
    selector: { app },
    ports: [{ name: 'http', port: PORT }],
    ...(kind === 'headless' ? { clusterIP: 'None' } : { type: kind }),
  },
});

/** Makes one change. @throws what the API server answers */
export async function takeStep(client: RestClient, namespace: string, step: Step): Promise<void> {
  const deployments = client.resource<Deployment>(DEPLOYMENTS);
  const services = client.resource<Service>(SERVICES);
  const at = { namespace, name: step.app };
  switch (step.do) {
    case 'create':
      return void (await deployments.create(namespace, deploymentOf(step.app, step.replicas)));
    case 'scale':
      return void (await deployments.patch(at, { spec: { replicas: step.replicas } }, { type: 'merge' }));
    case 'roll': {
      const containers = [{ name: 'c', image: `nginx:${step.version}` }];
      return void (await deployments.patch(
        at,
        { spec: { template: { spec: { containers } } } },
        { type: 'strategic' },
      ));
    }
    case 'expose':
      return void (await services.create(namespace, serviceOf(step.app, step.kind)));
    case 'hide':
      return services.delete(at);
    case 'delete':
      // What is left belongs to the garbage collector.
      return deployments.delete(at, { propagationPolicy: 'Background' });
    case 'evict': {
      const pods = client.resource<Pod>(PODS);
      const { items } = await pods.list({ namespace, labelSelector: `app=${step.app}` });
      const name = items.find(({ metadata }) => metadata.deletionTimestamp === undefined)?.metadata.name;
      // There may be none yet, and it may be gone by now.
      if (name !== undefined) await pods.delete({ namespace, name }).catch(() => undefined);
    }
  }
}
