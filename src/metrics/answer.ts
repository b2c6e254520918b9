import type { Clock } from '../machinery/clock.js';
import { compareText } from '../machinery/compare-text.js';
import { parseFieldSelector, type FieldSelector } from '../machinery/fields.js';
import { SelectorError } from '../machinery/label-requirement.js';
import { parseLabelSelector, type Selector } from '../machinery/labels.js';
import { badRequestError, methodNotAllowedError, notFoundError, pathNotFoundError } from '../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';
import { AGGREGATED_TYPE, aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList } from './discovery.js';
import type { OpenApiAnswer, OpenApiAsked } from './openapi.js';
import { API_VERSION, nodeMetrics, podMetrics, podTotal } from './objects.js';
import { table, wantsTable, type Row } from './table.js';
import type { UsageStore } from './usage-store.js';

type Described = DeepReadonly<KubeObject>;

/** What the answers are about. */
export interface Sources {
  readonly clock: Clock;
  readonly usage: UsageStore;
  nodes(): Iterable<Described>;
  node(name: string): Described | undefined;
  /** '': of all namespaces. */
  pods(namespace: string): Iterable<Described>;
  pod(namespace: string, name: string): Described | undefined;
  readonly openApi: { answer(asked: OpenApiAsked): OpenApiAnswer };
}

export interface Asked {
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  /** The If-None-Match header. */
  readonly known?: string | undefined;
}

export interface Answer {
  /** 200, where nothing is said. */
  readonly code?: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object: to be written as JSON. */
  readonly body: object | string | Buffer;
}

interface Metric {
  readonly object: KubeObject & { readonly window: string };
  readonly row: Row;
}

const BASE = '/apis/metrics.k8s.io/v1beta1';
const FIELDS = new Set(['metadata.name', 'metadata.namespace']);
const JSON_TYPE = 'application/json';
const json = (body: object): Answer => ({ contentType: JSON_TYPE, body });

function ofNode(node: Described, { usage, clock }: Sources): Metric | undefined {
  const used = usage.node(node.metadata.name ?? '');
  if (used === undefined) return undefined;
  const object = nodeMetrics(node, used, clock.now());
  return { object, row: { name: node.metadata.name ?? '', ...object.usage, window: object.window } };
}

function ofPod(pod: Described, { usage, clock }: Sources): Metric | undefined {
  const { namespace = '', name = '' } = pod.metadata;
  const used = usage.pod(`${namespace}/${name}`);
  if (used === undefined) return undefined;
  const object = podMetrics(pod, used, clock.now());
  return { object, row: { name, ...podTotal(used), window: object.window } };
}

function selectors(query: URLSearchParams): { labels: Selector; fields: FieldSelector } {
  let labels: Selector;
  let fields: FieldSelector;
  try {
    labels = parseLabelSelector(query.get('labelSelector') ?? '');
    fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  } catch (error) {
    if (error instanceof SelectorError) throw badRequestError(error.message);
    throw error;
  }
  for (const { field } of fields.requirements)
    if (!FIELDS.has(field)) throw badRequestError(`field label not supported: ${field}`);
  return { labels, fields };
}

function list(kind: string, found: Iterable<Metric>, accept: string): Answer {
  const metrics = [...found];
  if (wantsTable(accept)) return json(table(metrics));
  return json({ kind, apiVersion: API_VERSION, metadata: {}, items: metrics.map(({ object }) => object) });
}

function* selected(
  objects: Iterable<Described>,
  query: URLSearchParams,
  metricOf: (object: Described) => Metric | undefined,
): Generator<Metric> {
  const { labels, fields } = selectors(query);
  const keyOf = ({ metadata }: Described): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  const sorted = [...objects].sort((a, b) => compareText(keyOf(a), keyOf(b)));
  for (const object of sorted) {
    const { name = '', namespace = '' } = object.metadata;
    const values: Readonly<Record<string, string>> = { 'metadata.name': name, 'metadata.namespace': namespace };
    if (!labels.matches(object.metadata.labels) || !fields.matches(field => values[field] ?? '')) continue;
    const metric = metricOf(object);
    if (metric !== undefined) yield metric;
  }
}

function one(resource: string, key: string, metric: Metric | undefined, accept: string): Answer {
  if (metric === undefined) throw notFoundError({ group: 'metrics.k8s.io', resource }, key);
  return json(wantsTable(accept) ? table([metric]) : metric.object);
}

function resource(parts: readonly string[], asked: Asked, sources: Sources): Answer {
  const { query, accept } = asked;
  const [first = '', second = '', third = '', fourth = '', ...more] = parts;
  if (more.length > 0) throw pathNotFoundError();
  if (first === 'nodes' && third === '') {
    if (second === '')
      return list(
        'NodeMetricsList',
        selected(sources.nodes(), query, n => ofNode(n, sources)),
        accept,
      );
    const node = sources.node(second);
    return one('nodemetrics', second, node && ofNode(node, sources), accept);
  }
  const namespace = first === 'namespaces' ? second : '';
  const isPods = first === 'pods' ? second === '' : first === 'namespaces' && namespace !== '' && third === 'pods';
  if (!isPods) throw pathNotFoundError();
  if (fourth === '')
    return list(
      'PodMetricsList',
      selected(sources.pods(namespace), query, p => ofPod(p, sources)),
      accept,
    );
  const pod = sources.pod(namespace, fourth);
  if (pod === undefined) throw notFoundError({ group: '', resource: 'pods' }, `${namespace}/${fourth}`);
  return one('podmetrics', `${namespace}/${fourth}`, ofPod(pod, sources), accept);
}

const wantsAggregated = (accept: string): boolean =>
  accept.includes('as=APIGroupDiscoveryList') && accept.includes('g=apidiscovery.k8s.io');

/** What metrics-server answers. @throws StatusError */
export function answerTo(asked: Asked, sources: Sources): Answer {
  const { method, query, accept } = asked;
  const path = asked.path.endsWith('/') && asked.path !== '/' ? asked.path.slice(0, -1) : asked.path;
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowedError();
  switch (path) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return { contentType: 'text/plain; charset=utf-8', body: 'ok' };
    case '/apis':
      return wantsAggregated(accept) ? { contentType: AGGREGATED_TYPE, body: aggregatedDiscovery } : json(apiGroupList);
    case '/apis/metrics.k8s.io':
      return json(apiGroup);
    case BASE:
      return json(apiResourceList);
  }
  if (path.startsWith('/openapi/')) return sources.openApi.answer({ path, query, known: asked.known });
  if (!path.startsWith(`${BASE}/`)) throw pathNotFoundError();
  if (query.has('watch') && query.get('watch') !== 'false' && query.get('watch') !== '0') throw methodNotAllowedError();
  return resource(path.slice(BASE.length + 1).split('/'), asked, sources);
}
