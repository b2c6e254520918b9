import { joinHostPort } from '../machinery/ip.js';
import type { NetworkStep } from '../containers/network/types.js';
import type { TraceEnd, TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import type { ObjectName, Reason } from './types.js';

/** Whether something works, and why not: what `kubette why` says. */
export interface Verdict {
  readonly works: boolean;
  readonly code: Reason['code'] | 'Works';
  /** The cause, or who answered. */
  readonly message: string;
  readonly details: readonly string[];
  readonly objects: readonly ObjectName[];
  readonly fix?: string;
  readonly show?: string;
}

const WORKS = 'works: ';

export const because = (reason: Reason): Verdict => ({ works: false, ...reason });

export const works = (
  message: string,
  details: readonly string[] = [],
  objects: readonly ObjectName[] = [],
): Verdict => ({
  works: true,
  code: 'Works',
  message: `${WORKS}${message}`,
  details,
  objects,
});

/** Who was asked last: "pod default/web-1 (10.244.1.2:80)". */
export function endpointOf(steps: readonly NetworkStep[]): string | undefined {
  const end = steps.findLast(step => step.kind === 'deliver');
  if (end?.kind === 'deliver') return `${end.to} (${joinHostPort(end.flow.dst, end.flow.dstPort)})`;
  const route = steps.findLast(step => step.kind === 'route');
  return route?.kind === 'route' ? route.via : undefined;
}

function senderText(from: TraceEnd): string {
  switch (from.kind) {
    case 'pod':
      return `pod ${from.namespace}/${from.name}`;
    case 'node':
      return `node ${from.name}`;
    case 'outside':
      return `${from.addresses[0] ?? ''}, outside`;
  }
}

/** What a request says of what was asked. `reason`: why it failed, as far as that is known. */
export function requestVerdict(report: TraceReport, reason: Reason | undefined): Verdict {
  const { connection, reply, datagram, error } = report;
  const who = endpointOf(connection?.steps ?? []) ?? report.url;
  const by = ` (asked by ${senderText(report.from)})`;
  if (error !== undefined) {
    // Whoever breaks off a conversation in HTTP has taken the connection: what leads there is in order.
    if (connection?.error?.code === 'EPROTO' || connection?.error?.code === 'ECONNRESET')
      return works(`${who} takes the connection, and does not answer as HTTP${by}`);
    return reason === undefined
      ? { works: false, code: 'NoAnswer', message: error, details: [], objects: [] }
      : because(reason);
  }
  if (reply !== undefined && reply.status >= 500)
    return {
      works: false,
      code: 'ServerError',
      message: `${who} answers HTTP ${reply.status}: the way there is in order`,
      details: reply.body === '' ? [] : [reply.body.split('\n', 1)[0] ?? ''],
      objects: [],
      fix: 'the application says so: see its logs',
    };
  if (reply !== undefined) return works(`${who} answers HTTP ${reply.status}${by}`);
  if (datagram !== undefined)
    return works(
      datagram.bytes === 0
        ? `the datagram comes to ${who}, which does not answer${by}`
        : `${who} answers with ${datagram.bytes} bytes${by}`,
    );
  return works(`${who} takes the connection${by}`);
}

/** A verdict about one of several ports, which it names. */
export const ofPort = (port: string, verdict: Verdict): Verdict =>
  verdict.works ? { ...verdict, message: verdict.message.replace(WORKS, `${WORKS}port ${port}: `) } : verdict;

/** Several questions about one thing: the first that finds a cause, else what the first says and the others as details. */
export function together(verdicts: readonly Verdict[], notes: readonly string[]): Verdict {
  const cause = verdicts.find(verdict => !verdict.works);
  if (cause !== undefined) return cause;
  const [first, ...rest] = verdicts;
  const others = rest.map(({ message }) => message.replace(WORKS, ''));
  return first === undefined ? works('', notes) : { ...first, details: [...first.details, ...others, ...notes] };
}
