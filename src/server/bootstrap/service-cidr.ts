import { formatTime } from '../../machinery/clock.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, ServiceCIDR } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import { ensure, keyOf, selfContext, type BootstrapOptions } from './ensure.js';
import { defaultServiceCidr } from './system-objects.js';

/** How often it is looked for, as upstream. */
const CHECK_MS = 10_000;

/**
 * The default ranges, which are ready when they are those that addresses are given from; a second one joins the first when
 * the cluster becomes dual stack (pkg/controlplane/controller/defaultservicecidr). @returns what is wrong with those there are
 */
export async function ensureServiceCidr(options: BootstrapOptions): Promise<string | undefined> {
  const { objects, clock, signal, serviceCidrs } = options;
  const wanted = defaultServiceCidr(serviceCidrs);
  await ensure(options, wanted);
  const stored = (): DeepReadonly<ServiceCIDR> | undefined => objects.get(wanted.resource, keyOf(wanted));
  const ctx: RequestContext = selfContext(objects, clock, signal);
  const update = async (change: (object: KubeObject) => void, subresource?: string): Promise<void> => {
    const where = subresource === undefined ? {} : { subresource };
    await objects.update(ctx, wanted.resource, keyOf(wanted), change, where);
  };
  const cidrs = stored()?.spec?.cidrs ?? [];
  if (serviceCidrs.length === 2 && cidrs.length === 1 && cidrs[0] === serviceCidrs[0])
    await update(object => void (object['spec'] = wanted.object['spec']));
  const found = stored();
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return undefined;
  if (!jsonEqual(found.spec, wanted.object['spec']))
    return `the default ServiceCIDR has ${(found.spec?.cidrs ?? []).join()}, this server ${serviceCidrs.join()}`;
  const condition = found.status?.conditions?.find(({ type }) => type === 'Ready');
  if (condition !== undefined && condition.status !== 'Unknown') return undefined;
  const ready = {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: formatTime(clock.now()),
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
  };
  await update(object => void (object['status'] = { conditions: [ready] }), 'status');
  return undefined;
}

/** Makes them again when somebody has removed them, and tells once of what is wrong; runs until the signal. */
export async function keepServiceCidr(options: BootstrapOptions): Promise<void> {
  const { clock, signal, log } = options;
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      await clock.sleep(CHECK_MS, signal);
      const problem = await ensureServiceCidr(options);
      if (problem !== undefined && problem !== told) log.warn({}, problem);
      told = problem;
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error }, 'could not check the default ServiceCIDR');
    }
  }
}
