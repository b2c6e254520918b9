import { NetworkError } from '../../containers/network/errors.js';
import type { ResolverConfig } from '../../containers/network/resolv-conf.js';
import type { Addresses, Flow, NetNamespace, SocketAddress } from '../../containers/network/types.js';
import { isGlobalUnicast } from '../../machinery/global-unicast.js';
import { canonicalIP } from '../../machinery/ip.js';
import { EPHEMERAL_PORTS } from '../network/ephemeral-ports.js';
import { hostsFile, podNames, resolverConfig, type ClusterDns } from '../pods/etc-files.js';
import type { TraceEnd } from './trace-report.js';
import { HttpError, type KubeletContext } from './types.js';

/** Who sends a traced request, from which network, and how it looks up names. */
export interface TraceSource {
  readonly from: TraceEnd;
  readonly network: NetNamespace;
  readonly resolver: ResolverConfig;
  readonly dnsPolicy: string;
  /** The content of its /etc/hosts. */
  readonly hosts: string;
}

/**
 * Of `pod=namespace/name`, `from=node`, or `from=ADDRESS` of somebody outside of the cluster.
 * @throws HttpError
 */
export function traceSource(query: URLSearchParams, context: KubeletContext, dns: ClusterDns): TraceSource {
  const from = query.get('from');
  if (from === null) return ofPod(query.get('pod') ?? '', context, dns);
  if (query.has('pod')) throw new HttpError(400, 'pod and from exclude each other');
  return from === 'node' ? ofNode(context, dns) : ofOutside(from, context);
}

function ofPod(text: string, context: KubeletContext, dns: ClusterDns): TraceSource {
  const [namespace = '', name = '', ...more] = text.split('/', 3);
  const worker = more.length > 0 ? undefined : context.pods.find(namespace, name);
  if (worker === undefined)
    throw new HttpError(404, `pod ${JSON.stringify(text.slice(0, 512))} does not run on ${context.nodeName}`);
  const { pod, network } = worker;
  if (network === undefined) throw new HttpError(409, `pod ${name} has no network yet`);
  const { addresses } = network;
  return {
    from: { kind: 'pod', namespace, name, addresses, node: context.nodeName },
    network,
    resolver: resolverConfig(pod, dns).config,
    dnsPolicy: pod.spec?.dnsPolicy ?? 'ClusterFirst',
    hosts: hostsFile(pod, podNames(pod, '', dns.domain), addresses),
  };
}

/** The node itself knows the cluster's addresses, and none of its names. */
function ofNode({ nodeName, network }: KubeletContext, { hostNameservers }: ClusterDns): TraceSource {
  const { addresses } = network.node;
  return {
    from: { kind: 'node', name: nodeName, addresses, node: nodeName },
    network: network.node,
    resolver: { nameservers: hostNameservers, search: [], ndots: 1, timeoutMs: 5_000, attempts: 2 },
    dnsPolicy: 'Default',
    hosts: ['127.0.0.1\tlocalhost', ...addresses.map(address => `${address}\t${nodeName}`), ''].join('\n'),
  };
}

function ofOutside(text: string, context: KubeletContext): TraceSource {
  const { nodeName: node, random } = context;
  const address = canonicalIP(text.slice(0, 64));
  if (address === undefined || !isGlobalUnicast(address))
    throw new HttpError(400, `from ${JSON.stringify(text.slice(0, 64))}: want node, or the address of a client`);
  const addresses: Addresses = [address];
  const flow = (proto: Flow['proto'], to: SocketAddress): Flow => {
    if (to.address.includes(':') !== address.includes(':')) throw new NetworkError('ENETUNREACH');
    return { proto, src: address, srcPort: ephemeralPort(random), dst: to.address, dstPort: to.port };
  };
  const refuse = (): never => {
    throw new Error('nobody outside of the cluster listens here');
  };
  return {
    from: { kind: 'outside', addresses, node },
    network: {
      addresses,
      connect: async (to, options = {}) =>
        options.protocol === 'sctp'
          ? context.network.acceptSctp(flow('sctp', to), options)
          : context.network.acceptTcp(flow('tcp', to), options),
      async exchange(to, payload, options = {}) {
        const reply = await context.network.acceptUdp(flow('udp', to), payload, options);
        if (reply === undefined) throw new NetworkError('ETIMEDOUT', 'no answer');
        return reply;
      },
      listen: refuse,
      listenUdp: refuse,
    },
    resolver: { nameservers: [], search: [], ndots: 1, timeoutMs: 5_000, attempts: 1 },
    dnsPolicy: 'None',
    hosts: '',
  };
}

const ephemeralPort = (random: () => number): number =>
  EPHEMERAL_PORTS.first + Math.floor(random() * (EPHEMERAL_PORTS.last - EPHEMERAL_PORTS.first + 1));
