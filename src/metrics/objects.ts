import { formatTime } from '../machinery/clock.js';
import { compareText } from '../machinery/compare-text.js';
import { formatDuration } from '../machinery/duration.js';
import type { QuantityFormat } from '../machinery/quantity.js';
import { formatQuantity } from '../machinery/quantity-format.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';
import type { Usage } from './usage-store.js';

export const API_VERSION = 'metrics.k8s.io/v1beta1';

interface Amounts {
  readonly cpu: string;
  readonly memory: string;
}

/** As metrics-server writes them: the zeros of a quantity stay with its suffix. */
const quantity = (value: number, exponent: number, format: QuantityFormat): string =>
  formatQuantity({ unscaled: BigInt(Math.round(value)), scale: exponent, format });

const amounts = ({ nanoCores, memoryBytes }: Pick<Usage, 'nanoCores' | 'memoryBytes'>): Amounts => ({
  cpu: quantity(nanoCores, -9, 'DecimalSI'),
  memory: quantity(memoryBytes, 0, 'BinarySI'),
});

type Described = DeepReadonly<KubeObject>;

export interface NodeMetrics extends KubeObject {
  timestamp: string;
  window: string;
  usage: Amounts;
}

export interface PodMetrics extends KubeObject {
  timestamp: string;
  window: string;
  containers: { name: string; usage: Amounts }[];
}

const metadataOf = ({ metadata }: Described, nowMs: number): KubeObject['metadata'] => ({
  name: metadata.name ?? '',
  ...(metadata.namespace === undefined || metadata.namespace === '' ? {} : { namespace: metadata.namespace }),
  creationTimestamp: formatTime(nowMs),
  ...(metadata.labels === undefined ? {} : { labels: { ...metadata.labels } }),
});

const windowText = (ms: number): string => formatDuration(ms);

export const nodeMetrics = (node: Described, usage: Usage, nowMs: number): NodeMetrics => ({
  kind: 'NodeMetrics',
  apiVersion: API_VERSION,
  metadata: metadataOf(node, nowMs),
  timestamp: formatTime(usage.atMs),
  window: windowText(usage.windowMs),
  usage: amounts(usage),
});

/** A Pod's time is that of the container that was looked at first, and its window that container's. */
export function podMetrics(pod: Described, usages: ReadonlyMap<string, Usage>, nowMs: number): PodMetrics {
  const [earliest] = [...usages.values()].sort((a, b) => a.atMs - b.atMs);
  return {
    kind: 'PodMetrics',
    apiVersion: API_VERSION,
    metadata: metadataOf(pod, nowMs),
    timestamp: formatTime(earliest?.atMs ?? nowMs),
    window: windowText(earliest?.windowMs ?? 0),
    containers: [...usages]
      .sort(([a], [b]) => compareText(a, b))
      .map(([name, usage]) => ({ name, usage: amounts(usage) })),
  };
}

export const podTotal = (usages: ReadonlyMap<string, Usage>): Amounts => {
  let [nanoCores, memoryBytes] = [0, 0];
  for (const usage of usages.values()) {
    nanoCores += usage.nanoCores;
    memoryBytes += usage.memoryBytes;
  }
  return amounts({ nanoCores, memoryBytes });
};
