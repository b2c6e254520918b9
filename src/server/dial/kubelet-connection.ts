import { request as httpsRequest, Agent, type RequestOptions } from 'node:https';
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls';
import { StatusError } from '../../machinery/status.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import type { Objects } from '../../api/strategy.js';
import { NODE_HOSTS } from '../auth/node-agents.js';
import { DialError, dialProblem } from './dial-problem.js';
import { checkAddress, checkedLookup, kubeletAddress, type OwnEndpoint } from './kubelet-address.js';
import { joinHostPort } from '../../machinery/ip.js';

/** The API server's identity towards node agents, PEM. */
export interface KubeletCredentials {
  /** Signs the agents' serving certificates. */
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
  /** Where the client reached the API server. */
  readonly own: OwnEndpoint;
  /**
   * Whether the connection may serve another request afterwards. Not when a client's body is sent over it: one that
   * ends early would become the beginning of somebody else's request.
   */
  readonly pooled: boolean;
}

export interface DialOptions {
  readonly address: string;
  readonly port: number;
  readonly asked: string;
  readonly own: OwnEndpoint;
  readonly signal: AbortSignal;
}

export interface KubeletConnection {
  /** @throws StatusError when the node is unknown or has no address */
  check(node: string, asked: string): void;
  /**
   * A request to the agent of a node, not yet sent; it is sent to nobody but the holder of that node's certificate. An
   * unknown node is refused, as upstream, by the name of what the client asked for ("pods").
   * @throws StatusError when the node is unknown, has no address or one that is not dialled
   */
  open(node: string, options: KubeletRequest): ClientRequest;
  /**
   * A connection from a node to an address of the cluster's network. What is sent over it is no request to the agent.
   * @throws DialError, StatusError
   */
  dial(node: string, options: DialOptions): Promise<Duplex>;
}

const only = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? undefined : value);
const list = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat());

/** Whether a certificate that the cluster's CA has signed is the kubelet's of this node, or of whoever answers for it. */
function identityProblem(node: string, { subject }: PeerCertificate): Error | undefined {
  const name = only(subject.CN);
  if (name === `system:node:${node}` && list(subject.O).includes('system:nodes')) return undefined;
  // One process for many nodes, which may act for all of them. Names of thousands in a certificate cost each handshake 20 ms.
  if (list(subject.O).includes(NODE_HOSTS)) return undefined;
  return new Error(
    `tls: failed to verify certificate: x509: certificate is valid for ${name ?? ''}, not system:node:${node}`,
  );
}

/** Keeps the connections of each node apart: a Node that names another's address must not get its connections. */
class NodeAgent extends Agent {
  override getName(options: RequestOptions & { readonly nodeName?: string } = {}): string {
    return `${super.getName(options)}:${options.nodeName ?? ''}`;
  }
}

/** Connects to node agents over TLS. Idle connections are kept for the next log or exec. */
export function createKubeletConnection(
  objects: Pick<Objects, 'get'>,
  credentials: KubeletCredentials,
): KubeletConnection {
  // A resumed session shows no certificate that could be checked.
  const pool = new NodeAgent({ keepAlive: true, maxFreeSockets: 4, maxCachedSessions: 0 });
  const alone = new NodeAgent({ keepAlive: false, maxCachedSessions: 0 });

  // Made once: left to itself, node reads key and certificates again for each connection, 2 ms apiece.
  let context: SecureContext | undefined;

  const addressOf = (name: string, asked: string): { host: string; port: number } => {
    const node = objects.get('nodes', { namespace: '', name }) as DeepReadonly<Node> | undefined;
    if (node === undefined)
      throw new StatusError(404, 'NotFound', `${asked} "${name}" not found`, { name, kind: asked });
    return kubeletAddress(node);
  };

  const open = (name: string, { method, path, headers, asked, own, pooled }: KubeletRequest): ClientRequest => {
    const { host, port } = addressOf(name, asked);
    checkAddress(host, port, own);
    const options: RequestOptions & { nodeName: string; secureContext: SecureContext } = {
      agent: pooled ? pool : alone,
      nodeName: name,
      host,
      port,
      method,
      path,
      headers,
      lookup: checkedLookup(port, own),
      // Where one process answers for many nodes, it is told which is meant. An address is no name to ask for (RFC 6066).
      servername: isIP(name) === 0 ? name : '',
      secureContext: (context ??= createSecureContext({ ...credentials })),
      checkServerIdentity: (_host, certificate) => identityProblem(name, certificate),
    };
    return httpsRequest(options);
  };

  const dial = (node: string, { address, port, asked, own, signal }: DialOptions): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const to = joinHostPort(address, port);
      const outgoing = open(node, { method: 'CONNECT', path: to, headers: { host: to }, asked, own, pooled: false });
      const abort = (): void => void outgoing.destroy(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      outgoing.once('close', () => signal.removeEventListener('abort', abort));
      outgoing.once('connect', (answer, socket, head) => {
        signal.removeEventListener('abort', abort);
        socket.on('error', () => socket.destroy());
        if (answer.statusCode === 200) {
          if (head.length > 0) socket.unshift(head);
          return resolve(socket);
        }
        socket.destroy();
        const [problem = `the node's agent answered ${answer.statusCode ?? 0}`] =
          answer.headersDistinct['dial-error'] ?? [];
        reject(new DialError(`dial tcp ${to}: ${problem}`));
      });
      outgoing.once('error', error =>
        reject(signal.aborted ? (signal.reason as Error) : dialProblem(error, outgoing, to)),
      );
      outgoing.end();
    });

  return { check: (node, asked) => void addressOf(node, asked), open, dial };
}
