import { compareText } from '../../../machinery/compare-text.js';
import type { UdpServicePort } from '../../kernel/flow.js';
import type { XtablesProgram } from '../../kernel/program.js';
import type { Protocol } from '../../packet.js';
import type { ServicePort } from '../../services/service-ports.js';
import type { ServiceChange, TrackedPort } from '../../services/service-map.js';
import { createNodeView } from '../node-view.js';
import type { HeldPort, Proxier, ProxierConfig, RelayPort, SyncResult } from '../types.js';
import { FILTER_CHAINS, JUMPS, NAT_CHAINS } from './chains.js';
import { compileServicePort, type ServiceFragment } from './compile-service.js';
import { createLoadBalancer, type LoadBalancer } from './load-balancer.js';
import { createProxyPorts } from './proxy-ports.js';
import { inChains } from '../xtables-rules.js';

/** A service port that is relayed. */
interface Served {
  readonly service: ServicePort;
  /** Tells whether its rules would be different. */
  readonly print: string;
  readonly balancer: LoadBalancer;
  readonly fragment: ServiceFragment;
  readonly relay: RelayPort;
}

/** Rules lead to the proxy ports; which endpoint is next is asked by whoever relays. */
export function createUserspaceProxier(config: ProxierConfig): Proxier {
  const { clock, family, random, nodeAddresses, nodeIP = nodeAddresses[0] } = config;
  const { services, shared } = createNodeView(config, () => undefined);
  const ports = createProxyPorts(config.proxyPortRange, config.isPortTaken);
  /** By sort key. */
  const relayed = new Map<string, Served>();
  /** Names by sort key, of a protocol that nobody relays. */
  const unsupported = new Map<string, string>();
  /** Those for which no proxy port was free. */
  const waiting = new Map<string, TrackedPort>();
  let synced = false;

  function drop({ sortKey, service: { protocol } }: TrackedPort): UdpServicePort | undefined {
    unsupported.delete(sortKey);
    waiting.delete(sortKey);
    const gone = relayed.get(sortKey);
    if (gone === undefined) return undefined;
    relayed.delete(sortKey);
    ports.release(gone.relay.port, protocol);
    return protocol === 'udp' ? withoutEndpoints(gone.service) : undefined;
  }

  const allocate = (sortKey: string, protocol: Protocol): number | undefined =>
    ports.allocate(`${family} ${sortKey}`, protocol);

  /**
   * A service port keeps its proxy port, whatever else of it changes. Where there is none left, the others are not searched
   * for one, either. Returns whether the host has to hear of it.
   */
  function put(tracked: TrackedPort, exhausted: Set<Protocol>): boolean {
    const { sortKey, service, endpoints } = tracked;
    const print = JSON.stringify(service);
    const { protocol } = service;
    if (protocol === 'sctp') {
      const isNew = !unsupported.has(sortKey);
      unsupported.set(sortKey, service.fullName);
      return isNew;
    }
    const known = relayed.get(sortKey);
    const port = known?.relay.port ?? (exhausted.has(protocol) ? undefined : allocate(sortKey, protocol));
    if (port === undefined) {
      exhausted.add(protocol);
      const isNew = !waiting.has(sortKey);
      waiting.set(sortKey, tracked);
      return isNew;
    }
    waiting.delete(sortKey);
    const balancer = known?.balancer ?? createLoadBalancer(clock, random);
    balancer.setAffinity(service.affinitySeconds);
    balancer.setEndpoints(endpoints.filter(({ ready }) => ready));
    if (known?.print === print) return false;
    const relay: RelayPort = {
      protocol,
      port,
      service: service.fullName,
      held: heldPorts(service, protocol),
      next: (client, again = false) => balancer.next(client, again),
    };
    relayed.set(sortKey, { service, print, balancer, fragment: compileServicePort(service, port, nodeIP), relay });
    return true;
  }

  /** Ports that are held open, so that nobody else listens where the rules take everything away. */
  function heldPorts({ port, nodePort, externalIPs, loadBalancerVIPs }: ServicePort, protocol: Protocol): HeldPort[] {
    const own = [...externalIPs, ...loadBalancerVIPs].filter(address => nodeAddresses.includes(address));
    return [
      ...own.map(address => ({ protocol, port, address })),
      ...(nodePort === 0 ? [] : [{ protocol, port: nodePort }]),
    ];
  }

  function apply(changes: readonly ServiceChange[]): { rules: boolean; gone: readonly UdpServicePort[] } {
    const kept = new Set(changes.flatMap(({ after }) => after.map(({ sortKey }) => sortKey)));
    const removed = changes.flatMap(({ before }) => before).filter(({ sortKey }) => !kept.has(sortKey));
    const gone = removed.flatMap(port => drop(port) ?? []);
    const next = [...waiting.values()].filter(({ sortKey }) => !kept.has(sortKey));
    for (const { after } of changes) for (const port of after) next.push(port);
    const exhausted = new Set<Protocol>();
    const changed = next.sort((a, b) => compareText(a.sortKey, b.sortKey)).map(port => put(port, exhausted));
    return { rules: removed.length > 0 || changed.includes(true), gone };
  }

  function build(full: boolean): XtablesProgram {
    const fragments = services.ports.flatMap(({ sortKey }) => relayed.get(sortKey)?.fragment ?? []);
    return {
      kind: 'xtables',
      family,
      full,
      jumps: full ? JUMPS : [],
      ensureChains: [],
      tables: [
        { table: 'nat', chains: NAT_CHAINS, commands: inChains(fragments.flatMap(({ nat }) => nat)) },
        { table: 'filter', chains: FILTER_CHAINS, commands: inChains(fragments.flatMap(({ filter }) => filter)) },
      ],
    };
  }

  function sync({ full = false }: { full?: boolean } = {}): SyncResult {
    const { rules, gone } = apply(services.take().services);
    ports.settle();
    for (const { balancer } of relayed.values()) balancer.forgetStale();
    const whole = full || !synced;
    synced = true;
    return { program: whole || rules ? build(whole) : undefined, udpCleanup: gone };
  }

  return {
    ...shared,
    // Neither where Pods are nor which ranges there are changes a rule.
    setNode: () => undefined,
    setServiceCidrs: () => undefined,
    healthCheckNodePorts: () => [],
    get pending() {
      return !synced || services.pending;
    },
    sync,
    program: () => build(true),
    relay: {
      ports: () => [...relayed.values()].map(({ relay }) => relay),
      refused: () => [
        ...[...unsupported.values()].map(service => ({ service, why: 'SCTP is not relayed' })),
        ...[...waiting.values()].map(({ service: { fullName } }) => ({
          service: fullName,
          why: 'no proxy port is free',
        })),
      ],
    },
  };
}

/** Flows to what there is no longer. */
const withoutEndpoints = ({
  clusterIP,
  externalIPs,
  loadBalancerVIPs,
  port,
  nodePort,
}: ServicePort): UdpServicePort => ({
  destinations: [clusterIP, ...externalIPs, ...loadBalancerVIPs].map(address => ({ address, port })),
  nodePort,
  servingEndpoints: new Set(),
});
