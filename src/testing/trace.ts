import type { RestClient } from '../client/rest-client.js';
import type { NetworkStep } from '../containers/network/types.js';
import { sourcesOf } from '../explain/names.js';
import { namespaceOf, sendTrace } from '../explain/send-trace.js';
import { findSender, findTarget } from '../explain/trace-ends.js';
import { reasonOf } from '../explain/trace-facts.js';
import { summarize } from '../explain/trace-summary.js';
import { flowText } from '../explain/trace-text.js';
import { endpointOf } from '../explain/verdict.js';
import type { Hop, Trace, TraceOptions } from './trace-types.js';

/** Sends real requests and tells their way. @throws StatusError, Error when the sender is not there */
export async function traceRequests(
  client: RestClient,
  from: string,
  to: string,
  { count = 1, seed, family, node }: TraceOptions,
): Promise<Trace> {
  const sender = await findSender(client, from, 'default', node);
  const url = await findTarget(client, to, { namespace: namespaceOf(sender, 'default'), sender: sender.kind });
  const report = await sendTrace(client, sender, { url, family, seed, count: count === 1 ? undefined : count });
  const names = await sourcesOf(client, report.lookup);
  const reason = report.error === undefined ? undefined : await reasonOf(client, report, names);
  const ends: Record<string, number> = {};
  for (const { connection, error } of report.attempts ?? [report]) {
    const end = error ?? endpointOf(connection?.steps ?? []) ?? 'nobody';
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return {
    ok: report.error === undefined,
    ...(report.error === undefined ? {} : { error: report.error }),
    ...(reason === undefined ? {} : { reason: { code: reason.code, message: reason.message, fix: reason.fix } }),
    ...(report.reply === undefined ? {} : { status: report.reply.status }),
    hops: (report.connection?.steps ?? []).map(hopOf),
    ends,
    report: { ...report },
    toString: () => summarize(report, reason, { colors: false, width: undefined }),
  };
}

const hopOf = (step: NetworkStep): Hop => ({ node: step.node, kind: step.kind, text: textOf(step) });

function textOf(step: NetworkStep): string {
  switch (step.kind) {
    case 'netfilter':
      return `${flowText(step.in)}, leaves as ${flowText(step.out)}: ${step.verdict}`;
    case 'route':
      return `${step.destination} is ${step.via}`;
    case 'deliver':
      return step.to;
    case 'relay':
      return `for Service ${step.service} to ${step.endpoint}`;
    case 'fail':
      return `${step.code} ${step.message}`;
    default:
      return step satisfies never;
  }
}
