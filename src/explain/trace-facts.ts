import { ENDPOINT_SLICES, PODS, SERVICES } from '../client/resources.js';
import type { Client } from '../client/types.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import { isStatusError } from '../machinery/status.js';
import type { EndpointSlice, Pod, Service } from '../machinery/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import type { sourcesOf } from './names.js';
import { isConcerned, serviceOf, traceReason } from './trace-reason.js';
import type { Reason } from './types.js';

/** What of the cluster explains a failure; what the caller may not see explains nothing. */
export async function reasonOf(
  client: Pick<Client, 'resource'>,
  report: TraceReport,
  names: Awaited<ReturnType<typeof sourcesOf>>,
): Promise<Reason | undefined> {
  try {
    const services: Service[] = [];
    for await (const page of client.resource<Service>(SERVICES).pages())
      services.push(...page.filter(service => isConcerned(report, service)));
    const { namespace, name = '' } = serviceOf(report, services)?.metadata ?? {};
    if (namespace === undefined) return traceReason(report, { services, slices: [], pods: [] }, names);
    const labelSelector = `${SERVICE_NAME_LABEL}=${name}`;
    const slices = (await client.resource<EndpointSlice>(ENDPOINT_SLICES).list({ namespace, labelSelector })).items;
    const pods = (await client.resource<Pod>(PODS).list({ namespace })).items;
    return traceReason(report, { services, slices, pods }, names);
  } catch (error) {
    if (isStatusError(error, 'Forbidden')) return undefined;
    throw error;
  }
}
