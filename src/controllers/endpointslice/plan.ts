import type { DeepReadonly, Endpoint, EndpointSlice, Node, Pod, Service } from '../../machinery/types.js';
import { addressFamilies, type Family } from './families.js';
import { copyOf, type FreshSlice, type HintPolicy, type PlannedSlices } from './hints.js';
import { isDeleting, isReady } from '../pods.js';
import { belongsToEndpoints, endpointHostname, podIP, targetPort } from '../service-pods.js';

type SlicePort = NonNullable<EndpointSlice['ports']>[number];
type ReadonlySlice = DeepReadonly<EndpointSlice>;

/** Upstream's default --max-endpoints-per-slice. */
export const MAX_ENDPOINTS_PER_SLICE = 100;
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** What to write. Slices in `update` carry the stored metadata. */
export interface SlicePlan {
  readonly create: FreshSlice[];
  readonly update: EndpointSlice[];
  readonly remove: ReadonlySlice[];
  /** Pods that are left out because their nodes are unknown, in words. */
  readonly skipped: readonly string[];
}

/** endpointslice/utils.go podToEndpoint */
export function toEndpoint(
  pod: DeepReadonly<Pod>,
  service: DeepReadonly<Service>,
  node: DeepReadonly<Node> | undefined,
  family: Family,
): Endpoint | undefined {
  const ip = podIP(pod, family);
  if (ip === undefined) return undefined;
  const serving = isReady(pod);
  const terminating = isDeleting(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata.labels?.[ZONE_LABEL];
  const hostname = endpointHostname(pod, service);
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name ?? '',
      uid: pod.metadata.uid ?? '',
    },
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    ...(zone === undefined || zone === '' ? {} : { zone }),
    ...(hostname === undefined ? {} : { hostname }),
  };
}

function slicePorts(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>): SlicePort[] {
  const ports: SlicePort[] = [];
  for (const port of service.spec?.ports ?? []) {
    const number = targetPort(pod, port);
    if (number === undefined) continue;
    ports.push({
      name: port.name ?? '',
      port: number,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    });
  }
  return ports;
}

/** One text per set of ports, whatever their order. */
export const portsKey = (ports: DeepReadonly<SlicePort[]> | null | undefined): string =>
  JSON.stringify((ports ?? []).map(p => [p.name ?? '', p.protocol ?? 'TCP', p.port, p.appProtocol]).sort());

/** Endpoints are the same one when they have the address and the Pod in common (endpointset hash). */
export const endpointKey = (endpoint: DeepReadonly<Endpoint>): string =>
  JSON.stringify([
    endpoint.addresses,
    endpoint.targetRef?.uid ?? endpoint.targetRef?.name ?? '',
    endpoint.hostname ?? '',
  ]);

const CONDITIONS = ['ready', 'serving', 'terminating'] as const;

/** But for their hints, which are decided when all slices are known. */
const sameEndpoint = (a: DeepReadonly<Endpoint>, b: DeepReadonly<Endpoint>): boolean =>
  CONDITIONS.every(c => (a.conditions?.[c] ?? undefined) === (b.conditions?.[c] ?? undefined)) &&
  a.nodeName === b.nodeName &&
  a.zone === b.zone &&
  a.hostname === b.hostname &&
  a.targetRef?.name === b.targetRef?.name;

interface Desired {
  ports: SlicePort[];
  endpoints: Map<string, Endpoint>;
}

function desiredByPorts(
  service: DeepReadonly<Service>,
  pods: Iterable<DeepReadonly<Pod>>,
  nodes: (name: string) => DeepReadonly<Node> | undefined,
  family: Family,
  skipped: Set<string>,
): Map<string, Desired> {
  const publishNotReady = service.spec?.publishNotReadyAddresses === true;
  const groups = new Map<string, Desired>();
  for (const pod of pods) {
    if (!belongsToEndpoints(pod, true)) continue;
    const nodeName = pod.spec?.nodeName ?? '';
    const node = nodeName === '' ? undefined : nodes(nodeName);
    // The node is gone, or not seen yet: one is about to be collected, the other is tried again.
    if (node === undefined && !publishNotReady) {
      const { name = '', namespace = '' } = service.metadata;
      skipped.add(`Pod ${pod.metadata.name ?? ''} for Service ${namespace}/${name}: Node ${nodeName} Not Found`);
      continue;
    }
    const endpoint = toEndpoint(pod, service, node, family);
    if (endpoint === undefined) continue;
    const ports = slicePorts(service, pod);
    const id = portsKey(ports);
    const group = groups.get(id) ?? { ports, endpoints: new Map<string, Endpoint>() };
    groups.set(id, group);
    group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  return groups;
}

type WithEndpoints = EndpointSlice & { endpoints: Endpoint[] };

/**
 * Packs one port set's endpoints into its existing slices with as few writes as possible
 * (endpointslice/reconciler.go reconcileByPortMapping): first in place, then into slices that change anyway, fullest
 * first, then into one unchanged slice that ends fullest, then into new slices.
 */
function packGroup(
  desired: Desired,
  existing: readonly ReadonlySlice[],
  family: Family,
  needsUpdate: (slice: ReadonlySlice) => boolean,
): PlannedSlices & Pick<SlicePlan, 'remove'> {
  const wanted = new Map(desired.endpoints);
  const changed: WithEndpoints[] = [];
  const untouched: ReadonlySlice[] = [];
  const remove: ReadonlySlice[] = [];
  for (const slice of existing) {
    let dirty = needsUpdate(slice);
    const keep: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const id = endpointKey(endpoint);
      const fresh = wanted.get(id);
      if (fresh === undefined) {
        dirty = true;
        continue;
      }
      wanted.delete(id);
      if (!sameEndpoint(endpoint, fresh)) dirty = true;
      keep.push(fresh);
    }
    if (keep.length === 0 && (slice.endpoints ?? []).length > 0) remove.push(slice);
    else if (keep.length === 0 && wanted.size === 0 && desired.endpoints.size > 0) remove.push(slice);
    else if (dirty) changed.push({ ...(slice as EndpointSlice), endpoints: keep });
    else untouched.push(slice);
  }
  const left = [...wanted.values()];
  const fill = (slice: WithEndpoints): void => {
    const room = MAX_ENDPOINTS_PER_SLICE - slice.endpoints.length;
    slice.endpoints = [...slice.endpoints, ...left.splice(0, Math.max(0, room))];
  };
  for (const slice of [...changed].sort((a, b) => b.endpoints.length - a.endpoints.length))
    if (left.length > 0) fill(slice);

  const create: SlicePlan['create'] = [];
  while (left.length > 0) {
    if (left.length < MAX_ENDPOINTS_PER_SLICE) {
      const fitting = untouched
        .filter(slice => (slice.endpoints ?? []).length + left.length <= MAX_ENDPOINTS_PER_SLICE)
        .sort((a, b) => (b.endpoints ?? []).length - (a.endpoints ?? []).length)[0];
      if (fitting !== undefined) {
        const slice = copyOf(fitting);
        fill(slice);
        changed.push(slice);
        untouched.splice(untouched.indexOf(fitting), 1);
        continue;
      }
    }
    create.push({ addressType: family, ports: desired.ports, endpoints: left.splice(0, MAX_ENDPOINTS_PER_SLICE) });
  }
  return { create, update: changed, unchanged: untouched, remove };
}

/**
 * Gathers nothing, writes nothing: what must be written so that `slices` say what `pods` are.
 * @param needsUpdate whether a slice's own labels or annotations are out of date
 * @param hints decides the hints of one family's slices
 */
export function planSlices(
  service: DeepReadonly<Service>,
  pods: readonly DeepReadonly<Pod>[],
  nodes: (name: string) => DeepReadonly<Node> | undefined,
  slices: readonly ReadonlySlice[],
  needsUpdate: (slice: ReadonlySlice) => boolean,
  hints: (family: Family) => HintPolicy,
): SlicePlan {
  const plan: { create: SlicePlan['create']; update: EndpointSlice[]; remove: ReadonlySlice[] } = {
    create: [],
    update: [],
    remove: [],
  };
  const skipped = new Set<string>();
  const families = addressFamilies(service);
  plan.remove.push(...slices.filter(slice => !families.includes(slice.addressType as Family)));
  for (const family of families) {
    const ofFamily = slices.filter(slice => slice.addressType === family);
    const groups = desiredByPorts(service, pods, nodes, family, skipped);
    if (groups.size === 0) {
      // Consumers tell "no endpoints" from "not computed yet" by this empty slice.
      const placeholder = ofFamily.find(
        slice => (slice.endpoints ?? []).length === 0 && (slice.ports ?? []).length === 0,
      );
      plan.remove.push(...ofFamily.filter(slice => slice !== placeholder));
      // Also without endpoints: a Service may lose the hints that it had.
      hints(family)({ create: [], update: [], unchanged: [] });
      if (placeholder === undefined) plan.create.push({ addressType: family });
      else if (needsUpdate(placeholder)) plan.update.push({ ...(placeholder as EndpointSlice) });
      continue;
    }
    const existing = new Map<string, ReadonlySlice[]>();
    for (const slice of ofFamily) {
      const id = portsKey(slice.ports);
      existing.set(id, [...(existing.get(id) ?? []), slice]);
    }
    const planned: PlannedSlices = { create: [], update: [], unchanged: [] };
    for (const [id, group] of groups) {
      const packed = packGroup(group, existing.get(id) ?? [], family, needsUpdate);
      existing.delete(id);
      planned.create.push(...packed.create);
      planned.update.push(...packed.update);
      planned.unchanged.push(...packed.unchanged);
      plan.remove.push(...packed.remove);
    }
    const hinted = hints(family)(planned);
    plan.create.push(...hinted.create);
    plan.update.push(...hinted.update);
    for (const stale of existing.values()) plan.remove.push(...stale);
  }
  return { ...reuse(plan), skipped: [...skipped] };
}

/** A slice about to be deleted takes what would have gone into a new one of its family: one write instead of two. */
function reuse(plan: Omit<SlicePlan, 'skipped'>): Omit<SlicePlan, 'skipped'> {
  const create: SlicePlan['create'] = [];
  for (const fresh of plan.create) {
    const at = plan.remove.findIndex(slice => slice.addressType === fresh.addressType);
    const [reused] = at < 0 ? [] : plan.remove.splice(at, 1);
    if (reused === undefined) create.push(fresh);
    else {
      const { ports: _ports, endpoints: _endpoints, ...kept } = reused as EndpointSlice;
      plan.update.push({ ...kept, ...fresh });
    }
  }
  return { create, update: plan.update, remove: plan.remove };
}
