import type { RestClient } from '../../src/client/rest-client.js';
import type { TraceAttempt, TraceReport } from '../../src/nodeagent/kubelet-api/trace-report.js';
import { checkedTrace } from './trace-schema.js';

/** A traced request: who sends it, on which node, to whom. */
export interface Request {
  readonly node: string;
  /** "pod=default/client", "from=node", or "from=198.51.100.7" of somebody outside. */
  readonly from: string;
  readonly url: string;
  /** How often. Default 1. */
  readonly count?: number;
  /** Of what the node chooses by chance. */
  readonly seed?: number;
}

export async function trace(client: RestClient, { node, from, url, count, seed }: Request): Promise<TraceReport> {
  const query = [
    from,
    `url=${encodeURIComponent(url)}`,
    ...(count === undefined ? [] : [`count=${count}`]),
    ...(seed === undefined ? [] : [`seed=${seed}`]),
  ];
  return checkedTrace(await client.request('GET', `/api/v1/nodes/${node}/proxy/trace?${query.join('&')}`));
}

/**
 * Where a request ended: the Pod "default/web-1"; the address that it was sent to, where that is nobody of the cluster;
 * undefined where it was given to nobody.
 */
export function landing({ connection }: Partial<TraceAttempt>): string | undefined {
  const steps = connection?.steps ?? [];
  const pod = steps.findLast(step => step.kind === 'deliver' && step.to.startsWith('pod '));
  if (pod?.kind === 'deliver') return pod.to.slice('pod '.length);
  const unreachable = steps.some(step => step.kind === 'fail' && step.code === 'EHOSTUNREACH');
  const sent = steps.findLast(step => step.kind === 'netfilter' && step.direction === 'request');
  return unreachable && sent?.kind === 'netfilter' ? sent.out.dst : undefined;
}

/** Where each request ended, as `landing`. */
export async function landings(client: RestClient, request: Request): Promise<(string | undefined)[]> {
  const report = await trace(client, request);
  return (report.attempts ?? [report]).map(landing);
}
