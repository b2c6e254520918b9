import { startPortOperation, type PortAllocator, type PortOperation } from './port-allocator.js';
import { invalid, path } from '../../machinery/field-error.js';
import { internalError, reasonlessError } from '../../machinery/status.js';
import type { Service } from '../../machinery/types.js';
import type { IsTaken } from './ip-allocator.js';
import { allocateAddresses, textOf, type AddressAllocators } from './service-addresses.js';
import { initFamilies, refuseService, sameClusterIps } from './service-families.js';
import { needsHealthCheck, specOf, type ReadonlyService, type ServiceSpec } from './validation/service-spec.js';

/** Source: pkg/registry/core/service/storage/alloc.go and storage.go. */
type Spec = NonNullable<Service['spec']>;
type Mutable = Service & { spec: Spec };

export interface ServiceAllocators extends AddressAllocators {
  readonly ports: PortAllocator;
  readonly isPortTaken: IsTaken<number>;
}

const SPEC = path('spec');

const needsClusterIp = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName';
const needsNodePort = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
export const nodePortsOf = (spec: ServiceSpec): number[] =>
  (spec.ports ?? []).flatMap(port => (port.nodePort ? [port.nodePort] : []));

/** What a client need not repeat in a PUT. */
function keepAllocated(spec: Spec, old: ServiceSpec): void {
  if (needsClusterIp(old) && needsClusterIp(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  }
  if (needsNodePort(old) && needsNodePort(spec)) {
    const oldPorts = new Set(nodePortsOf(old));
    const kept = new Set(nodePortsOf(spec).filter(port => oldPorts.has(port)));
    const byName = new Map((old.ports ?? []).map(port => [port.name ?? '', port.nodePort ?? 0]));
    for (const port of spec.ports ?? []) {
      const before = byName.get(port.name ?? '') ?? 0;
      if (!port.nodePort && before !== 0 && !kept.has(before)) port.nodePort = before;
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && !spec.healthCheckNodePort && old.healthCheckNodePort)
    spec.healthCheckNodePort = old.healthCheckNodePort;
}

/** Brings clusterIP and clusterIPs together for clients that know one of them. */
function normalizeClusterIps(spec: Spec, old: ServiceSpec | undefined): void {
  if (old === undefined) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const [now, before] = [spec.clusterIP ?? '', old.clusterIP ?? ''];
  const none = (spec.clusterIPs ?? []).length === 0;
  if (now === before) {
    if (none && old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  } else if (sameClusterIps(spec, old)) {
    if (now === '') delete spec.clusterIPs;
    else spec.clusterIPs = [now];
  }
}

const refuseNodePort = (service: ReadonlyService, index: number, port: number, text: string): never =>
  refuseService(service, [invalid(SPEC.child('ports').index(index).child('nodePort'), port, text)]);

function nextPort(ports: PortOperation): number {
  try {
    return ports.allocateNext();
  } catch (error) {
    throw internalError(`failed to allocate a nodePort: ${textOf(error)}`);
  }
}

function takePort(service: ReadonlyService, ports: PortOperation, index: number, port: number): void {
  try {
    ports.allocate(port);
  } catch (error) {
    refuseNodePort(service, index, port, textOf(error));
  }
}

/** A new Service: ports with the same number share a node port across protocols. */
function allocateNodePorts(service: Mutable, ports: PortOperation): void {
  const byPort = new Map<number, number>();
  const list = service.spec.ports ?? [];
  const askedFor = new Map<number, number>();
  for (const { port, nodePort } of list) if (nodePort && !askedFor.has(port)) askedFor.set(port, nodePort);
  list.forEach((port, i) => {
    if (!port.nodePort && !needsNodePort(service.spec)) return;
    const shared = byPort.get(port.port);
    if (shared === undefined) {
      const asked = askedFor.get(port.port);
      if (asked !== undefined) takePort(service, ports, i, asked);
      const nodePort = asked ?? nextPort(ports);
      port.nodePort = nodePort;
      byPort.set(port.port, nodePort);
    } else if (!port.nodePort) port.nodePort = shared;
    else if (port.nodePort !== shared) takePort(service, ports, i, port.nodePort);
  });
}

function updateNodePorts(service: Mutable, old: ServiceSpec, ports: PortOperation): void {
  const before = new Set(nodePortsOf(old));
  const taken = new Set<number>();
  const seen = new Set<string>();
  (service.spec.ports ?? []).forEach((port, i) => {
    if (!port.nodePort && !needsNodePort(service.spec)) return;
    if (!port.nodePort) port.nodePort = nextPort(ports);
    else if (!before.has(port.nodePort) && !taken.has(port.nodePort)) {
      takePort(service, ports, i, port.nodePort);
      taken.add(port.nodePort);
    }
    const key = `{${port.protocol} ${port.nodePort ?? 0}}`;
    if (seen.has(key) && port.nodePort) throw reasonlessError(`duplicate nodePort: ${key}`);
    seen.add(key);
  });
}

function allocateHealthPort(spec: Spec, ports: PortOperation): void {
  const asked = spec.healthCheckNodePort ?? 0;
  try {
    if (asked !== 0) ports.allocate(asked);
    else spec.healthCheckNodePort = ports.allocateNext();
  } catch (error) {
    const which = asked === 0 ? 'allocate a HealthCheck NodePort' : 'allocate requested HealthCheck NodePort';
    throw internalError(`failed to ${which} ${asked}: ${textOf(error)}`);
  }
}

function updateHealthPort(spec: Spec, old: ServiceSpec, ports: PortOperation): void {
  const [needed, needs] = [needsHealthCheck(old), needsHealthCheck(spec)];
  if (!needed && needs) allocateHealthPort(spec, ports);
  else if (needed && !needs) delete spec.healthCheckNodePort;
}

/** Chooses what the Service needs and writes it into `service`. @throws StatusError */
export function allocateForService(
  allocators: ServiceAllocators,
  service: Service,
  oldService: ReadonlyService | undefined,
  dryRun: boolean,
): void {
  const mutable: Mutable = Object.assign(service, { spec: service.spec ?? {} });
  const { spec } = mutable;
  const old = oldService === undefined ? undefined : specOf(oldService);
  if (old !== undefined) keepAllocated(spec, old);
  normalizeClusterIps(spec, old);
  initFamilies(mutable, old, [...allocators.ips.keys()]);
  const ports = startPortOperation(allocators.ports, allocators.isPortTaken, dryRun);
  allocateAddresses(mutable, old, allocators, dryRun);
  const hasPorts = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (old === undefined) {
    if (hasPorts) allocateNodePorts(mutable, ports);
    if (needsHealthCheck(spec)) allocateHealthPort(spec, ports);
  } else {
    if (hasPorts) updateNodePorts(mutable, old, ports);
    updateHealthPort(spec, old, ports);
  }
}
