import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Endpoints, EndpointSlice, ObjectMeta, Service } from '../../machinery/types.js';
import { ENDPOINTS, ENDPOINT_SLICES, SERVICES } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { canonicalJson } from '../deployment/hash.js';
import { MANAGED_BY } from '../endpointslice/controller.js';
import { mirror, type MirroredSlice, tooMany } from './mirror.js';
import { SERVICE_NAME_LABEL } from '../../machinery/service-name.js';

const CONTROLLER = 'endpointslicemirroring-controller.k8s.io';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
]);
const BY_SERVICE = 'service';

type ReadonlyEndpoints = DeepReadonly<Endpoints>;
const placeOf = ({ addressType, ports }: DeepReadonly<MirroredSlice>): string =>
  `${addressType} ${canonicalJson(ports)}`;

const copied = (annotations: Readonly<Record<string, string>> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key)));

/** Mirrors Endpoints that people write for selectorless Services into EndpointSlices (pkg/controller/endpointslicemirroring). */
export const endpointSliceMirroringController: ControllerDefinition = {
  name: 'endpointslice-mirroring-controller',
  aliases: ['endpointslicemirroring'],
  workers: 5,
  build({ client, informers, queue, recorder }) {
    const endpoints = informers.informer<Endpoints>(ENDPOINTS);
    const services = informers.informer<Service>(SERVICES);
    const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
    const writer = client.resource<EndpointSlice>(ENDPOINT_SLICES);
    const events = recorder('endpoint-slice-mirroring-controller');
    slices.addIndex(BY_SERVICE, slice => [
      `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`,
    ]);
    const changed = (object: DeepReadonly<{ metadata: ObjectMeta }>): void => queue.add(keyOf(object));
    endpoints.addHandler({ add: changed, update: (_old, object) => changed(object), delete: changed });
    services.addHandler({ add: changed, update: (_old, object) => changed(object), delete: changed });
    const sliceChanged = (slice: DeepReadonly<EndpointSlice>): void => {
      if (slice.metadata.labels?.[MANAGED_BY] === CONTROLLER)
        queue.add(`${slice.metadata.namespace ?? ''}/${slice.metadata.labels[SERVICE_NAME_LABEL] ?? ''}`);
    };
    slices.addHandler({
      // One that somebody else has made in this controller's name goes.
      add: sliceChanged,
      update: (old, slice) => {
        sliceChanged(old);
        sliceChanged(slice);
      },
      delete: sliceChanged,
    });

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
        const mirrored =
          object !== undefined && shouldMirror(object, services.indexer.get(key))
            ? mirror(object)
            : { slices: [], skipped: 0 };
        if (object !== undefined && mirrored.skipped > 0)
          events.event(object, 'Warning', 'TooManyAddressesToMirror', tooMany(mirrored.skipped));
        const labels = { ...object?.metadata.labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY]: CONTROLLER };
        const hasReservedLabel = [MANAGED_BY, SERVICE_NAME_LABEL].some(
          label => object?.metadata.labels?.[label] !== undefined,
        );
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
        /** Upstream writes a slice anew under its name, which is seen by what does not come back: generateName. */
        const rewrite = async (slice: MirroredSlice, { metadata }: DeepReadonly<EndpointSlice>): Promise<void> => {
          const { name: sliceName = '', resourceVersion = '' } = metadata;
          await writer.update({ ...slice, metadata: { ...meta, name: sliceName, resourceVersion } });
        };
        /** Ours by their ports: a list for each, as some may be there twice. */
        const free = new Map<string, DeepReadonly<EndpointSlice>[]>();
        for (const slice of ours) {
          const place = placeOf(slice);
          const there = free.get(place);
          if (there === undefined) free.set(place, [slice]);
          else there.push(slice);
        }
        try {
          for (const slice of mirrored.slices) {
            const old = free.get(placeOf(slice))?.pop();
            if (old === undefined) {
              const made = await writer.create(namespace, {
                ...slice,
                metadata: { ...meta, generateName: `${name}-` },
              });
              // Upstream finds labels that the mirror cannot have missing, and writes it anew at the next look.
              if (hasReservedLabel) await rewrite(slice, made);
              continue;
            }
            const same =
              canonicalJson(old.endpoints) === canonicalJson(slice.endpoints) &&
              canonicalJson(old.metadata.labels) === canonicalJson(labels) &&
              canonicalJson(old.metadata.annotations ?? {}) === canonicalJson(annotations);
            if (same) continue;
            await rewrite(slice, old);
          }
        } catch (error) {
          // A terminating namespace refuses new objects.
          if (isStatusError(error, 'Forbidden')) return;
          throw error;
        }
        for (const slice of [...free.values()].flat())
          await writer.delete({ namespace, name: slice.metadata.name ?? '' }).catch((error: unknown) => {
            if (!isStatusError(error, 'NotFound')) throw error;
          });
      },
    };
  },
};
