import { isNodeReady } from '../../machinery/node-ready.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, EndpointSlice, Node, ObjectMeta, Pod, Service } from '../../machinery/types.js';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { controllerReference } from '../ownership.js';
import { BY_NODE, byNode } from '../pods.js';
import {
  createTriggerTimeTracker,
  hasComputedEndpoints,
  isHeadless,
  selectedPods,
  watchSelectedPods,
} from '../service-pods.js';
import type { Family } from './families.js';
import { distributionHints, type HintPolicy, wantsTopologyHints } from './hints.js';
import { planSlices } from './plan.js';
import { createTopologyCache, type HintEvent, zoneOf } from './topology-cache.js';
import { SERVICE_NAME_LABEL } from '../../machinery/service-name.js';

export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const CONTROLLER = 'endpointslice-controller.k8s.io';
const HEADLESS = 'service.kubernetes.io/headless';
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
/** Index of slices by "namespace/service". */
const BY_SERVICE = 'service';

/** The key under which the nodes' zones are looked at again; no Service has it, as it has no namespace. */
const TOPOLOGY = 'topology';

type ReadonlySlice = DeepReadonly<EndpointSlice>;

const isOurs = (slice: ReadonlySlice): boolean => slice.metadata.labels?.[MANAGED_BY] === CONTROLLER;
const serviceKey = (slice: ReadonlySlice): string =>
  `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`;

/** The Service's own labels, except those that mean something on a slice (utils.go setEndpointSliceLabels). */
function sliceLabels(service: DeepReadonly<Service>): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(service.metadata.labels ?? {}))
    if (key !== HEADLESS && key !== SERVICE_NAME_LABEL && key !== MANAGED_BY) labels[key] = value;
  if (isHeadless(service)) labels[HEADLESS] = '';
  labels[SERVICE_NAME_LABEL] = service.metadata.name ?? '';
  labels[MANAGED_BY] = CONTROLLER;
  return labels;
}

const sameLabels = (a: Readonly<Record<string, string>> | undefined, b: Record<string, string>): boolean => {
  const entries = Object.entries(a ?? {});
  return entries.length === Object.keys(b).length && entries.every(([key, value]) => b[key] === value);
};

/** Keeps a Service's EndpointSlices equal to what it selects (k8s.io/endpointslice). */
export const endpointSliceController: ControllerDefinition = {
  name: 'endpointslice-controller',
  aliases: ['endpointslice'],
  workers: 5,
  retry: { baseMs: 1_000, maxMs: 1_000_000 },
  build({ client, informers, queue, recorder }) {
    const services = informers.informer<Service>(SERVICES);
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
    const writer = client.resource<EndpointSlice>(ENDPOINT_SLICES);
    const events = recorder('endpoint-slice-controller');
    const triggers = createTriggerTimeTracker();
    pods.addIndex(BY_NODE, byNode);
    slices.addIndex(BY_SERVICE, slice => [serviceKey(slice)]);
    /**
     * Names and generations written but not yet seen: planning on an older cache would create the same slice twice
     * (endpointslice/tracker).
     */
    const unseen = new Map<string, Map<string, string>>();
    const wrote = (key: string, slice: EndpointSlice): void => {
      const versions = unseen.get(key) ?? new Map<string, string>();
      unseen.set(key, versions.set(slice.metadata.name ?? '', slice.metadata.resourceVersion ?? ''));
    };
    const cacheIsBehind = (key: string): boolean => {
      const versions = unseen.get(key);
      for (const [name, version] of versions ?? []) {
        const cached = slices.indexer.get(`${splitKey(key).namespace}/${name}`)?.metadata.resourceVersion;
        if (cached !== undefined && BigInt(cached) >= BigInt(version)) versions?.delete(name);
      }
      return (versions?.size ?? 0) > 0;
    };

    services.addHandler({
      add: service => queue.add(keyOf(service)),
      update: (_old, service) => queue.add(keyOf(service)),
      delete: service => queue.add(keyOf(service)),
    });
    const sliceChanged = (slice: ReadonlySlice): void => {
      if (isOurs(slice)) queue.add(serviceKey(slice));
    };
    slices.addHandler({
      add: sliceChanged,
      update: (old, slice) => {
        sliceChanged(old);
        sliceChanged(slice);
      },
      delete: slice => {
        unseen.get(serviceKey(slice))?.delete(slice.metadata.name ?? '');
        sliceChanged(slice);
      },
    });
    const topology = createTopologyCache();
    let topologyIsStale = true;
    const topologyChanged = (): void => {
      topologyIsStale = true;
      queue.add(TOPOLOGY);
    };
    const freshTopology = (): typeof topology => {
      if (topologyIsStale) topology.setNodes(nodes.indexer.list());
      topologyIsStale = false;
      return topology;
    };
    const nodeChanged = (node: DeepReadonly<Node>): void => {
      const touched = pods.indexer.byIndex(BY_NODE, node.metadata.name ?? '').map(pod => pod.metadata.namespace ?? '');
      for (const namespace of new Set(touched))
        for (const service of services.indexer.byIndex('namespace', namespace)) queue.add(keyOf(service));
    };
    nodes.addHandler({
      add: node => {
        topologyChanged();
        nodeChanged(node);
      },
      update: (old, node) => {
        const moved = zoneOf(old) !== zoneOf(node);
        if (moved || isNodeReady(old) !== isNodeReady(node)) topologyChanged();
        if (moved) nodeChanged(node);
      },
      delete: node => {
        topologyChanged();
        nodeChanged(node);
      },
    });
    watchSelectedPods(services, pods, key => queue.add(key));

    const failed = (service: DeepReadonly<Service>, error: Error): void => {
      const text = `Error updating Endpoint Slices for Service ${keyOf(service)}: ${error.message}`;
      events.event(service, 'Warning', 'FailedToUpdateEndpointSlices', text);
    };

    /** Hints by zone for topology-mode Auto, which goes before trafficDistribution; notes what to tell the user. */
    const hintsFor =
      (service: DeepReadonly<Service>, told: HintEvent[]) =>
      (family: Family): HintPolicy => {
        const key = keyOf(service);
        if (wantsTopologyHints(service))
          return slices => {
            const hinted = freshTopology().addHints(key, family, slices);
            told.push(...hinted.events);
            return hinted.slices;
          };
        told.push(...topology.forget(key, family));
        return distributionHints(service);
      };

    return {
      async reconcile(key) {
        if (key === TOPOLOGY) {
          for (const service of freshTopology().overloadedServices()) queue.add(service);
          return;
        }
        const { namespace } = splitKey(key);
        const service = services.indexer.get(key);
        if (service === undefined) {
          // The slices go with their owner: the garbage collector's work.
          triggers.forget(key);
          unseen.delete(key);
          topology.forgetService(key);
          return;
        }
        if (!hasComputedEndpoints(service) || service.metadata.deletionTimestamp !== undefined) return;
        // The slice's own event queues the key again; the delay only covers a slice that vanished unseen.
        if (cacheIsBehind(key)) return queue.addAfter(key, 1_000);

        const selected = selectedPods(pods.indexer, service);
        const owned = slices.indexer
          .byIndex(BY_SERVICE, key)
          .filter(slice => isOurs(slice) && slice.metadata.deletionTimestamp === undefined);
        const labels = sliceLabels(service);
        const hintEvents: HintEvent[] = [];
        const plan = planSlices(
          service,
          selected,
          name => nodes.indexer.get(name),
          owned,
          slice => !sameLabels(slice.metadata.labels, labels),
          hintsFor(service, hintEvents),
        );
        // Also when nothing changes: what was seen now triggers nothing later.
        const trigger = triggers.compute(key, service, selected);
        const metadata = (old?: ObjectMeta): ObjectMeta => {
          const { [TRIGGER_TIME]: _stale, ...kept } = old?.annotations ?? {};
          return {
            ...old,
            labels,
            annotations: { ...kept, ...(trigger === undefined ? {} : { [TRIGGER_TIME]: trigger }) },
            ownerReferences: [controllerReference(service, 'v1', 'Service')],
          };
        };
        try {
          for (const fresh of plan.create) {
            const slice = {
              ...fresh,
              metadata: { ...metadata(), generateName: `${service.metadata.name ?? ''}-`, namespace },
            };
            wrote(key, await writer.create(namespace, slice));
          }
          for (const slice of plan.update)
            wrote(key, await writer.update({ ...slice, metadata: metadata(slice.metadata) }));
          for (const slice of plan.remove) {
            await writer.delete({ namespace, name: slice.metadata.name ?? '' }).catch((error: unknown) => {
              if (!isStatusError(error, 'NotFound')) throw error;
            });
          }
        } catch (error) {
          // A terminating namespace refuses new objects; the Service is about to go as well.
          if (isStatusError(error, 'Forbidden')) return;
          if (!isStatusError(error, 'Conflict')) failed(service, error as Error);
          throw error;
        }
        for (const { type, reason, message } of hintEvents) events.event(service, type, reason, message);
        if (plan.skipped.length > 0) {
          const texts = plan.skipped.map(pod => `skipping ${pod}`);
          const error = new Error(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`);
          failed(service, error);
          throw error;
        }
      },
    };
  },
};
