import { isStatusError } from '../../machinery/status.js';
import type { ConfigMap, DeepReadonly, Namespace } from '../../machinery/types.js';
import { CONFIG_MAPS, NAMESPACES } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Every active namespace has the cluster's CA in a ConfigMap (pkg/controller/certificates/rootcacertpublisher). */
export const rootCaPublisher: ControllerDefinition = {
  name: 'root-ca-certificate-publisher-controller',
  aliases: ['root-ca-cert-publisher'],
  workers: 1,
  build({ client, informers, queue, options }) {
    const namespaces = informers.informer<Namespace>(NAMESPACES);
    // One name only, so that the cache does not hold every ConfigMap of the cluster.
    const maps = informers.informer<ConfigMap>(CONFIG_MAPS, { fieldSelector: `metadata.name=${NAME}` });
    const writer = client.resource<ConfigMap>(CONFIG_MAPS);
    const consider = (namespace: DeepReadonly<Namespace>): void => queue.add(namespace.metadata.name ?? '');
    namespaces.addHandler({ add: consider, update: (_old, namespace) => consider(namespace) });
    const changed = (map: DeepReadonly<ConfigMap>): void => queue.add(map.metadata.namespace ?? '');
    maps.addHandler({ update: (_old, map) => changed(map), delete: changed });
    return {
      async reconcile(namespace) {
        if (options.rootCa === undefined || namespaces.indexer.get(namespace)?.status?.phase !== 'Active') return;
        const data = { 'ca.crt': options.rootCa };
        const current = maps.indexer.get(`${namespace}/${NAME}`);
        const annotations = { ...current?.metadata.annotations, 'kubernetes.io/description': DESCRIPTION };
        try {
          if (current === undefined) {
            await writer.create(namespace, { metadata: { name: NAME, namespace, annotations }, data });
          } else if (
            Object.keys(current.data ?? {}).length !== 1 ||
            current.data?.['ca.crt'] !== options.rootCa ||
            current.metadata.annotations?.['kubernetes.io/description'] !== DESCRIPTION
          ) {
            const copy = current as ConfigMap;
            await writer.update({ ...copy, metadata: { ...copy.metadata, annotations }, data });
          }
        } catch (error) {
          if (
            isStatusError(error, 'AlreadyExists') ||
            isStatusError(error, 'NotFound') ||
            isStatusError(error, 'Forbidden')
          )
            return;
          throw error;
        }
      },
    };
  },
};
