import { nodeSummary } from '../node/summary.js';
import { cadvisorMetrics, kubeletMetrics, probeMetrics, resourceMetrics } from '../node/metrics.js';
import { prometheusText, PROMETHEUS_TYPE, type MetricFamily } from '../node/prometheus-text.js';
import { HttpError, sendJson, sendText, type KubeletContext, type KubeletRoute } from './types.js';

/** GET /stats/summary */
export const stats: KubeletRoute = async ({ figures, pods, clock }, { url, segments, response }) => {
  if (segments.join('/') !== 'summary') throw new HttpError(404, '404: Page Not Found');
  const only = url.searchParams.get('only_cpu_and_memory') === 'true';
  sendJson(response, nodeSummary(figures, pods.list(), clock.now(), only));
};

const METRICS: Readonly<Record<string, (context: KubeletContext) => MetricFamily[]>> = {
  '': ({ figures, pods, counters, version }) => kubeletMetrics(figures, pods.list(), counters, version),
  resource: ({ figures, pods, clock }) => resourceMetrics(figures, pods.list(), clock.now()),
  cadvisor: ({ figures, pods, clock }) => cadvisorMetrics(figures, pods.list(), clock.now()),
  probes: ({ counters }) => probeMetrics(counters),
};

/** GET /metrics, /metrics/resource, /metrics/cadvisor, /metrics/probes */
export const metrics: KubeletRoute = async (context, { segments, response }) => {
  const name = segments.join('/');
  const families = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
  if (families === undefined) throw new HttpError(404, '404 page not found');
  sendText(response, prometheusText(families(context)), PROMETHEUS_TYPE);
};

/** GET /configz */
export const configz: KubeletRoute = async ({ configuration }, { response }) =>
  sendJson(response, { kubeletconfig: configuration() });
