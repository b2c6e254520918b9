import { request as httpsRequest, Agent } from 'node:https';
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import { internalError, StatusError } from '../../machinery/status.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import type { Objects } from '../../resources/strategy.js';

/** The API server's identity towards node agents, PEM. */
export interface KubeletCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface KubeletRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** Plural name of the resource in the client's request. */
  readonly asked: string;
}

export interface KubeletConnection {
  /**
   * A request to the agent of a node, not yet sent. An unknown node is refused, as upstream, by the name of what the
   * client asked for ("pods").
   * @throws StatusError when the node is unknown or has no address
   */
  open(node: string, options: KubeletRequest): ClientRequest;
}

/** Where node agents are dialled first: by house convention InternalDNS holds the address that is real on this host. */
const PREFERRED = ['InternalDNS', 'InternalIP', 'Hostname', 'ExternalDNS', 'ExternalIP'];

/** The address that upstream prints in its errors is the one it dials. */
export function kubeletAddress(node: DeepReadonly<Node>): { host: string; port: number } {
  const addresses = node.status?.addresses ?? [];
  for (const type of PREFERRED) {
    const found = addresses.find(a => a.type === type && a.address !== '');
    if (found === undefined) continue;
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
    return { host: found.address, port: port === undefined || port === 0 ? 10250 : port };
  }
  const types = addresses.map(a => `{${a.type} ${a.address}}`).join(' ');
  throw internalError(`no preferred addresses found; known addresses: [${types}]`);
}

/** Connects to node agents over TLS. Idle connections are kept for the next log or exec. */
export function createKubeletConnection(
  objects: Objects,
  credentials: KubeletCredentials | undefined,
): KubeletConnection {
  const agent = new Agent({
    keepAlive: true,
    maxFreeSockets: 4,
    // Agents' certificates are their own unless the cluster's CA signed them: as upstream without --kubelet-certificate-authority.
    rejectUnauthorized: false,
    ...(credentials === undefined ? {} : { cert: credentials.cert, key: credentials.key }),
  });
  return {
    open(name, { method, path, headers, asked }) {
      const node = objects.get('nodes', { namespace: '', name }) as DeepReadonly<Node> | undefined;
      if (node === undefined)
        throw new StatusError(404, 'NotFound', `${asked} "${name}" not found`, { name, kind: asked });
      const { host, port } = kubeletAddress(node);
      return httpsRequest({ agent, host, port, method, path, headers, servername: '' });
    },
  };
}

/** What upstream says when a node cannot be reached. */
export function dialProblem(thrown: unknown, outgoing: ClientRequest): string {
  const address = String(outgoing.getHeader('host') ?? outgoing.host);
  const error = thrown as NodeJS.ErrnoException;
  switch (error.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`;
    case 'ETIMEDOUT':
      return `dial tcp ${address}: i/o timeout`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${outgoing.host}: no such host`;
    case 'ECONNRESET':
      return 'EOF';
    default:
      return error.message;
  }
}
