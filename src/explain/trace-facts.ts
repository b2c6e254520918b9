import type { Client } from '../client/types.js';
import { isStatusError } from '../machinery/status.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { traceFacts } from './facts.js';
import type { NameSource } from './names.js';
import { traceReason } from './trace-reason.js';
import type { Reason } from './types.js';

/** What of the cluster explains a failure; what the caller may not see explains nothing. */
export async function reasonOf(
  client: Pick<Client, 'resource' | 'request'>,
  report: TraceReport,
  names: readonly NameSource[],
): Promise<Reason | undefined> {
  try {
    return traceReason(report, await traceFacts(client, report, names), names);
  } catch (error) {
    if (isStatusError(error, 'Forbidden')) return undefined;
    throw error;
  }
}
