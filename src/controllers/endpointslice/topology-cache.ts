import { isNodeReady } from '../../machinery/node-ready.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import type { DeepReadonly, Endpoint, EndpointSlice, Node } from '../../machinery/types.js';
import type { Family } from './families.js';
import { copyOf, isReadyEndpoint, type PlannedSlices, removeHints, setHints } from './hints.js';
import { type Allocation, createAllocations, OVERLOAD_THRESHOLD, redistribute } from './zone-allocation.js';

export interface HintEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'TopologyAwareHintsEnabled' | 'TopologyAwareHintsDisabled';
  readonly message: string;
}

interface HintedSlices {
  readonly slices: PlannedSlices;
  readonly events: readonly HintEvent[];
}

/**
 * Which zones have how much of the cluster's CPU, and how many endpoints of each Service are hinted for them
 * (endpointslice/topologycache): what topology-mode Auto is decided by.
 */
export interface TopologyCache {
  setNodes(nodes: Iterable<DeepReadonly<Node>>): void;
  /** Services with too few endpoints for some zone since the nodes changed. */
  overloadedServices(): string[];
  addHints(service: string, family: Family, slices: PlannedSlices): HintedSlices;
  /** The Service has no such hints (any more). Says so when it had. */
  forget(service: string, family: Family): HintEvent[];
  forgetService(service: string): void;
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';
const EXCLUDED_LABELS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

export const zoneOf = (node: DeepReadonly<Node>): string => node.metadata.labels?.[ZONE_LABEL] ?? '';

type CountByZone = Map<string, number>;

export function createTopologyCache(): TopologyCache {
  /** Undefined: not every node that counts has a zone and CPU, or there is one zone only. */
  let ratios: ReadonlyMap<string, number> | undefined;
  const hinted = new Map<string, Map<Family, CountByZone>>();

  function drop(service: string, family: Family): boolean {
    const families = hinted.get(service);
    const had = families !== undefined;
    families?.delete(family);
    if (families?.size === 0) hinted.delete(service);
    return had;
  }

  function disabled(service: string, family: Family, slices: PlannedSlices, why: string): HintedSlices {
    drop(service, family);
    return { slices: removeHints(slices), events: [event('Warning', 'TopologyAwareHintsDisabled', why, family)] };
  }

  return {
    setNodes(nodes) {
      ratios = cpuRatios(nodes);
    },
    overloadedServices: () =>
      [...hinted].flatMap(([service, families]) =>
        [...families.values()].some(counts => isOverloaded(counts, ratios)) ? [service] : [],
      ),
    addHints(service, family, slices) {
      const endpoints = [...slices.create, ...slices.update, ...slices.unchanged].reduce(
        (total, slice) => total + (slice.endpoints ?? []).filter(isReadyEndpoint).length,
        0,
      );
      const allocations = createAllocations(ratios, endpoints);
      if (typeof allocations === 'string') return disabled(service, family, slices, allocations);

      const { counts, planned } = keepValid(slices, allocations);
      const open: Endpoint[] = [...planned.create, ...planned.update].flatMap(slice => slice.endpoints ?? []);
      for (const endpoint of open) {
        setHints(endpoint, undefined);
        if (!isReadyEndpoint(endpoint)) continue;
        const { zone } = endpoint;
        if (zone === undefined || zone === '') return disabled(service, family, slices, NO_ZONE);
        counts.set(zone, (counts.get(zone) ?? 0) + 1);
        setHints(endpoint, { forZones: [{ name: zone }] });
      }
      redistribute(open.filter(isReadyEndpoint), allocations, counts);
      if (counts.size === 0) return disabled(service, family, slices, 'No hints allocated for zones');

      const families = hinted.get(service);
      hinted.set(service, new Map([...(families ?? []), [family, counts]]));
      const text = 'Topology Aware Hints has been enabled';
      const events = families === undefined ? [event('Normal', 'TopologyAwareHintsEnabled', text, family)] : [];
      return { slices: planned, events };
    },
    forget(service, family) {
      const text = 'Topology Aware Hints has been disabled';
      return drop(service, family) ? [event('Warning', 'TopologyAwareHintsDisabled', text, family)] : [];
    },
    forgetService: service => void hinted.delete(service),
  };
}

const NO_ZONE = 'One or more endpoints do not have a zone specified';

const event = (type: HintEvent['type'], reason: HintEvent['reason'], text: string, family: Family): HintEvent => ({
  type,
  reason,
  message: `${text}, addressType: ${family}`,
});

/** Each zone's share of the CPU of the ready nodes that run workloads. */
function cpuRatios(nodes: Iterable<DeepReadonly<Node>>): ReadonlyMap<string, number> | undefined {
  const cpus: CountByZone = new Map();
  let total = 0;
  for (const node of nodes) {
    const labels = node.metadata.labels ?? {};
    if (EXCLUDED_LABELS.some(label => labels[label] !== undefined) || !isNodeReady(node)) continue;
    const zone = zoneOf(node);
    const cpu = Number(scaledValue(parseQuantity(node.status?.allocatable?.['cpu'] ?? '0'), -3));
    if (zone === '' || cpu === 0) return undefined;
    total += cpu;
    cpus.set(zone, (cpus.get(zone) ?? 0) + cpu);
  }
  if (total === 0 || cpus.size < 2) return undefined;
  return new Map([...cpus].map(([zone, cpu]) => [zone, cpu / total]));
}

/**
 * Counts the hints of slices that would not be written otherwise. One is written when an endpoint of it has no hint, or
 * its hints are for a zone that needs none or leave another with too few.
 */
function keepValid(
  { create, update, unchanged }: PlannedSlices,
  allocations: ReadonlyMap<string, Allocation>,
): { counts: CountByZone; planned: PlannedSlices } {
  const counts: CountByZone = new Map();
  const changed = [...update];
  const kept: DeepReadonly<EndpointSlice>[] = [];
  for (const slice of unchanged) {
    const own = hintsByZone(slice, counts, allocations);
    if (own === undefined) changed.push(copyOf(slice));
    else {
      kept.push(slice);
      for (const [zone, count] of own) counts.set(zone, (counts.get(zone) ?? 0) + count);
    }
  }
  return { counts, planned: { create, update: changed, unchanged: kept } };
}

function hintsByZone(
  slice: DeepReadonly<EndpointSlice>,
  counts: CountByZone,
  allocations: ReadonlyMap<string, Allocation>,
): CountByZone | undefined {
  const own: CountByZone = new Map();
  for (const endpoint of slice.endpoints ?? []) {
    if (!isReadyEndpoint(endpoint)) continue;
    const zones = endpoint.hints?.forZones ?? [];
    if (zones.length === 0 || zones.some(({ name }) => !allocations.has(name))) return undefined;
    for (const { name } of zones) own.set(name, (own.get(name) ?? 0) + 1);
  }
  for (const [zone, count] of own)
    if (count + (counts.get(zone) ?? 0) > (allocations.get(zone)?.maximum ?? 0)) return undefined;
  return own;
}

function isOverloaded(counts: CountByZone, ratios: ReadonlyMap<string, number> | undefined): boolean {
  if (counts.size === 0) return false;
  if (ratios === undefined) return true;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...ratios].some(([zone, ratio]) => {
    const count = counts.get(zone);
    return count === undefined || count < Math.ceil(total * ratio * (1 / (1 + OVERLOAD_THRESHOLD)));
  });
}
