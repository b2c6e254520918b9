import { compareText } from '../../machinery/compare-text.js';
import { sameMembers } from '../../machinery/same-members.js';
import type { Family } from '../packet.js';
import { createEndpointMerge, type EndpointMerge } from './endpoint-merge.js';
import { type EndpointInfo, portKey } from './endpoints.js';
import type { ServicePort } from './service-ports.js';
import { createServiceStates, type ServiceWatch } from './service-states.js';
import { categorizeEndpoints, type EndpointCategories } from './topology.js';

/** A service port and its endpoints, as one node sees them. Immutable: what changed is another object. */
export interface TrackedPort {
  readonly sortKey: string;
  readonly service: ServicePort;
  readonly endpoints: readonly EndpointInfo[];
  readonly categories: EndpointCategories;
}

/** The ports of one Service, before and now; those that are as before are the same objects. */
export interface ServiceChange {
  readonly before: readonly TrackedPort[];
  readonly after: readonly TrackedPort[];
}

export interface ServiceChanges {
  readonly services: readonly ServiceChange[];
  /** The node's zone is another one, so every port was looked at anew. */
  readonly topologyChanged: boolean;
  /** The endpoints of a UDP port changed. */
  readonly udpChanged: boolean;
}

/** What all proxy modes know of the cluster: its service ports, sorted, and what changed since they last asked. */
export interface ServiceMap extends ServiceWatch {
  /** The labels of this node (topology.kubernetes.io/zone). */
  setNode(labels: Readonly<Record<string, string>>): void;
  /** True when `take()` may find changes. */
  readonly pending: boolean;
  take(): ServiceChanges;
  /** As of the last `take()`, by name and protocol. */
  readonly ports: readonly TrackedPort[];
  /** Of all ports together. */
  readonly endpointCount: number;
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

export function createServiceMap({ family, nodeName }: { family: Family; nodeName: string }): ServiceMap {
  const states = createServiceStates(family);
  const tracked = new Map<string, readonly TrackedPort[]>();
  const merges = new Map<string, EndpointMerge>();
  let ports: readonly TrackedPort[] = [];
  let endpointCount = 0;
  let zone: string | undefined;
  let topologyChanged = false;

  /** A Service's ports as they are now; undefined when they are as before. */
  function refresh(key: string, force: boolean): ServiceChange | undefined {
    const before = tracked.get(key) ?? [];
    const known = new Map(before.map(port => [port.sortKey, port]));
    const { ports: wanted, slices } = states.get(key);
    const merge = merges.get(key) ?? createEndpointMerge(nodeName);
    if (slices.size === 0) merges.delete(key);
    else merges.set(key, merge);
    merge.setSlices(slices);
    const after = wanted.map((told): TrackedPort => {
      const sortKey = `${told.fullName}\0${told.protocol}`;
      const endpoints = merge.endpoints(portKey(told.portName, told.protocol));
      const old = known.get(sortKey);
      const service = old !== undefined && isSame(old.service, told) ? old.service : told;
      if (!force && old?.service === service && old.endpoints === endpoints) return old;
      const categories = categorizeEndpoints(service, endpoints, { nodeName, zone });
      return { sortKey, service, endpoints, categories };
    });
    if (sameMembers(after, before)) return undefined;
    if (after.length === 0) tracked.delete(key);
    else tracked.set(key, after);
    for (const port of before) endpointCount -= port.endpoints.length;
    for (const port of after) endpointCount += port.endpoints.length;
    return { before, after };
  }

  return {
    ...states,
    setNode(labels) {
      const next = labels[ZONE_LABEL];
      if (next === zone) return;
      zone = next;
      topologyChanged = true;
    },
    get pending() {
      return topologyChanged || states.dirty.size > 0;
    },
    take() {
      const force = topologyChanged;
      const keys = force ? new Set([...states.keys(), ...tracked.keys(), ...states.dirty]) : states.dirty;
      const services = [...keys].flatMap(key => refresh(key, force) ?? []);
      states.dirty.clear();
      topologyChanged = false;
      if (services.length > 0) ports = mergePorts(ports, services);
      return { services, topologyChanged: force, udpChanged: services.some(udpEndpointsChanged) };
    },
    get ports() {
      return ports;
    },
    get endpointCount() {
      return endpointCount;
    },
  };
}

/** They are made field by field in one order: whether anything that rules depend on is different. */
const isSame = (a: ServicePort, b: ServicePort): boolean => JSON.stringify(a) === JSON.stringify(b);

function udpEndpointsChanged({ before, after }: ServiceChange): boolean {
  const known = new Map(before.map(port => [port.sortKey, port.endpoints]));
  return after.some(
    ({ sortKey, service, endpoints }) => service.protocol === 'udp' && known.get(sortKey) !== endpoints,
  );
}

/** So few changes are put in their places one by one, each a move of memory; of more, one pass over all ports is cheaper. */
const FEW = 32;

function mergePorts(ordered: readonly TrackedPort[], changes: readonly ServiceChange[]): readonly TrackedPort[] {
  const removed = changes.flatMap(({ before }) => before);
  const fresh = changes.flatMap(({ after }) => after);
  return removed.length + fresh.length > FEW ? mergeAll(ordered, removed, fresh) : mergeFew(ordered, removed, fresh);
}

function mergeFew(
  ordered: readonly TrackedPort[],
  removed: readonly TrackedPort[],
  fresh: readonly TrackedPort[],
): readonly TrackedPort[] {
  const next = [...ordered];
  for (const { sortKey } of removed) {
    const at = placeOf(next, sortKey);
    if (next[at]?.sortKey === sortKey) next.splice(at, 1);
  }
  for (const port of fresh) next.splice(placeOf(next, port.sortKey), 0, port);
  return next;
}

/** The index of the first port that does not come before the key. */
function placeOf(ordered: readonly TrackedPort[], sortKey: string): number {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle]?.sortKey ?? '') < sortKey) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mergeAll(
  ordered: readonly TrackedPort[],
  removed: readonly TrackedPort[],
  added: readonly TrackedPort[],
): readonly TrackedPort[] {
  const gone = new Set(removed);
  const fresh = [...added].sort((a, b) => compareText(a.sortKey, b.sortKey));
  const next: TrackedPort[] = [];
  let i = 0;
  for (const port of ordered) {
    if (gone.has(port)) continue;
    for (let f = fresh[i]; f !== undefined && f.sortKey < port.sortKey; f = fresh[i]) {
      next.push(f);
      i++;
    }
    next.push(port);
  }
  return [...next, ...fresh.slice(i)];
}
