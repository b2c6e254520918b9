import { notFoundError } from '../../machinery/status.js';
import type { DeepReadonly, Namespace } from '../../machinery/types.js';
import type { AdmissionPlugin } from './types.js';
import { forbid, isResource } from './forbidden.js';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is created in a namespace that is missing or going, and some namespaces stay for ever. */
export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  async admit(ctx, request) {
    const { operation, key, resource } = request;
    if (isResource(request, '', 'namespaces')) {
      if (operation === 'DELETE' && IMMORTAL.has(key.name)) throw forbid(request, 'this namespace may not be deleted');
      return;
    }
    const { namespace } = key;
    if (namespace === '' || operation === 'DELETE' || operation === 'CONNECT') return;
    if (resource.kind === 'LocalSubjectAccessReview') return;
    const at = { namespace: '', name: namespace };
    // It may just have been made.
    if (ctx.objects.get('namespaces', at) === undefined) await ctx.objects.fresh?.('namespaces', ctx);
    const found = ctx.objects.get('namespaces', at) as DeepReadonly<Namespace> | undefined;
    if (found === undefined) throw notFoundError({ group: '', resource: 'namespaces' }, namespace);
    if (operation !== 'CREATE' || found.status?.phase !== 'Terminating') return;
    throw forbid(request, `unable to create new content in namespace ${namespace} because it is being terminated`, [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ]);
  },
};
