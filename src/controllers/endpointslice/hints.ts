import type { DeepReadonly, Endpoint, EndpointSlice, Service } from '../../machinery/types.js';
import type { Family } from './families.js';

/** Empty lists are left out: upstream's encoding has none, and so they are nobody's field. */
export interface FreshSlice {
  readonly addressType: Family;
  readonly ports?: NonNullable<EndpointSlice['ports']>[number][];
  readonly endpoints?: Endpoint[];
}

/** The slices of one Service and one address family, before anything is written. Hints are decided over all of them. */
export interface PlannedSlices {
  readonly create: FreshSlice[];
  readonly update: EndpointSlice[];
  readonly unchanged: DeepReadonly<EndpointSlice>[];
}

/** Sets the hints of `create` and `update`, and moves to `update` what must be written for its hints alone. */
export type HintPolicy = (slices: PlannedSlices) => PlannedSlices;

export const isReadyEndpoint = (endpoint: DeepReadonly<Endpoint>): boolean => endpoint.conditions?.ready === true;

const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';

/** The older annotation counts when both are there. */
export function wantsTopologyHints(service: DeepReadonly<Service>): boolean {
  const { annotations } = service.metadata;
  const mode = annotations?.[TOPOLOGY_HINTS] ?? annotations?.[TOPOLOGY_MODE];
  return mode === 'Auto' || mode === 'auto';
}

type Hints = NonNullable<Endpoint['hints']>;

/** What one endpoint is hinted for; undefined: for nobody in particular. */
type WantedHints = (endpoint: DeepReadonly<Endpoint>) => Hints | undefined;

const noHints: WantedHints = () => undefined;

/**
 * What trafficDistribution asks for (endpointslice/trafficdist): the endpoint's own zone where it has one, and its own
 * node with PreferSameNode, which needs no zones.
 */
function closeHints(withNodes: boolean): WantedHints {
  return ({ zone, nodeName }) => {
    const forZones = zone === undefined || zone === null ? undefined : [{ name: zone }];
    const forNodes = !withNodes || nodeName === undefined || nodeName === null ? undefined : [{ name: nodeName }];
    if (forZones === undefined && forNodes === undefined) return undefined;
    return { ...(forZones === undefined ? {} : { forZones }), ...(forNodes === undefined ? {} : { forNodes }) };
  };
}

/** The field's own way, and that of a Service without it: endpoints then have no hints. */
export function distributionHints(service: DeepReadonly<Service>): HintPolicy {
  switch (service.spec?.trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return applyHints(closeHints(false), isReadyEndpoint);
    case 'PreferSameNode':
      return applyHints(closeHints(true), isReadyEndpoint);
    default:
      return removeHints;
  }
}

/** Hints that name nobody go as well. */
export const removeHints: HintPolicy = slices =>
  applyHints(
    noHints,
    () => true,
    ({ hints }) => hints === undefined,
  )(slices);

/** @param concerns the endpoints whose hints count; those of others are left as they are */
function applyHints(
  wanted: WantedHints,
  concerns: (endpoint: DeepReadonly<Endpoint>) => boolean,
  isRight = (endpoint: DeepReadonly<Endpoint>): boolean => same(endpoint.hints, wanted(endpoint)),
): HintPolicy {
  const isWrong = (slice: DeepReadonly<EndpointSlice>): boolean =>
    (slice.endpoints ?? []).some(endpoint => concerns(endpoint) && !isRight(endpoint));
  return ({ create, update, unchanged }) => {
    const changed = [...update, ...unchanged.filter(isWrong).map(slice => copyOf(slice))];
    for (const { endpoints } of [...create, ...changed])
      for (const endpoint of endpoints ?? []) if (concerns(endpoint)) setHints(endpoint, wanted(endpoint));
    return { create, update: changed, unchanged: unchanged.filter(slice => !isWrong(slice)) };
  };
}

const same = (a: DeepReadonly<Hints> | undefined, b: Hints | undefined): boolean =>
  names(a?.forZones) === names(b?.forZones) && names(a?.forNodes) === names(b?.forNodes);

const names = (list: readonly { readonly name: string }[] | undefined): string =>
  JSON.stringify((list ?? []).map(({ name }) => name));

export function setHints(endpoint: Endpoint, hints: Hints | undefined): void {
  if (hints === undefined) delete endpoint.hints;
  else endpoint.hints = hints;
}

/** A cached slice with endpoints of its own, which may be written to. */
export const copyOf = (slice: DeepReadonly<EndpointSlice>): EndpointSlice & { endpoints: Endpoint[] } => ({
  ...(slice as EndpointSlice),
  endpoints: ((slice.endpoints ?? []) as Endpoint[]).map(endpoint => ({ ...endpoint })),
});
