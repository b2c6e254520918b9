import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Endpoints, ObjectMeta, Pod, Service } from '../../machinery/types.js';
import { ENDPOINTS, PODS, SERVICES } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { isNamespaceTerminating } from '../pod-template.js';
import {
  createTriggerTimeTracker,
  hasComputedEndpoints,
  isHeadless,
  selectedPods,
  watchSelectedPods,
} from '../service-pods.js';
import { planSubsets, truncate } from './plan.js';

const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const sorted = (labels: Readonly<Record<string, string>> | undefined): [string, string][] =>
  Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

/** Subsets in a form in which key order and the resourceVersion of targetRefs do not matter. */
const comparable = (subsets: DeepReadonly<Endpoints['subsets']>): unknown =>
  (subsets ?? []).map(subset => ({
    ports: (subset.ports ?? []).map(p => [p.name ?? '', p.port, p.protocol, p.appProtocol]),
    addresses: [subset.addresses ?? [], subset.notReadyAddresses ?? []].map(list =>
      list.map(a => [
        a.ip,
        a.hostname,
        a.nodeName,
        a.targetRef?.kind,
        a.targetRef?.namespace,
        a.targetRef?.name,
        a.targetRef?.uid,
      ]),
    ),
  }));

/** Keeps Endpoints equal to what their Service selects (pkg/controller/endpoint). */
export const endpointsController: ControllerDefinition = {
  name: 'endpoints-controller',
  aliases: ['endpoint', 'endpoints'],
  workers: 5,
  build({ client, informers, queue, recorder }) {
    const services = informers.informer<Service>(SERVICES);
    const pods = informers.informer<Pod>(PODS);
    const endpoints = informers.informer<Endpoints>(ENDPOINTS);
    const writer = client.resource<Endpoints>(ENDPOINTS);
    const events = recorder('endpoint-controller');
    const triggers = createTriggerTimeTracker();

    services.addHandler({
      add: service => queue.add(keyOf(service)),
      update: (_old, service) => queue.add(keyOf(service)),
      delete: service => queue.add(keyOf(service)),
    });
    // Someone deleted ours: make them again.
    endpoints.addHandler({ delete: gone => queue.add(keyOf(gone)) });
    watchSelectedPods(services, pods, key => queue.add(key));

    return {
      async reconcile(key) {
        const at = splitKey(key);
        const service = services.indexer.get(key);
        if (service === undefined) {
          triggers.forget(key);
          if (endpoints.indexer.get(key) === undefined) return;
          await writer.delete(at).catch((error: unknown) => {
            if (!isStatusError(error, 'NotFound')) throw error;
          });
          return;
        }
        if (!hasComputedEndpoints(service)) return;
        const selected = selectedPods(pods.indexer, service);
        const subsets = planSubsets(service, selected);
        const truncated = truncate(subsets);
        const current = endpoints.indexer.get(key);

        // Also when nothing changes: what was seen now triggers nothing later.
        const trigger = triggers.compute(key, service, selected);
        const labels: Record<string, string> = { ...service.metadata.labels, [MANAGED_BY]: 'endpoint-controller' };
        if (isHeadless(service)) labels[HEADLESS] = '';
        else delete labels[HEADLESS];
        const sameCapacity = (current?.metadata.annotations?.[OVER_CAPACITY] === 'truncated') === truncated;
        if (
          current !== undefined &&
          sameCapacity &&
          equal(comparable(current.subsets), comparable(subsets)) &&
          equal(sorted(current.metadata.labels), sorted(labels))
        )
          return;

        const annotations: Record<string, string> = { ...current?.metadata.annotations };
        if (trigger === undefined) delete annotations[TRIGGER_TIME];
        else annotations[TRIGGER_TIME] = trigger;
        if (truncated) annotations[OVER_CAPACITY] = 'truncated';
        else delete annotations[OVER_CAPACITY];
        const metadata: ObjectMeta = { ...(current?.metadata as ObjectMeta | undefined), ...at, labels, annotations };
        const object = {
          apiVersion: 'v1',
          kind: 'Endpoints',
          metadata,
          ...(subsets.length === 0 ? {} : { subsets }),
        } as Endpoints;
        try {
          if (current === undefined) await writer.create(at.namespace, object);
          else await writer.update(object);
        } catch (error) {
          // A terminating namespace refuses new objects; the Service is about to go as well.
          if (current === undefined && isNamespaceTerminating(error)) return;
          const text = (error as Error).message;
          // The cache was behind: not worth telling.
          if (isStatusError(error, 'Conflict') || isStatusError(error, 'AlreadyExists')) throw error;
          if (current === undefined)
            events.event(
              object,
              'Warning',
              'FailedToCreateEndpoint',
              `Failed to create endpoint for service ${key}: ${text}`,
            );
          else events.event(object, 'Warning', 'FailedToUpdateEndpoint', `Failed to update endpoint ${key}: ${text}`);
          throw error;
        }
      },
    };
  },
};
