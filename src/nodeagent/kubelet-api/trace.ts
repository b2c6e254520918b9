import type { Duplex } from 'node:stream';
import { deadline, DeadlineExceeded } from '../containers/programs/deadline.js';
import { NetworkError } from '../network/errors.js';
import { httpCall } from '../network/http-client.js';
import { createResolver, type DnsAnswer, type Lookup } from '../network/resolver.js';
import type { NetNamespace, NetworkStep } from '../network/types.js';
import { hostsFile, podNames, resolverConfig, type ClusterDns } from '../pods/etc-files.js';
import type { PodWorker } from '../pods/pod-worker.js';
import { HttpError, sendJson, type KubeletContext, type KubeletRoute } from './types.js';

export interface DnsQueryTrace extends DnsAnswer {
  /** How the question crossed the rules. */
  readonly steps: readonly NetworkStep[];
}

/** Everything that happened to one request of a Pod, as JSON. */
export interface TraceReport {
  readonly pod: { readonly namespace: string; readonly name: string; readonly ip: string; readonly node: string };
  readonly url: string;
  readonly lookup: {
    readonly name: string;
    readonly nameservers: readonly string[];
    readonly search: readonly string[];
    readonly ndots: number;
    readonly addresses: readonly string[];
    readonly canonicalName: string;
    readonly fromHosts: boolean;
    readonly failure?: string;
    readonly queries: readonly DnsQueryTrace[];
  };
  /** Absent when the name has no address. */
  readonly connection?: {
    readonly to: { readonly address: string; readonly port: number };
    readonly steps: readonly NetworkStep[];
    readonly error?: { readonly code: string; readonly message: string };
  };
  /** What the target answered, for http and https. */
  readonly reply?: { readonly status: number; readonly contentType: string; readonly body: string };
  readonly error?: string;
}

const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const TIMEOUT_MS = 5_000;
const MAX_BODY = 4096;

/** Sends one real request from a Pod and reports every step. */
export async function traceRequest(
  worker: PodWorker,
  url: URL,
  { context, dns, signal }: { context: KubeletContext; dns: ClusterDns; signal: AbortSignal },
): Promise<TraceReport> {
  const { pod, network } = worker;
  if (network === undefined) throw new HttpError(409, `pod ${pod.metadata.name ?? ''} has no network yet`);
  const port = url.port === '' ? PORTS[url.protocol] : Number(url.port);
  if (port === undefined) throw new HttpError(400, `${url.protocol}// needs a port`);
  const limit = deadline(context.clock, TIMEOUT_MS, signal);
  const identity = {
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name ?? '',
    ip: network.address,
    node: context.nodeName,
  };
  try {
    const { config } = resolverConfig(pod, dns);
    const { lookup, queries } = await lookUp(network, url.hostname, worker, dns, limit.signal);
    const report = {
      pod: identity,
      url: url.href,
      lookup: {
        name: url.hostname,
        nameservers: config.nameservers,
        search: config.search,
        ndots: config.ndots,
        addresses: lookup.addresses,
        canonicalName: lookup.canonicalName,
        fromHosts: lookup.fromHosts === true,
        ...(lookup.failure === undefined ? {} : { failure: lookup.failure }),
        queries,
      },
    };
    const [address] = lookup.addresses;
    if (address === undefined)
      return { ...report, error: `${url.hostname} could not be resolved: ${lookup.failure ?? 'no address'}` };
    return { ...report, ...(await contact(network, url, { address, port }, limit.signal)) };
  } finally {
    limit.cancel();
  }
}

async function lookUp(network: NetNamespace, name: string, { pod }: PodWorker, dns: ClusterDns, signal: AbortSignal) {
  const traces: NetworkStep[][] = [];
  const names = podNames(pod, '', dns.domain);
  // The Pod's own resolver, with an eye on every question it sends.
  const resolver = createResolver({
    config: resolverConfig(pod, dns).config,
    hosts: async () => hostsFile(pod, names, network.address),
    network: {
      ...network,
      exchange(to, payload, options) {
        const steps: NetworkStep[] = [];
        traces.push(steps);
        return network.exchange(to, payload, { ...options, observe: step => void steps.push(step) });
      },
    },
  });
  const lookup: Lookup = await resolver.lookup(name, { signal });
  const queries = lookup.queries.map((answer, i) => ({ ...answer, steps: traces[i] ?? [] }));
  return { lookup, queries };
}

async function contact(
  network: NetNamespace,
  url: URL,
  to: { address: string; port: number },
  signal: AbortSignal,
): Promise<Pick<TraceReport, 'connection' | 'reply' | 'error'>> {
  const steps: NetworkStep[] = [];
  const observe = (step: NetworkStep): void => void steps.push(step);
  const open: Duplex[] = [];
  try {
    if (PORTS[url.protocol] === undefined) {
      open.push(await network.connect(to, { signal, observe }));
      return { connection: { to, steps } };
    }
    const { response, stream } = await httpCall(
      network,
      {
        to,
        method: 'GET',
        path: `${url.pathname}${url.search}`,
        headers: [
          ['Host', url.host],
          ['User-Agent', 'kubette-trace'],
          ['Accept', '*/*'],
          ['Connection', 'close'],
        ],
        ...(url.protocol === 'https:' ? { tls: { serverName: url.hostname, verify: false } } : {}),
      },
      { signal, observe },
    );
    open.push(stream);
    let body = '';
    for await (const chunk of response) if ((body += String(chunk)).length > MAX_BODY) break;
    const contentType = response.headers['content-type'] ?? '';
    return {
      connection: { to, steps },
      reply: { status: response.statusCode ?? 0, contentType, body: body.slice(0, MAX_BODY) },
    };
  } catch (error) {
    const late = error instanceof DeadlineExceeded;
    const code = late ? 'ETIMEDOUT' : error instanceof NetworkError ? error.code : 'EPROTO';
    const message = late ? `no answer within ${TIMEOUT_MS / 1000} s` : (error as Error).message;
    return { connection: { to, steps, error: { code, message } }, error: message };
  } finally {
    for (const stream of open) stream.destroy();
  }
}

/** GET or POST /trace?pod=namespace/name&url=http://my-app */
export const trace =
  (dns: ClusterDns): KubeletRoute =>
  async (context, { url, response, signal }) => {
    const [namespace = '', name = ''] = (url.searchParams.get('pod') ?? '').split('/');
    const worker = context.pods.find(namespace, name);
    if (worker === undefined)
      throw new HttpError(404, `pod ${JSON.stringify(`${namespace}/${name}`)} does not run on ${context.nodeName}`);
    const text = url.searchParams.get('url') ?? '';
    let target: URL;
    try {
      target = new URL(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
    } catch {
      throw new HttpError(400, `url ${JSON.stringify(text)} cannot be understood`);
    }
    sendJson(response, await traceRequest(worker, target, { context, dns, signal }));
  };
