import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { NetworkError } from '../../containers/network/errors.js';
import { httpCall } from '../../containers/network/http-client.js';
import { createResolver, type Lookup } from '../../containers/network/resolver.js';
import type { ConnectOptions, NetNamespace, NetworkStep, SocketAddress } from '../../containers/network/types.js';
import { seededRandom } from '../../machinery/random.js';
import type { ClusterDns } from '../pods/etc-files.js';
import { explainFailure } from './trace-failure.js';
import { TRACE_VERSION, type TraceAttempt, type TraceReport, type UnansweredQuery } from './trace-report.js';
import { type TraceSource, traceSource } from './trace-source.js';
import { parseTarget, type TraceTarget } from './trace-target.js';
import { HttpError, sendJson, type KubeletContext, type KubeletRoute } from './types.js';

const TIMEOUT_MS = 5_000;
const TIMEOUT_PER_ATTEMPT_MS = 500;
/** Whoever has nothing to say to a stranger's datagram says nothing: not worth waiting for as long. */
const UDP_TIMEOUT_MS = 2_000;
const DATAGRAM = Buffer.from('kubette-trace\n');
const MAX_BODY = 4096;

export interface TraceRequest {
  readonly source: TraceSource;
  readonly target: TraceTarget;
  /** How many requests. Default 1. */
  readonly count?: number;
  /** Asks for addresses of one family only. */
  readonly family?: 'A' | 'AAAA';
  /** In [0, 1): decides what chance decides on this node. */
  readonly random?: () => number;
}

export interface TraceOptions {
  readonly context: Pick<KubeletContext, 'clock' | 'random'>;
  readonly dns: ClusterDns;
  readonly signal: AbortSignal;
}

/** Sends real requests and reports every step. */
export async function traceRequest(request: TraceRequest, options: TraceOptions): Promise<TraceReport> {
  const { source, target, count = 1, family } = request;
  const { clock, random } = options.context;
  const limit = deadline(clock, TIMEOUT_MS + (count - 1) * TIMEOUT_PER_ATTEMPT_MS, options.signal);
  try {
    const { resolver: config, from } = source;
    const { lookup, queries, unanswered } = await lookUp(source, target.host, family, random, limit.signal);
    const report = {
      version: TRACE_VERSION,
      from,
      ...(from.kind === 'pod'
        ? { pod: { namespace: from.namespace, name: from.name, ip: from.addresses[0] ?? '', node: from.node } }
        : {}),
      url: target.text,
      lookup: {
        name: target.host,
        nameservers: config.nameservers,
        search: config.search,
        ndots: config.ndots,
        clusterDomain: options.dns.domain,
        dnsPolicy: source.dnsPolicy,
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
    const attempts: TraceAttempt[] = [];
    while (attempts.length < count && !limit.signal.aborted)
      attempts.push(await contact(source.network, target, to, { signal: limit.signal, ...chance(request) }));
    return { ...report, ...attempts[0], ...(count > 1 ? { attempts } : {}) };
  } finally {
    limit.cancel();
  }
}

const chance = ({ random }: TraceRequest): Pick<ConnectOptions, 'random'> => (random === undefined ? {} : { random });

async function lookUp(
  { network, resolver: config, hosts }: TraceSource,
  name: string,
  family: TraceRequest['family'],
  random: () => number,
  signal: AbortSignal,
) {
  /** By question: several are on their way at once. */
  const answered = new Map<string, readonly NetworkStep[]>();
  const unanswered: UnansweredQuery[] = [];
  // The sender's own resolver, with an eye on every question it sends.
  const { default: packets } = await import('dns-packet');
  const resolver = createResolver({
    config,
    hosts: async () => hosts,
    random,
    network: {
      ...network,
      async exchange(to, payload, options) {
        const steps: NetworkStep[] = [];
        const [question] = packets.decode(payload).questions ?? [];
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
  const lookup: Lookup = await resolver.lookup(name, { signal, ...(family === undefined ? {} : { type: family }) });
  const queries = lookup.queries.map(answer => {
    // What dig shows of a message is no part of a trace.
    const { message: _message, ...told } = answer;
    const { name: asked, type } = told.question;
    return { ...told, steps: answered.get(`${type} ${asked}`) ?? [] };
  });
  return { lookup, queries, unanswered };
}

async function contact(
  network: NetNamespace,
  target: TraceTarget,
  to: SocketAddress,
  given: ConnectOptions,
): Promise<TraceAttempt> {
  const steps: NetworkStep[] = [];
  const options = { ...given, observe: (step: NetworkStep): void => void steps.push(step) };
  const protocol = target.protocol === 'udp' || target.protocol === 'sctp' ? target.protocol : 'tcp';
  const connection = { protocol, to, steps } as const;
  try {
    switch (target.protocol) {
      case 'udp':
        return { connection, datagram: { bytes: await sendDatagram(network, to, options) } };
      case 'sctp':
        (await network.connect(to, { ...options, protocol: 'sctp' })).destroy();
        return { connection };
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

const FAMILIES = { ipv4: 'A', ipv6: 'AAAA' } as const;
const MAX_COUNT = 100;

/** A whole number of the query; undefined: it is not there. @throws HttpError */
function wholeNumber(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number < least || number > most)
    throw new HttpError(
      400,
      `${name} ${JSON.stringify(text.slice(0, 32))}: want a whole number from ${least} to ${most}`,
    );
  return number;
}

/**
 * GET or POST /trace?pod=namespace/name&url=http://my-app; from=node or from=ADDRESS in the place of pod; count=N requests,
 * family=ipv4|ipv6, seed=N for the choices that this node makes by chance.
 */
export const trace =
  (dns: ClusterDns): KubeletRoute =>
  async (context, { url: { searchParams: query }, response, signal }) => {
    const source = traceSource(query, context, dns);
    const target = parseTarget(query.get('url') ?? '');
    const family = query.get('family');
    if (family !== null && !(family in FAMILIES))
      throw new HttpError(400, `unknown family ${JSON.stringify(family.slice(0, 32))}: there are ipv4, ipv6`);
    const count = wholeNumber(query, 'count', 1, MAX_COUNT);
    const seed = wholeNumber(query, 'seed', 0, 2 ** 32 - 1);
    const seeded = seed === undefined ? undefined : seededRandom(seed);
    const request = {
      source,
      target,
      ...(count === undefined ? {} : { count }),
      ...(family === null ? {} : { family: FAMILIES[family as keyof typeof FAMILIES] }),
      ...(seeded === undefined ? {} : { random: () => seeded.number() }),
    };
    sendJson(response, await traceRequest(request, { context, dns, signal }));
  };
