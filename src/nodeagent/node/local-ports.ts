import type { Logger } from '../../machinery/logger.js';
import { createServer, type RequestListener } from 'node:http';
import { formatTime, type Clock } from '../../machinery/clock.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import type { NetNamespace } from '../../containers/network/types.js';
import { NetworkError } from '../../containers/network/errors.js';
import type { ProxyProgress } from '../proxy/proxy-loop.js';
import { prometheusText, PROMETHEUS_TYPE, type MetricFamily } from './prometheus-text.js';

export interface LocalPortsOptions {
  readonly network: NetNamespace;
  readonly clock: Clock;
  readonly node: () => DeepReadonly<Node> | undefined;
  readonly proxy: () => ProxyProgress;
  readonly proxyMode: string;
  readonly proxyMetrics: () => MetricFamily[];
  /** Its KubeProxyConfiguration, as GET /configz shows it. */
  readonly proxyConfiguration: () => object;
  /** A health check of the proxy was answered. */
  readonly answered: (check: 'healthz' | 'livez', code: number) => void;
  /** A change that waits longer than this makes the proxy unhealthy (twice its sync period). */
  readonly healthTimeoutMs: number;
  readonly log: Logger;
}

const KUBELET_HEALTHZ = 10248;
const PROXY_METRICS = 10249;
const PROXY_HEALTHZ = 10256;
/** The taint of a node that the cluster autoscaler is about to remove. */
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler';

const text =
  (body: () => string, type = 'text/plain; charset=utf-8'): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' });
    response.end(body());
  };

/** Serves the ports that kubelet and kube-proxy have on their node. Returns the closer. */
export function openLocalPorts(options: LocalPortsOptions): () => void {
  const { network, clock, node, proxy, healthTimeoutMs, log } = options;

  const health =
    (withNode: boolean): RequestListener =>
    (_request, response) => {
      const { lastSync, pendingSince } = proxy();
      const now = clock.now();
      const object = node();
      const eligible =
        object !== undefined &&
        object.metadata.deletionTimestamp === undefined &&
        (object.spec?.taints ?? []).every(({ key }) => key !== TO_BE_DELETED);
      const synced = pendingSince === undefined || now - pendingSince < healthTimeoutMs;
      const ok = synced && (!withNode || eligible);
      // What is healthy was updated just now, as older releases had it.
      const updated = ok ? now : (lastSync ?? now);
      const status = lastSync === undefined ? {} : { IPv4: { lastUpdated: formatTime(lastSync), healthy: synced } };
      const body = {
        lastUpdated: formatTime(updated),
        currentTime: formatTime(now),
        ...(withNode ? { nodeEligible: eligible } : {}),
        healthy: synced,
        status,
      };
      const code = ok ? 200 : 503;
      options.answered(withNode ? 'healthz' : 'livez', code);
      response.writeHead(code, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' });
      response.end(JSON.stringify(body));
    };

  const ports: readonly {
    readonly port: number;
    readonly loopbackOnly: boolean;
    readonly paths: Readonly<Record<string, RequestListener>>;
  }[] = [
    { port: KUBELET_HEALTHZ, loopbackOnly: true, paths: { '/healthz': text(() => 'ok') } },
    {
      port: PROXY_METRICS,
      loopbackOnly: true,
      paths: {
        '/healthz': text(() => 'ok'),
        '/proxyMode': text(() => options.proxyMode),
        '/configz': text(() => JSON.stringify(options.proxyConfiguration()), 'application/json'),
        '/metrics': text(() => prometheusText(options.proxyMetrics()), PROMETHEUS_TYPE),
      },
    },
    { port: PROXY_HEALTHZ, loopbackOnly: false, paths: { '/healthz': health(true), '/livez': health(false) } },
  ];

  const closers = ports.flatMap(({ port, loopbackOnly, paths }) => {
    const server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      const answer = Object.hasOwn(paths, path) ? paths[path] : undefined;
      if (answer !== undefined) return answer(request, response);
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
      response.end('404 page not found\n');
    });
    try {
      const close = network.listen(port, stream => void server.emit('connection', stream), { loopbackOnly });
      return [() => (close(), server.closeAllConnections())];
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      log.warn({ port, error: error.message }, 'port of the node cannot be opened');
      return [];
    }
  });
  return () => {
    for (const close of closers) close();
  };
}
