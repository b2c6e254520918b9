import { CUSTOM_RESOURCE_DEFINITIONS, INGRESS_CLASSES, INGRESSES } from '../../client/resources.js';
import { keyOf, type Client, type InformerFactory, type ResourceRef } from '../../client/types.js';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import { isStatusError } from '../../machinery/status.js';
import type { Ingress, IngressClass, KubeObject } from '../../machinery/types.js';
import { createWorkQueue } from '../../machinery/work-queue.js';
import { GATEWAY_CLASSES } from '../gateway/resources.js';
import { isOurs } from '../ownership.js';
import { controllerObjects, gatewayClass, ingressClass } from './objects.js';

export interface AddonOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
}

const MANAGER = 'kubette-ingress-addon';
const RETRY = { baseDelayMs: 100, maxDelayMs: 30_000 };
const GATEWAY_DEFINITION = {
  fieldSelector: 'metadata.name=gatewayclasses.gateway.networking.k8s.io',
  metadataOnly: true,
};

/**
 * Brings the ingress controller to a cluster that has use for it: its class is there from the beginning, its Pod, its load balancer and its
 * rights come with the first Ingress of the class, or with Gateway API's definitions. A cluster without them pays one object for it. What is
 * there once stays; how many Pods there are is nobody's business here.
 */
export async function runIngressAddon(options: AddonOptions, signal: AbortSignal): Promise<void> {
  const { client, informers, clock, log } = options;
  const ingresses = informers.informer<Ingress>(INGRESSES);
  const classes = informers.informer<IngressClass>(INGRESS_CLASSES);
  const definitions = informers.informer<KubeObject>(CUSTOM_RESOURCE_DEFINITIONS, GATEWAY_DEFINITION);
  const queue = createWorkQueue({ clock, name: 'ingress-addon', ...RETRY });
  const wanted = (): void => queue.add('controller');
  ingresses.addHandler({ add: wanted, update: (old, now) => void (old.spec === now.spec || wanted()) });
  definitions.addHandler({
    add() {
      queue.add('gateway class');
      wanted();
    },
  });

  /** What somebody has made of it since is theirs. */
  const createOnce = async (ref: ResourceRef, object: KubeObject): Promise<void> => {
    try {
      await client.resource(ref).create('', object);
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
  };
  let applied = '';
  const install = async (): Promise<void> => {
    const first = [...ingresses.indexer.list()].find(ingress => isOurs(ingress, classes.indexer));
    const gateways = [...definitions.indexer.list()].length > 0;
    if (first === undefined && !gateways) return;
    for (const [ref, object] of controllerObjects()) {
      const { namespace = '', name = '' } = object.metadata;
      await client
        .resource(ref)
        .patch({ namespace, name }, object, { type: 'apply', fieldManager: MANAGER, force: true });
    }
    const why = first === undefined ? 'Gateway API is installed' : `Ingress ${keyOf(first)} is of its class`;
    if (applied === '') log.info({ why }, 'the ingress controller is brought');
    applied = why;
  };
  const work = async (key: string): Promise<void> => {
    if (key === 'class') await createOnce(INGRESS_CLASSES, ingressClass());
    else if (key === 'gateway class') await createOnce(GATEWAY_CLASSES, gatewayClass());
    else await install();
  };
  const failed = (key: string, error: Error): void =>
    log.info({ what: key, error: error.message }, 'the ingress controller is not there yet, will retry');

  queue.add('class');
  await queue.run(1, work, failed, signal);
}
