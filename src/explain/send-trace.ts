import { queryString } from '../client/rest-client.js';
import type { Client } from '../client/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import type { Sender } from './trace-ends.js';

/** Has the sender's node send real requests, through the API server. `asked`: the url, and how often, in which family, by which seed. */
export async function sendTrace(
  client: Pick<Client, 'request'>,
  sender: Sender,
  asked: Parameters<typeof queryString>[0],
): Promise<TraceReport> {
  const query = queryString({ ...sender.query, ...asked });
  return (await client.request('GET', `/api/v1/nodes/${sender.node}/proxy/trace${query}`)) as TraceReport;
}

/** In which names stand that name none: the Pod's own; `otherwise` of who is in none. */
export const namespaceOf = ({ query }: Sender, otherwise: string): string => query['pod']?.split('/')[0] ?? otherwise;
