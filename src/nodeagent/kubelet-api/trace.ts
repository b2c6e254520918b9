import { deadline, DeadlineExceeded } from '../../containers/programs/deadline.js';
import { NetworkError } from '../../containers/network/errors.js';
import { httpCall } from '../../containers/network/http-client.js';
import { createResolver, type DnsAnswer, type Lookup } from '../../containers/network/resolver.js';
import type { ConnectOptions, NetNamespace, NetworkStep, SocketAddress } from '../../containers/network/types.js';
import { hostsFile, podNames, resolverConfig, type ClusterDns } from '../pods/etc-files.js';
import type { PodWorker } from '../pods/pod-worker.js';
import { explainFailure } from './trace-failure.js';
import { parseTarget, type TraceTarget } from './trace-target.js';
import { HttpError, sendJson, type KubeletContext, type KubeletRoute } from './types.js';

export interface DnsQueryTrace extends DnsAnswer {
  /** How the question crossed the rules. */
  readonly steps: readonly NetworkStep[];
}

export interface UnansweredQuery {
  /** "A web.default.svc.cluster.local" */
  readonly question: string;
  readonly server: string;
  readonly error: string;
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
    readonly clusterDomain: string;
    readonly dnsPolicy: string;
    readonly addresses: readonly string[];
    readonly canonicalName: string;
    readonly fromHosts: boolean;
    readonly failure?: string;
    readonly queries: readonly DnsQueryTrace[];
    /** Questions that nobody answered. */
    readonly unanswered: readonly UnansweredQuery[];
  };
  /** Absent when the name has no address. */
  readonly connection?: {
    readonly protocol: 'tcp' | 'udp';
    readonly to: { readonly address: string; readonly port: number };
    readonly steps: readonly NetworkStep[];
    readonly error?: { readonly code: string; readonly message: string };
  };
  /** What the target answered, for http and https. */
  readonly reply?: { readonly status: number; readonly contentType: string; readonly body: string };
  /** For udp: how long the answering datagram was; 0: none came, which UDP does not promise either. */
  readonly datagram?: { readonly bytes: number };
  readonly error?: string;
}

const TIMEOUT_MS = 5_000;
/** Whoever has nothing to say to a stranger's datagram says nothing: not worth waiting for as long. */
const UDP_TIMEOUT_MS = 2_000;
const DATAGRAM = Buffer.from('kubette-trace\n');
const MAX_BODY = 4096;

/** Sends one real request from a Pod and reports every step. */
export async function traceRequest(
  worker: PodWorker,
  target: TraceTarget,
  { context, dns, signal }: { context: KubeletContext; dns: ClusterDns; signal: AbortSignal },
): Promise<TraceReport> {
  const { pod, network } = worker;
  if (network === undefined) throw new HttpError(409, `pod ${pod.metadata.name ?? ''} has no network yet`);
  const limit = deadline(context.clock, TIMEOUT_MS, signal);
  const identity = {
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name ?? '',
    ip: network.addresses[0],
    node: context.nodeName,
  };
  try {
    const { config } = resolverConfig(pod, dns);
    const { lookup, queries, unanswered } = await lookUp(network, target.host, worker, dns, limit.signal);
    const report = {
      pod: identity,
      url: target.text,
      lookup: {
        name: target.host,
        nameservers: config.nameservers,
        search: config.search,
        ndots: config.ndots,
        clusterDomain: dns.domain,
        dnsPolicy: pod.spec?.dnsPolicy ?? 'ClusterFirst',
        addresses: lookup.addresses,
        canonicalName: lookup.canonicalName,
        fromHosts: lookup.fromHosts === true,
        ...(lookup.failure === undefined ? {} : { failure: lookup.failure }),
        queries,
        unanswered,
      },
    };
    const [address] = lookup.addresses;
    if (address === undefined) {
      const { failure = 'no address' } = lookup;
      const why = (failure === 'TIMEOUT' ? unanswered.at(-1)?.error : undefined) ?? failure;
      return { ...report, error: `${target.host} could not be resolved: ${why}` };
    }
    const to = { address, port: target.port };
    return { ...report, ...(await contact(network, target, to, limit.signal)) };
  } finally {
    limit.cancel();
  }
}

async function lookUp(network: NetNamespace, name: string, { pod }: PodWorker, dns: ClusterDns, signal: AbortSignal) {
  /** By question: several are on their way at once. */
  const answered = new Map<string, readonly NetworkStep[]>();
  const unanswered: UnansweredQuery[] = [];
  const names = podNames(pod, '', dns.domain);
  // The Pod's own resolver, with an eye on every question it sends.
  const { default: dnsPacket } = await import('dns-packet');
  const resolver = createResolver({
    config: resolverConfig(pod, dns).config,
    hosts: async () => hostsFile(pod, names, network.addresses),
    network: {
      ...network,
      async exchange(to, payload, options) {
        const steps: NetworkStep[] = [];
        const [question] = dnsPacket.decode(payload).questions ?? [];
        const asked = `${question?.type ?? ''} ${question?.name ?? ''}`;
        try {
          const answer = await network.exchange(to, payload, { ...options, observe: step => void steps.push(step) });
          answered.set(asked, steps);
          return answer;
        } catch (error) {
          if (error instanceof NetworkError) {
            const message = explainFailure(error, steps, { protocol: 'udp', port: to.port });
            unanswered.push({ question: asked, server: to.address, error: message, steps });
          }
          throw error;
        }
      },
    },
  });
  const lookup: Lookup = await resolver.lookup(name, { signal });
  const queries = lookup.queries.map(answer => {
    const { name: asked, type } = answer.question;
    return { ...answer, steps: answered.get(`${type} ${asked}`) ?? [] };
  });
  return { lookup, queries, unanswered };
}

type Contact = Pick<TraceReport, 'connection' | 'reply' | 'datagram' | 'error'>;

async function contact(
  network: NetNamespace,
  target: TraceTarget,
  to: SocketAddress,
  signal: AbortSignal,
): Promise<Contact> {
  const steps: NetworkStep[] = [];
  const options = { signal, observe: (step: NetworkStep): void => void steps.push(step) };
  const protocol = target.protocol === 'udp' ? 'udp' : 'tcp';
  const connection = { protocol, to, steps } as const;
  try {
    switch (target.protocol) {
      case 'udp':
        return { connection, datagram: { bytes: await sendDatagram(network, to, options) } };
      case 'tcp':
        (await network.connect(to, options)).destroy();
        return { connection };
      case 'http':
      case 'https':
        return { connection, reply: await request(network, target, to, options) };
      default:
        return target.protocol satisfies never;
    }
  } catch (error) {
    const late = error instanceof DeadlineExceeded;
    const code = late ? 'ETIMEDOUT' : error instanceof NetworkError ? error.code : 'EPROTO';
    const message = late
      ? `no answer within ${TIMEOUT_MS / 1000} s`
      : explainFailure(error as Error, steps, { protocol, ...to });
    return { connection: { ...connection, error: { code, message } }, error: message };
  }
}

/** Bytes of the answer; 0 when none came although the datagram was not lost on the way. */
async function sendDatagram(network: NetNamespace, to: SocketAddress, options: ConnectOptions): Promise<number> {
  try {
    return (await network.exchange(to, DATAGRAM, { ...options, timeoutMs: UDP_TIMEOUT_MS })).length;
  } catch (error) {
    if (error instanceof NetworkError && error.code === 'ETIMEDOUT' && error.detail === 'no answer') return 0;
    throw error;
  }
}

async function request(network: NetNamespace, target: TraceTarget, to: SocketAddress, options: ConnectOptions) {
  const { response, stream } = await httpCall(
    network,
    {
      to,
      method: 'GET',
      path: target.path,
      headers: [
        ['Host', target.authority],
        ['User-Agent', 'kubette-trace'],
        ['Accept', '*/*'],
        ['Connection', 'close'],
      ],
      ...(target.protocol === 'https' ? { tls: { serverName: target.host, verify: false } } : {}),
    },
    options,
  );
  try {
    let body = '';
    for await (const chunk of response) if ((body += String(chunk)).length > MAX_BODY) break;
    const contentType = response.headers['content-type'] ?? '';
    return { status: response.statusCode ?? 0, contentType, body: body.slice(0, MAX_BODY) };
  } finally {
    stream.destroy();
  }
}

/** GET or POST /trace?pod=namespace/name&url=http://my-app */
export const trace =
  (dns: ClusterDns): KubeletRoute =>
  async (context, { url, response, signal }) => {
    const pod = url.searchParams.get('pod') ?? '';
    const [namespace = '', name = '', ...more] = pod.split('/', 3);
    const worker = more.length > 0 ? undefined : context.pods.find(namespace, name);
    if (worker === undefined)
      throw new HttpError(404, `pod ${JSON.stringify(pod.slice(0, 512))} does not run on ${context.nodeName}`);
    const target = parseTarget(url.searchParams.get('url') ?? '');
    sendJson(response, await traceRequest(worker, target, { context, dns, signal }));
  };
