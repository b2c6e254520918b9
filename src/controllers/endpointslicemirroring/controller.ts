import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Endpoint, Endpoints, EndpointSlice, ObjectMeta, Service } from '../../machinery/types.js';
import { ENDPOINTS, ENDPOINT_SLICES, SERVICES } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { canonicalJson } from '../deployment/hash.js';
import { MANAGED_BY, SERVICE_NAME } from '../endpointslice/controller.js';
import { isIPv6 } from '../service-pods.js';

const CONTROLLER = 'endpointslicemirroring-controller.k8s.io';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
]);
const MAX_PER_SUBSET = 1000;
const BY_SERVICE = 'service';

type ReadonlyEndpoints = DeepReadonly<Endpoints>;
type Subset = NonNullable<ReadonlyEndpoints['subsets']>[number];

/** One slice per subset and address family: pure. */
export function mirroredSlices(
  endpoints: ReadonlyEndpoints,
): Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>[] {
  return (endpoints.subsets ?? []).flatMap(subset =>
    (['IPv4', 'IPv6'] as const).flatMap(family => {
      const list = toEndpoints(subset, family);
      if (list.length === 0) return [];
      const ports = (subset.ports ?? []).map(port => ({
        name: port.name ?? '',
        port: port.port,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      }));
      return [{ addressType: family, endpoints: list, ports }];
    }),
  );
}

function toEndpoints(subset: Subset, family: 'IPv4' | 'IPv6'): Endpoint[] {
  const convert = (ready: boolean) => (address: NonNullable<Subset['addresses']>[number]) => ({
    addresses: [address.ip],
    conditions: { ready },
    ...(address.hostname === undefined ? {} : { hostname: address.hostname }),
    ...(address.nodeName === undefined ? {} : { nodeName: address.nodeName }),
    ...(address.targetRef === undefined ? {} : { targetRef: address.targetRef }),
  });
  const ofFamily = (address: { readonly ip: string }): boolean => isIPv6(address.ip) === (family === 'IPv6');
  return [
    ...(subset.addresses ?? []).filter(ofFamily).map(convert(true)),
    ...(subset.notReadyAddresses ?? []).filter(ofFamily).map(convert(false)),
  ]
    .slice(0, MAX_PER_SUBSET)
    .sort((a, b) => ((a.addresses[0] ?? '') < (b.addresses[0] ?? '') ? -1 : 1));
}

const copied = (annotations: Readonly<Record<string, string>> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key)));

/** Mirrors Endpoints that people write for selectorless Services into EndpointSlices (pkg/controller/endpointslicemirroring). */
export const endpointSliceMirroringController: ControllerDefinition = {
  name: 'endpointslice-mirroring-controller',
  aliases: ['endpointslicemirroring'],
  workers: 5,
  build({ client, informers, queue }) {
    const endpoints = informers.informer<Endpoints>(ENDPOINTS);
    const services = informers.informer<Service>(SERVICES);
    const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
    const writer = client.resource<EndpointSlice>(ENDPOINT_SLICES);
    slices.addIndex(BY_SERVICE, slice => [
      `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_NAME] ?? ''}`,
    ]);
    const changed = (object: DeepReadonly<{ metadata: ObjectMeta }>): void => queue.add(keyOf(object));
    endpoints.addHandler({ add: changed, update: (_old, object) => changed(object), delete: changed });
    services.addHandler({ add: changed, update: (_old, object) => changed(object), delete: changed });
    const sliceChanged = (slice: DeepReadonly<EndpointSlice>): void => {
      if (slice.metadata.labels?.[MANAGED_BY] === CONTROLLER)
        queue.add(`${slice.metadata.namespace ?? ''}/${slice.metadata.labels[SERVICE_NAME] ?? ''}`);
    };
    slices.addHandler({ update: (_old, slice) => sliceChanged(slice), delete: sliceChanged });

    const shouldMirror = (object: ReadonlyEndpoints, service: DeepReadonly<Service> | undefined): boolean =>
      service !== undefined &&
      Object.keys(service.spec?.selector ?? {}).length === 0 &&
      object.metadata.labels?.[SKIP_MIRROR] !== 'true' &&
      object.metadata.annotations?.[LEADER] === undefined;

    return {
      async reconcile(key) {
        const { namespace, name } = splitKey(key);
        const object = endpoints.indexer.get(key);
        const ours = slices.indexer
          .byIndex(BY_SERVICE, key)
          .filter(slice => slice.metadata.labels?.[MANAGED_BY] === CONTROLLER);
        const mirror = object !== undefined && shouldMirror(object, services.indexer.get(key));
        const wanted = mirror ? mirroredSlices(object) : [];
        const labels = { ...object?.metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: CONTROLLER };
        const annotations = copied(object?.metadata.annotations);
        const owner = {
          apiVersion: 'v1',
          kind: 'Endpoints',
          name,
          uid: object?.metadata.uid ?? '',
          blockOwnerDeletion: true,
          controller: true,
        };
        const meta: ObjectMeta = { namespace, labels, annotations, ownerReferences: [owner] };
        const free = [...ours];
        try {
          for (const slice of wanted) {
            const at = free.findIndex(
              old => old.addressType === slice.addressType && canonicalJson(old.ports) === canonicalJson(slice.ports),
            );
            const [old] = at < 0 ? [] : (free.splice(at, 1) as EndpointSlice[]);
            if (old === undefined) {
              await writer.create(namespace, {
                ...slice,
                metadata: { ...meta, generateName: `${name}-` },
              });
              continue;
            }
            const same =
              canonicalJson(old.endpoints) === canonicalJson(slice.endpoints) &&
              canonicalJson(old.metadata.labels) === canonicalJson(labels) &&
              canonicalJson(old.metadata.annotations ?? {}) === canonicalJson(annotations);
            if (same) continue;
            // Upstream writes the slice anew under its name, which is seen by what does not come back: generateName.
            const { name: sliceName = '', resourceVersion = '' } = old.metadata;
            await writer.update({ ...slice, metadata: { ...meta, name: sliceName, resourceVersion } });
          }
        } catch (error) {
          // A terminating namespace refuses new objects.
          if (isStatusError(error, 'Forbidden')) return;
          throw error;
        }
        for (const slice of free)
          await writer.delete({ namespace, name: slice.metadata.name ?? '' }).catch((error: unknown) => {
            if (!isStatusError(error, 'NotFound')) throw error;
          });
      },
    };
  },
};
