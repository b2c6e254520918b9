import type { Client } from '../../client/types.js';
import { formatLabelSelector } from '../../machinery/labels.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, LabelSelector } from '../../machinery/types.js';
import { parseDuration } from '../../machinery/duration.js';
import { groupOf, NoMatchError } from '../scale-subresource.js';
import { milliValue, type PodMetric, type PodMetrics } from './pod-metrics.js';

/** What is said of metrics by whoever serves the metrics APIs. All methods throw Error in upstream's words. */
export interface MetricsClient {
  /** `container`: '' for all of a Pod together. */
  resource(resource: string, namespace: string, selector: string, container: string): Promise<PodMetrics>;
  pods(metric: MetricName, namespace: string, selector: string): Promise<PodMetrics>;
  object(metric: MetricName, namespace: string, object: ObjectReference): Promise<number>;
  external(metric: MetricName, namespace: string): Promise<readonly number[]>;
}

export interface MetricName {
  readonly name: string;
  readonly selector?: DeepReadonly<LabelSelector> | undefined;
}
export interface ObjectReference {
  readonly apiVersion?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

/** What metrics servers say that do not say it. */
const DEFAULT_WINDOW_MS = 60_000;
const CUSTOM = 'custom.metrics.k8s.io';
const EXTERNAL = 'external.metrics.k8s.io';
/** Those that upstream knows; which of them is asked the server's preference says. */
const CUSTOM_VERSIONS = ['v1beta2', 'v1beta1'];

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const itemsOf = (list: unknown): readonly Fields[] => {
  const items = isFields(list) ? list['items'] : undefined;
  return Array.isArray(items) ? items.filter(isFields) : [];
};
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const timeOf = (value: unknown): number => Date.parse(text(value)) || 0;

const GENERIC: Readonly<Record<number, string>> = {
  404: 'the server could not find the requested resource',
  503: 'the server is currently unable to handle the request',
};

/** As client-go says it of answers that are no Status. */
function problemOf(error: unknown, what: string): string {
  const generic = isStatusError(error) && error.status.details === undefined ? GENERIC[error.status.code] : undefined;
  return generic === undefined ? (error as Error).message : `${generic} (get ${what})`;
}

const query = (params: Readonly<Record<string, string>>): string => {
  const set = Object.entries(params).filter(([, value]) => value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
};

function usageOf(item: Fields, resource: string, container: string): number | undefined {
  const containers = Array.isArray(item['containers']) ? item['containers'].filter(isFields) : [];
  const asked = container === '' ? containers : containers.filter(({ name }) => name === container);
  let total = 0;
  for (const { usage } of asked) {
    const amount = isFields(usage) ? usage[resource] : undefined;
    if (typeof amount !== 'string') return undefined;
    total += milliValue(amount);
  }
  return asked.length === 0 ? undefined : total;
}

function resourceMetrics(list: unknown, resource: string, container: string): PodMetrics {
  const items = itemsOf(list);
  if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
  const found = new Map<string, PodMetric>();
  for (const item of items) {
    const milli = usageOf(item, resource, container);
    const { name } = isFields(item['metadata']) ? item['metadata'] : {};
    const windowMs = parseDuration(text(item['window'])) ?? 0;
    if (milli !== undefined) found.set(text(name), { atMs: timeOf(item['timestamp']), windowMs, milli });
  }
  return found;
}

const valueOf = (item: Fields): number => milliValue(text(item['value']) || String(Number(item['value'] ?? 0)));

function customMetrics(list: unknown): PodMetrics {
  const items = itemsOf(list);
  if (items.length === 0) throw new Error('no metrics returned from custom metrics API');
  return new Map(
    items.map(item => {
      const { name } = isFields(item['describedObject']) ? item['describedObject'] : {};
      const seconds = item['windowSeconds'] ?? item['window'];
      const windowMs = typeof seconds === 'number' ? seconds * 1000 : DEFAULT_WINDOW_MS;
      return [text(name), { atMs: timeOf(item['timestamp']), windowMs, milli: valueOf(item) }];
    }),
  );
}

interface Served {
  readonly versions?: readonly { readonly version?: string }[];
  readonly resources?: readonly { readonly name: string; readonly kind: string }[];
}

export function createMetricsClient(client: Pick<Client, 'request'>): MetricsClient {
  const fetching = async (api: string, path: string, what: string): Promise<unknown> => {
    try {
      return await client.request('GET', path);
    } catch (error) {
      throw new Error(`unable to fetch metrics from ${api} metrics API: ${problemOf(error, what)}`, { cause: error });
    }
  };
  const reading = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      // A quantity that is none: whoever serves it is not what it says.
      throw error instanceof Error ? error : new Error(String(error));
    }
  };

  /** The version of custom.metrics.k8s.io that is asked. */
  const customBase = async (): Promise<string> => {
    const failed = (why: string): Error => new Error(`unable to fetch metrics from custom metrics API: ${why}`);
    let group: Served;
    try {
      group = (await client.request('GET', `/apis/${CUSTOM}`)) as Served;
    } catch (error) {
      if (isStatusError(error) && error.status.code === 404)
        throw failed(`no custom metrics API (${CUSTOM}) registered`);
      throw failed((error as Error).message);
    }
    const version = group.versions?.map(one => one.version ?? '').find(one => CUSTOM_VERSIONS.includes(one));
    if (version === undefined) throw failed('no known available metric versions found');
    return `/apis/${CUSTOM}/${version}`;
  };

  /** "services", "deployments.apps" */
  const qualified = async ({ apiVersion = 'v1', kind }: ObjectReference): Promise<string> => {
    const group = groupOf(apiVersion);
    const base = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
    const served = (await client.request('GET', base).catch(() => ({}))) as Served;
    const found = served.resources?.find(one => one.kind === kind && !one.name.includes('/'))?.name;
    if (found === undefined) {
      const name = group === '' ? kind : `${kind}.${group}`;
      const why = new NoMatchError({ apiVersion, kind }).inGroup;
      throw new Error(
        `unable to fetch metrics from custom metrics API: unable to map kind ${name} to resource: ${why}`,
      );
    }
    return group === '' ? found : `${found}.${group}`;
  };

  return {
    async resource(resource, namespace, selector, container) {
      const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/pods`;
      const list = await fetching('resource', path + query({ labelSelector: selector }), 'pods.metrics.k8s.io');
      return reading(() => resourceMetrics(list, resource, container));
    },
    async pods({ name, selector: metricLabels }, namespace, selector) {
      const base = await customBase();
      const path = `${base}/namespaces/${encodeURIComponent(namespace)}/pods/*/${encodeURIComponent(name)}`;
      const params = { labelSelector: selector, metricLabelSelector: formatMetricSelector(metricLabels) };
      const list = await fetching('custom', path + query(params), `pods.${CUSTOM} *`);
      return reading(() => customMetrics(list));
    },
    async object({ name, selector: metricLabels }, namespace, object) {
      const base = await customBase();
      const ofNamespace = object.kind === 'Namespace' && groupOf(object.apiVersion ?? 'v1') === '';
      const resource = ofNamespace ? '' : await qualified(object);
      const where = ofNamespace ? 'metrics' : `${resource}/${encodeURIComponent(object.name)}`;
      const path = `${base}/namespaces/${encodeURIComponent(namespace)}/${where}/${encodeURIComponent(name)}`;
      const params = { metricLabelSelector: formatMetricSelector(metricLabels) };
      const what = ofNamespace ? `namespaces.${CUSTOM} ${namespace}` : `${resource}.${CUSTOM} ${object.name}`;
      const items = itemsOf(await fetching('custom', path + query(params), what));
      const [item] = items;
      if (item === undefined || items.length > 1)
        throw new Error(
          `unable to fetch metrics from custom metrics API: the custom metrics API server returned ${items.length} results when we asked for exactly one`,
        );
      return reading(() => valueOf(item));
    },
    async external({ name, selector: metricLabels }, namespace) {
      const path = `/apis/${EXTERNAL}/v1beta1/namespaces/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
      const params = { labelSelector: formatMetricSelector(metricLabels) };
      const items = itemsOf(await fetching('external', path + query(params), `${name}.${EXTERNAL}`));
      if (items.length === 0) throw new Error('no metrics returned from external metrics API');
      return reading(() => items.map(valueOf));
    },
  };
}

const formatMetricSelector = (selector: DeepReadonly<LabelSelector> | undefined): string =>
  selector === undefined ? '' : formatLabelSelector(selector);
