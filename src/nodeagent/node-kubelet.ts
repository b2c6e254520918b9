import type { Socket } from 'node:net';
import type { KeyPair } from '../machinery/x509/certificate.js';
import type { NodeAgentOptions } from './agent-options.js';
import type { NodeHost } from './host/types.js';
import { createKubeletHandler, type KubeletHandler } from './kubelet-api/handler.js';
import { serveKubelets } from './kubelet-api/server.js';
import type { KubeletContext } from './kubelet-api/types.js';
import { listen } from './listen.js';
import { joinStreams } from './network/join-streams.js';
import { breakWith } from './network/cable-sockets.js';
import { dialReal } from './network/real-host.js';
import { kubeletConfiguration } from './node/configuration.js';
import type { ClusterDns } from './pods/etc-files.js';

/** The kubelet API of the node, where it really listens. */
export interface NodeKubelet {
  readonly port: number;
  close(): void;
}

export interface NodeKubeletOptions {
  readonly agent: NodeAgentOptions;
  readonly dns: ClusterDns;
  readonly context: Omit<KubeletContext, 'configuration'>;
}

/** Where others expect the kubelet of a node, e.g. Pods that do not read the Node. */
const KUBELET_PORT = 10250;

/** Opens the kubelet API. @throws Error when its port cannot be opened */
export async function startNodeKubelet({ agent, dns, context }: NodeKubeletOptions): Promise<NodeKubelet> {
  let port = 0;
  const handler = createKubeletHandler({
    context: {
      ...context,
      configuration: () =>
        kubeletConfiguration({
          port,
          clusterDns: agent.clusterDns,
          clusterDomain: agent.clusterDomain,
          maxPods: agent.maxPods,
        }),
    },
    dns,
    hostGateways: agent.hostGateways,
    allowedNames: ['kube-apiserver-kubelet-client'],
    allowedOrganizations: ['system:masters'],
  });
  const { host, nodeName } = agent;
  const served =
    host === undefined ? await serveAlone(agent, handler) : serveWithOthers(host, nodeName, handler, context);
  ({ port } = served);
  // Pods reach the node's kubelet at its simulated address, as on a real node.
  for (const simulated of new Set([port, KUBELET_PORT]))
    context.network.node.listen(simulated, stream => {
      dialReal({ address: agent.listenAddress, port }).then(
        socket => {
          const over = host?.callsFrom(socket.localPort ?? 0, nodeName);
          if (over !== undefined) socket.once('close', over);
          joinStreams(stream, socket);
        },
        () => stream.destroy(),
      );
    });
  return served;
}

/** On a port of its own. @throws Error when it cannot be opened */
async function serveAlone(agent: NodeAgentOptions, handler: KubeletHandler): Promise<NodeKubelet> {
  const { cert, key } = agent.serving ?? (await ownCertificate(agent));
  const server = serveKubelets({ cert, key, clientCa: agent.clientCa }, () => handler);
  server.on('connection', (socket: Socket) => breakWith(agent.cable, socket));
  return {
    port: await listen(server, agent.kubeletPort, agent.listenAddress),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const serveWithOthers = (
  host: NodeHost,
  nodeName: string,
  kubelet: KubeletHandler,
  { network }: Pick<KubeletContext, 'network'>,
): NodeKubelet => ({ port: host.kubeletPort, close: host.join(nodeName, { network, kubelet }) });

async function ownCertificate({ nodeName, nodeIPs, listenAddress, clock, log }: NodeAgentOptions): Promise<KeyPair> {
  const { selfSignedCertificate } = await import('./kubelet-api/certificate.js');
  log.warn(
    {},
    'no serving certificate is given: the API server cannot know this node by one that signs itself, and will not ask it for logs, exec or proxies',
  );
  return selfSignedCertificate(nodeName, [nodeName, ...nodeIPs, listenAddress], clock);
}
