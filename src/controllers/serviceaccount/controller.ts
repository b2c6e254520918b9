import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Namespace, ServiceAccount } from '../../machinery/types.js';
import { NAMESPACES, SERVICE_ACCOUNTS } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';

const NAME = 'default';

/** Every active namespace has a ServiceAccount "default" (pkg/controller/serviceaccount). */
export const serviceAccountController: ControllerDefinition = {
  name: 'serviceaccount-controller',
  aliases: ['serviceaccount'],
  workers: 1,
  build({ client, informers, queue }) {
    const namespaces = informers.informer<Namespace>(NAMESPACES);
    const accounts = informers.informer<ServiceAccount>(SERVICE_ACCOUNTS);
    const writer = client.resource<ServiceAccount>(SERVICE_ACCOUNTS);
    const consider = (namespace: DeepReadonly<Namespace>): void => queue.add(namespace.metadata.name ?? '');
    namespaces.addHandler({ add: consider, update: (_old, namespace) => consider(namespace) });
    accounts.addHandler({
      delete: account => {
        if (account.metadata.name === NAME) queue.add(account.metadata.namespace ?? '');
      },
    });
    return {
      async reconcile(namespace) {
        if (namespaces.indexer.get(namespace)?.status?.phase !== 'Active') return;
        if (accounts.indexer.get(`${namespace}/${NAME}`) !== undefined) return;
        try {
          await writer.create(namespace, { metadata: { name: NAME, namespace } });
        } catch (error) {
          if (isStatusError(error, 'AlreadyExists') || isStatusError(error, 'NotFound')) return;
          // Terminating by now.
          if (isStatusError(error, 'Forbidden')) return;
          throw error;
        }
      },
    };
  },
};
