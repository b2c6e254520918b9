import type { AddressInfo, Server } from 'node:net';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import { createProxier } from '../../src/dataplane/proxiers/index.js';
import type { ProxyMode } from '../../src/dataplane/proxiers/modes.js';
import { realClock } from '../../src/machinery/clock.js';
import type { EndpointSlice, Node, Service } from '../../src/machinery/types.js';
import type { NetNamespace, NetStream } from '../../src/containers/network/types.js';
import { createPeerLinks } from '../../src/nodeagent/network/link/peer-links.js';
import { createNodeDirectory } from '../../src/nodeagent/network/node-directory.js';
import { POD_NETWORK_ANNOTATION } from '../../src/nodeagent/network/peer.js';
import { createPeerServer } from '../../src/nodeagent/network/peer-link.js';
import { createPodNetwork } from '../../src/nodeagent/network/pod-network.js';
import { hostKernels, hostRoutes } from './host-routes.js';

export const listen = (server: Server): Promise<number> =>
  new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));

export const service = (name: string, spec: object): Service => ({ metadata: { namespace: 'default', name }, spec });
export const slice = (
  name: string,
  protocol: string,
  port: number,
  ...endpoints: (readonly [ip: string, node: string])[]
): EndpointSlice => ({
  metadata: { namespace: 'default', name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: '', port, protocol }],
  endpoints: endpoints.map(([ip, nodeName]) => ({ addresses: [ip], nodeName, conditions: { ready: true } })),
});

export interface TwoNodes {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly mode?: ProxyMode;
  /** Rules do not know which packets are of Pods, and masquerade none of the others. */
  readonly masqueradesNothing?: boolean;
}

/** Two nodes with their rules, joined by real TCP. Pod addresses: 10.244.1.x on node-1, 10.244.2.x on node-2. */
export async function twoNodes({ services, slices, mode = 'iptables', masqueradesNothing = false }: TwoNodes) {
  const nodes = await Promise.all(
    [1, 2].map(async i => {
      const nodeIP = `172.18.0.${i + 1}`;
      const nodeName = `node-${i}`;
      const kernel = createKernel({ clock: realClock, random: () => 0.5, routes: hostRoutes(nodeIP) });
      const proxy = createProxier({
        clock: realClock,
        mode,
        family: 'IPv4',
        nodeName,
        nodeAddresses: [nodeIP],
        ...(masqueradesNothing ? {} : { detectLocal: { kind: 'clusterCidr', cidrs: ['10.244.0.0/16'] } }),
      });
      services.forEach(s => proxy.onServiceUpdate(s));
      slices.forEach(s => proxy.onSliceUpdate(s));
      const { program } = proxy.sync();
      if (program !== undefined) kernel.load(program);
      const kernels = hostKernels(kernel);
      const directory = createNodeDirectory({ nodeName, kernels });
      const network = createPodNetwork({
        random: () => 0.5,
        nodeName,
        nodeAddresses: [nodeIP],
        kernels,
        directory,
        links: createPeerLinks(realClock),
        clock: realClock,
        hostGateways: ['172.18.0.1'] as const,
        hostAddress: '127.0.0.1',
      });
      const peers = createPeerServer({ network, clock: realClock });
      const port = await listen(peers.server);
      const object = {
        metadata: { name: nodeName, annotations: { [POD_NETWORK_ANNOTATION]: `127.0.0.1:${port}` } },
        spec: { podCIDRs: [`10.244.${i}.0/24`] },
        status: { addresses: [{ type: 'InternalIP', address: nodeIP }] },
      } as unknown as Node;
      return { network, kernel, proxy, directory, peers, object, nodeIP };
    }),
  );
  for (const { directory } of nodes) for (const { object } of nodes) directory.update(object);
  const [one, two] = nodes;
  if (one === undefined || two === undefined) throw new Error('two nodes');
  return { one, two, close: () => nodes.forEach(n => n.peers.close()) };
}

/** Answers every connection with who it thinks is calling. */
export const whoAmI = (namespace: NetNamespace, port: number): (() => void) =>
  namespace.listen(port, stream => {
    stream.on('data', () => undefined);
    stream.end(`${stream.remoteAddress ?? ''} -> ${stream.localAddress ?? ''}:${stream.localPort ?? 0}`);
  });

/** What is answered, or the code of the error. */
export async function answerOf(stream: Promise<NetStream>): Promise<string> {
  try {
    let text = '';
    for await (const chunk of await stream) text += String(chunk);
    return text;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

export const ask = (from: NetNamespace, address: string, port: number): Promise<string> =>
  answerOf(from.connect({ address, port }, { timeoutMs: 200 }));
