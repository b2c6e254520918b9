import { formatTime } from '../../machinery/clock.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, ServiceCIDR } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import { ensure, keyOf, selfContext, type BootstrapOptions } from './ensure.js';
import { defaultServiceCidr } from './system-objects.js';

/**
 * The default ranges, which are ready when they are those that addresses are given from; a second one joins the first when
 * the cluster becomes dual stack (pkg/controlplane/controller/defaultservicecidr).
 */
export async function ensureServiceCidr(options: BootstrapOptions): Promise<void> {
  const { objects, clock, signal, log, serviceCidrs } = options;
  const wanted = defaultServiceCidr(serviceCidrs);
  await ensure(options, wanted);
  const stored = (): DeepReadonly<ServiceCIDR> | undefined =>
    objects.get(wanted.resource, keyOf(wanted));
  const ctx: RequestContext = selfContext(objects, clock, signal);
  const update = async (change: (object: KubeObject) => void, subresource?: string): Promise<void> => {
    const where = subresource === undefined ? {} : { subresource };
    await objects.update(ctx, wanted.resource, keyOf(wanted), change, where);
  };
  const cidrs = stored()?.spec?.cidrs ?? [];
  if (serviceCidrs.length === 2 && cidrs.length === 1 && cidrs[0] === serviceCidrs[0])
    await update(object => void (object['spec'] = wanted.object['spec']));
  const found = stored();
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return;
  if (!jsonEqual(found.spec, wanted.object['spec'])) {
    const have = found.spec?.cidrs;
    log.warn({ want: serviceCidrs, have }, 'the default ServiceCIDR has other ranges than this server');
    return;
  }
  const condition = found.status?.conditions?.find(({ type }) => type === 'Ready');
  if (condition !== undefined && condition.status !== 'Unknown') return;
  const ready = {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: formatTime(clock.now()),
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
  };
  await update(object => void (object['status'] = { conditions: [ready] }), 'status');
}
