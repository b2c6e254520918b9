import type { Logger } from '../../machinery/logger.js';
import { createServer, type RequestListener, type Server } from 'node:http';
import { NetworkError } from '../../containers/network/errors.js';
import type { HealthCheckNodePort } from '../../dataplane/services/ports-in-use.js';
import { familyLike } from '../network/links.js';
import type { FamilyProxy } from './family-proxy.js';
import type { PodNetwork } from '../network/pod-network.js';

export interface HealthCheckOptions {
  readonly proxies: readonly FamilyProxy[];
  readonly network: PodNetwork;
  /** Whether the rules are up to date. */
  readonly healthy: () => boolean;
  readonly log: Logger;
}

/**
 * The health check node ports of load balancers with externalTrafficPolicy Local (docs/kube-proxy.md section 6): 200 while
 * this node has a ready endpoint of the Service. They listen on the node's simulated address.
 */
export interface HealthCheckPorts {
  readonly update: () => void;
  close(): void;
}

/** As kube-proxy writes it: indented by tabs, no newline at the end. */
function report({ namespace, name, localEndpoints }: HealthCheckNodePort, healthy: boolean): string {
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: healthy };
  return JSON.stringify(body, undefined, '\t');
}

export function createHealthCheckPorts({ proxies, network, healthy, log }: HealthCheckOptions): HealthCheckPorts {
  const open = new Map<number, { server: Server; close: () => void }>();

  const answer =
    (port: number): RequestListener =>
    ({ socket: { localAddress = '' } }, response) => {
      // Each family has its own endpoints, and answers at its own address.
      const asked = proxies.find(({ kernel }) => kernel.family === familyLike(localAddress));
      const service = asked?.proxy.healthCheckNodePorts().find(s => s.port === port);
      if (service === undefined) {
        response.writeHead(503).end();
        return;
      }
      const ok = healthy();
      response.writeHead(service.localEndpoints > 0 && ok ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': String(service.localEndpoints),
      });
      response.end(report(service, ok));
    };

  return {
    update() {
      const wanted = new Set(proxies.flatMap(({ proxy }) => proxy.healthCheckNodePorts()).map(s => s.port));
      for (const port of wanted) {
        if (open.has(port)) continue;
        const server = createServer(answer(port));
        try {
          open.set(port, {
            server,
            close: network.node.listen(port, stream => void server.emit('connection', stream)),
          });
        } catch (error) {
          if (!(error instanceof NetworkError)) throw error;
          log.warn({ port, error: error.message }, 'health check node port cannot be opened');
        }
      }
      for (const [port, { server, close }] of open)
        if (!wanted.has(port)) {
          close();
          server.closeAllConnections();
          open.delete(port);
        }
    },
    close() {
      for (const { server, close } of open.values()) {
        close();
        server.closeAllConnections();
      }
      open.clear();
    },
  };
}
