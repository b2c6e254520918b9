import type { DeepReadonly, EndpointSlice, Service } from '../../../machinery/types.js';
import { compareText, type EndpointInfo, mergeSlices, portKey, serviceOfSlice } from '../../services/endpoints.js';
import { createAssembler } from './assemble.js';
import { compileServicePort, type ServiceCompileOptions, type ServiceFragment } from './compile-service.js';
import { type ServicePort, servicePorts } from '../../services/service-ports.js';
import { categorizeEndpoints } from '../../services/topology.js';
import type { HealthCheckNodePort, Proxy, ProxyConfig, Ruleset, SyncResult, UdpServicePort } from '../../types.js';

const ZONE_LABEL = 'topology.kubernetes.io/zone';
const LARGE_CLUSTER_ENDPOINTS = 1000;
const DEFAULT_SYNC_PERIOD_MS = 30_000;

/** Tells whether anything the rules depend on is different. */
interface Prints {
  readonly servicePrint: string;
  readonly endpointsPrint: string;
}

/** A service port with everything known and compiled about it. */
interface CompiledPort extends Prints {
  readonly sortKey: string;
  readonly service: ServicePort;
  readonly endpoints: readonly EndpointInfo[];
  readonly fragment: ServiceFragment;
  readonly largeCluster: boolean;
}

interface ServiceState {
  readonly ports: readonly ServicePort[];
  readonly slices: ReadonlyMap<string, DeepReadonly<EndpointSlice>>;
}

const EMPTY: ServiceState = { ports: [], slices: new Map() };

/** Complete rules for a fixed state, e.g. to print them. `createProxy` does the same step by step. */
export function compile(
  config: ProxyConfig,
  state: {
    services: Iterable<DeepReadonly<Service>>;
    slices: Iterable<DeepReadonly<EndpointSlice>>;
    nodeLabels?: Readonly<Record<string, string>>;
  },
): Ruleset {
  const proxy = createProxy(config);
  proxy.setNode(state.nodeLabels ?? {});
  for (const service of state.services) proxy.onServiceUpdate(service);
  for (const slice of state.slices) proxy.onSliceUpdate(slice);
  proxy.sync();
  return proxy.ruleset();
}

/** See `Proxy` for the contract. A sync costs one pass over the dispatch rules, plus compiling the Services that changed. */
export function createProxy(config: ProxyConfig): Proxy {
  const states = new Map<string, ServiceState>();
  const compiled = new Map<string, readonly CompiledPort[]>();
  const dirty = new Set<string>();
  const staleChains = new Set<string>();
  /** Slice ("namespace/name") to the Service that has it. */
  const serviceOf = new Map<string, string>();
  let ordered: readonly CompiledPort[] = [];
  let zone: string | undefined;
  let topologyChanged = false;
  let synced = false;
  let totalEndpoints = 0;
  let lastChainCleanup = Number.NEGATIVE_INFINITY;

  function change(key: string, update: (state: ServiceState) => ServiceState): void {
    const state = update(states.get(key) ?? EMPTY);
    if (state.ports.length === 0 && state.slices.size === 0) states.delete(key);
    else states.set(key, state);
    dirty.add(key);
  }

  function setSlice(slice: DeepReadonly<EndpointSlice>, present: boolean): void {
    const { namespace = '', name = '' } = slice.metadata;
    const id = `${namespace}/${name}`;
    const before = serviceOf.get(id);
    const now = present ? serviceOfSlice(slice, config.family) : undefined;
    const edit = (key: string, set: (slices: Map<string, DeepReadonly<EndpointSlice>>) => void): void =>
      change(key, state => {
        const slices = new Map(state.slices);
        set(slices);
        return { ...state, slices };
      });
    // A slice's labels can change: it leaves the Service that it belonged to, not the one it names now.
    if (before !== undefined && before !== now) {
      serviceOf.delete(id);
      edit(before, slices => slices.delete(name));
    }
    if (now === undefined) return;
    serviceOf.set(id, now);
    edit(now, slices => slices.set(name, slice));
  }

  const compilePort = (service: ServicePort, endpoints: readonly EndpointInfo[], print: Prints): CompiledPort => {
    const largeCluster = totalEndpoints > LARGE_CLUSTER_ENDPOINTS;
    const categories = categorizeEndpoints(service, endpoints, { nodeName: config.nodeName, zone });
    const options: ServiceCompileOptions = {
      detectLocal: config.detectLocal,
      masqueradeAll: config.masqueradeAll ?? false,
      nodeIP: config.nodeIP,
      largeCluster,
    };
    return {
      sortKey: `${service.fullName}\0${service.protocol}`,
      service,
      endpoints,
      fragment: compileServicePort(service, categories, options),
      ...print,
      largeCluster,
    };
  };

  interface Gathered {
    readonly key: string;
    readonly ports: readonly { readonly service: ServicePort; readonly endpoints: readonly EndpointInfo[] }[];
  }

  /** What the changed Services look like now; keeps the endpoint total, on which the form of the rules depends. */
  function gather(keys: Iterable<string>): Gathered[] {
    return [...keys].map(key => {
      const state = states.get(key) ?? EMPTY;
      const merged = mergeSlices(state.slices.values(), config.nodeName);
      const ports = state.ports.map(service => ({
        service,
        endpoints: merged.get(portKey(service.portName, service.protocol)) ?? [],
      }));
      for (const old of compiled.get(key) ?? []) totalEndpoints -= old.endpoints.length;
      for (const port of ports) totalEndpoints += port.endpoints.length;
      return { key, ports };
    });
  }

  /** Compiles one Service's ports; those that are as before keep their rules. Returns whether a UDP port's endpoints changed. */
  function recompile({ key, ports }: Gathered, force: boolean, changed: Set<ServiceFragment>): boolean {
    const before = compiled.get(key) ?? [];
    const known = new Map(before.map(port => [port.sortKey, port]));
    let udpChanged = false;
    const after = ports.map(({ service, endpoints }) => {
      const sortKey = `${service.fullName}\0${service.protocol}`;
      const old = known.get(sortKey);
      const print = { servicePrint: JSON.stringify(service), endpointsPrint: JSON.stringify(endpoints) };
      const sameEndpoints = old?.endpointsPrint === print.endpointsPrint;
      if (!sameEndpoints && service.protocol === 'udp') udpChanged = true;
      if (!force && sameEndpoints && old.servicePrint === print.servicePrint) return old;
      return compilePort(service, endpoints, print);
    });
    if (after.length === before.length && after.every((port, i) => port === before[i])) return false;
    // As upstream, all ports of a changed Service are written.
    for (const port of after) changed.add(port.fragment);
    for (const port of before) for (const chain of port.fragment.chains) staleChains.add(chain);
    for (const port of after) for (const chain of port.fragment.chains) staleChains.delete(chain);
    if (after.length === 0) compiled.delete(key);
    else compiled.set(key, after);
    reorder(before, after);
    return udpChanged;
  }

  const removed = new Set<CompiledPort>();
  const added = new Set<CompiledPort>();
  function reorder(before: readonly CompiledPort[], after: readonly CompiledPort[]): void {
    for (const port of before) if (!added.delete(port)) removed.add(port);
    for (const port of after) if (!removed.delete(port)) added.add(port);
  }

  /** Merges the changed ports into the order in one pass. */
  function applyOrder(): void {
    const fresh = [...added].sort((a, b) => compareText(a.sortKey, b.sortKey));
    const next: CompiledPort[] = [];
    let i = 0;
    for (const port of ordered) {
      if (removed.has(port)) continue;
      for (let f = fresh[i]; f !== undefined && f.sortKey < port.sortKey; f = fresh[i]) {
        next.push(f);
        i++;
      }
      next.push(port);
    }
    ordered = [...next, ...fresh.slice(i)];
    removed.clear();
    added.clear();
  }

  /** Chains to delete now. Large clusters look for them only once in a sync period. */
  function takeStaleChains(): string[] {
    const now = config.clock.monotonic();
    const wait = totalEndpoints > LARGE_CLUSTER_ENDPOINTS ? (config.syncPeriodMs ?? DEFAULT_SYNC_PERIOD_MS) : 0;
    if (now - lastChainCleanup < wait) return [];
    lastChainCleanup = now;
    const stale = [...staleChains].sort(compareText);
    staleChains.clear();
    return stale;
  }

  const assemble = assemblerFor(config);
  const buildRuleset = (full: boolean, changed: ReadonlySet<ServiceFragment>, stale: readonly string[]): Ruleset =>
    assemble({ full, fragments: ordered.map(port => port.fragment), changed, staleChains: stale });

  function sync(options: { full?: boolean } = {}): SyncResult {
    const full = options.full === true || !synced || topologyChanged;
    const changed = new Set<ServiceFragment>();
    let udpChanged = false;
    const large = (): boolean => totalEndpoints > LARGE_CLUSTER_ENDPOINTS;
    const gathered = gather(topologyChanged ? new Set([...states.keys(), ...compiled.keys(), ...dirty]) : dirty);
    for (const service of gathered) {
      if (recompile(service, topologyChanged, changed)) udpChanged = true;
    }
    if (full) {
      // Only a full sync may rewrite the rules of unchanged Services in the other form.
      for (const [key, ports] of compiled) {
        if (ports.some(port => port.largeCluster !== large())) recompile({ key, ports }, true, changed);
      }
    }
    dirty.clear();
    topologyChanged = false;
    const nothing = !full && added.size === 0 && removed.size === 0;
    applyOrder();
    synced = true;
    if (nothing) return { ruleset: undefined, udpCleanup: [] };
    const written = full ? new Set(ordered.map(port => port.fragment)) : changed;
    return {
      ruleset: buildRuleset(full, written, takeStaleChains()),
      udpCleanup: udpChanged ? udpServicePorts(ordered) : [],
    };
  }

  return {
    onServiceUpdate(service) {
      const key = `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`;
      change(key, state => ({ ...state, ports: servicePorts(service, config.family) }));
    },
    onServiceDelete(service) {
      const key = `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`;
      change(key, state => ({ ...state, ports: [] }));
    },
    onSliceUpdate: slice => setSlice(slice, true),
    onSliceDelete: slice => setSlice(slice, false),
    setNode(labels) {
      const next = labels[ZONE_LABEL];
      if (next === zone) return;
      zone = next;
      topologyChanged = true;
    },
    get pending() {
      return !synced || topologyChanged || dirty.size > 0;
    },
    sync,
    ruleset: () => buildRuleset(true, new Set(ordered.map(port => port.fragment)), []),
    healthCheckNodePorts: () => healthCheckNodePorts(ordered),
    nodePorts: () =>
      ordered.flatMap(({ service }) =>
        service.nodePort === 0
          ? []
          : [
              {
                protocol: service.protocol,
                port: service.nodePort,
                namespace: service.namespace,
                name: service.name,
              },
            ],
      ),
  };
}

function assemblerFor(config: ProxyConfig): ReturnType<typeof createAssembler> {
  switch (config.mode) {
    case 'iptables':
      return createAssembler(config);
    default:
      return config.mode satisfies never;
  }
}

function udpServicePorts(ports: readonly CompiledPort[]): UdpServicePort[] {
  return ports.flatMap(({ service, endpoints }) => {
    const serving = endpoints.filter(endpoint => endpoint.serving).map(endpoint => endpoint.address);
    if (service.protocol !== 'udp' || serving.length === 0) return [];
    const addresses = [service.clusterIP, ...service.externalIPs, ...service.loadBalancerVIPs];
    return [
      {
        destinations: addresses.map(address => ({ address, port: service.port })),
        nodePort: service.nodePort,
        servingEndpoints: new Set(serving),
      },
    ];
  });
}

function healthCheckNodePorts(ports: readonly CompiledPort[]): HealthCheckNodePort[] {
  const services = new Map<string, { port: number; namespace: string; name: string; ips: Set<string> }>();
  for (const { service, endpoints } of ports) {
    if (service.healthCheckNodePort === 0) continue;
    const key = `${service.namespace}/${service.name}`;
    const { namespace, name } = service;
    const known = services.get(key) ?? { port: service.healthCheckNodePort, namespace, name, ips: new Set<string>() };
    services.set(key, known);
    for (const endpoint of endpoints) if (endpoint.isLocal && endpoint.ready) known.ips.add(endpoint.ip);
  }
  return [...services.values()].map(({ port, namespace, name, ips }) => ({
    namespace,
    name,
    port,
    localEndpoints: ips.size,
  }));
}
