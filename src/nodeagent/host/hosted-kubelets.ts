import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { KubeletHandler } from '../kubelet-api/handler.js';
import { serveKubelets, type ServingOptions } from '../kubelet-api/server.js';

/** One listener for the kubelets of many nodes: which one is meant is the name that a client's handshake asks for (SNI). */
export interface HostedKubelets {
  /** The caller listens. */
  readonly server: Server;
  /** Returns the end of it. */
  add(nodeName: string, handler: KubeletHandler): () => void;
  /** Connections from this port are meant for that node, whatever they ask for. Returns the end of it. */
  callsFrom(port: number, nodeName: string): () => void;
  close(): void;
}

const MISDIRECTED = 'HTTP/1.1 421 Misdirected Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** Several nodes are here, and nobody has said which is meant. */
const NOBODY: KubeletHandler = {
  request(_message, response) {
    response.writeHead(421, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end('which node? The name in the handshake (SNI) is none of this process\n');
  },
  upgrade: (_message, socket) => void socket.end(MISDIRECTED),
  connect: (_message, socket) => void socket.end(MISDIRECTED),
};

export function createHostedKubelets(options: ServingOptions): HostedKubelets {
  const handlers = new Map<string, KubeletHandler>();
  const callers = new Map<number, string>();
  const handlerOf = (socket: Duplex): KubeletHandler => {
    const { servername, remotePort = 0 } = socket as TLSSocket & { readonly servername?: string | false | null };
    const name = callers.get(remotePort) ?? servername;
    return (typeof name === 'string' ? handlers.get(name) : undefined) ?? NOBODY;
  };
  const server = serveKubelets(options, handlerOf);
  return {
    server,
    add(nodeName, handler) {
      handlers.set(nodeName, handler);
      return () => {
        if (handlers.get(nodeName) === handler) handlers.delete(nodeName);
      };
    },
    callsFrom(port, nodeName) {
      callers.set(port, nodeName);
      return () => void callers.delete(port);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
