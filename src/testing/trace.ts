import { queryString, type RestClient } from '../client/rest-client.js';
import type { NetworkStep } from '../containers/network/types.js';
import { sourcesOf } from '../explain/names.js';
import { findSender, findTarget } from '../explain/trace-ends.js';
import { reasonOf } from '../explain/trace-facts.js';
import { endpointOf, summarize } from '../explain/trace-summary.js';
import { flowText } from '../explain/trace-text.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';

export interface TraceOptions {
  /** Sends so many requests, one after the other, 1 to 1000. Default 1. */
  readonly count?: number;
  /** What chance decides on the node is the same for the same seed. */
  readonly seed?: number;
  /** Asks for addresses of that family only. */
  readonly family?: 'ipv4' | 'ipv6';
  /** Where packets from outside come in: a node's name. Default: the first that is ready. */
  readonly node?: string;
}

/** A place that the first request has come through. */
export interface Hop {
  /** "node-1" */
  readonly node: string;
  /**
   * What happened there: "netfilter", a node's rules were asked; "route", where it is sent; "deliver", the end of the way;
   * "relay", the proxy opened a connection of its own; "fail", the way ended.
   */
  readonly kind: 'netfilter' | 'route' | 'deliver' | 'relay' | 'fail';
  /** For people: "tcp 10.244.1.2:40000 -> 10.96.0.20:80", "pod default/web-1", "ECONNREFUSED …". */
  readonly text: string;
}

/** What became of the requests. */
export interface Trace {
  /** Whether the first was answered (udp: sent). */
  readonly ok: boolean;
  /** Why it was not. */
  readonly error?: string;
  /** What of the cluster explains that, and what would mend it. */
  readonly reason?: { readonly code: string; readonly message: string; readonly fix: string };
  /** HTTP status of the first answer. */
  readonly status?: number;
  readonly hops: readonly Hop[];
  /** How many requests ended where: by "pod default/web-1 (10.244.1.2:80)", or by the text of an error. */
  readonly ends: Readonly<Record<string, number>>;
  /** All there is, as `kubette trace -o json` prints it (api-schemas/trace.v1.json). */
  readonly report: Readonly<Record<string, unknown>>;
  /** As `kubette trace` prints it. */
  toString(): string;
}

/** Sends real requests and tells their way. @throws StatusError, Error when the sender is not there */
export async function traceRequests(
  client: RestClient,
  from: string,
  to: string,
  { count = 1, seed, family, node }: TraceOptions,
): Promise<Trace> {
  const sender = await findSender(client, from, 'default', node);
  const namespace = sender.query['pod']?.split('/')[0] ?? 'default';
  const url = await findTarget(client, to, { namespace, sender: sender.kind });
  const query = queryString({ ...sender.query, url, family, seed, count: count === 1 ? undefined : count });
  const report = (await client.request('GET', `/api/v1/nodes/${sender.node}/proxy/trace${query}`)) as TraceReport;
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
