import type { Server } from 'node:https';
import { createKubeletHandler, type KubeletHandlerOptions } from '../../src/nodeagent/kubelet-api/handler.js';
import { serveKubelets, type ServingOptions } from '../../src/nodeagent/kubelet-api/server.js';

/** The API of one node, over TLS, as an agent that has one serves it. The caller listens and closes. */
export function createKubeletServer(options: KubeletHandlerOptions & ServingOptions): Server {
  const handler = createKubeletHandler(options);
  return serveKubelets(options, () => handler);
}
