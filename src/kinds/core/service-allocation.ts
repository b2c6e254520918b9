import { AllocationError, type IpAllocator, type IsTaken } from './ip-allocator.js';
import { startPortOperation, type PortAllocator, type PortOperation } from './port-allocator.js';
import { errorList, errorsOf, invalid, path, type FieldError } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import { internalError, invalidError, reasonlessError } from '../../machinery/status.js';
import type { Service } from '../../machinery/types.js';
import { isIpv6 } from '../validation/formats.js';
import { checkClusterIps } from './validation/service-cluster-ips.js';
import { needsHealthCheck, specOf, type ReadonlyService, type ServiceSpec } from './validation/service-spec.js';

/** Source: pkg/registry/core/service/storage/alloc.go and storage.go, for clusters of one family. */
type Spec = NonNullable<Service['spec']>;
type Mutable = Service & { spec: Spec };

export interface ServiceAllocators {
  readonly ips: IpAllocator;
  readonly ports: PortAllocator;
  readonly isIpTaken: IsTaken<string>;
  readonly isPortTaken: IsTaken<number>;
}

const SPEC = path('spec');
const KIND = { group: '', kind: 'Service' };

const refuse = (service: ReadonlyService, errors: readonly FieldError[]): never => {
  throw invalidError(KIND, service.metadata.name ?? '', errors);
};

/** The text of an allocator's refusal; anything else is a bug and goes on. */
const textOf = (error: unknown): string => {
  if (error instanceof AllocationError) return error.message;
  throw error;
};

const needsClusterIp = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName';
const needsNodePort = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
export const nodePortsOf = (spec: ServiceSpec): number[] =>
  (spec.ports ?? []).flatMap(port => (port.nodePort ? [port.nodePort] : []));

/** What a client need not repeat in a PUT. */
function keepAllocated(spec: Spec, old: ServiceSpec): void {
  if (needsClusterIp(old) && needsClusterIp(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === old.clusterIP && old.clusterIPs !== undefined)
      spec.clusterIPs = [...old.clusterIPs];
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
  const now = spec.clusterIP ?? '';
  const before = old.clusterIP ?? '';
  const none = (spec.clusterIPs ?? []).length === 0;
  if (now === before) {
    if (none && old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  } else if (now === '') {
    if (semanticEqual(spec.clusterIPs, old.clusterIPs)) delete spec.clusterIPs;
  } else if (none || semanticEqual(spec.clusterIPs, old.clusterIPs)) spec.clusterIPs = [now];
}

const samePreferDualStack = (spec: ServiceSpec, old: ServiceSpec | undefined): boolean =>
  old !== undefined &&
  spec.ipFamilyPolicy === 'PreferDualStack' &&
  old.ipFamilyPolicy === 'PreferDualStack' &&
  semanticEqual(spec.clusterIPs, old.clusterIPs) &&
  semanticEqual(spec.ipFamilies, old.ipFamilies);

const isHeadlessWithoutSelector = (spec: ServiceSpec): boolean =>
  spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;

const otherFamily = (family: string | undefined): 'IPv4' | 'IPv6' => (family === 'IPv4' ? 'IPv6' : 'IPv4');

function checkReduced(errors: FieldError[], spec: Spec, old: ServiceSpec): void {
  const at = SPEC.child('ipFamilyPolicy');
  const reduced = (field: 'clusterIPs' | 'ipFamilies'): boolean => {
    const [now, before] = [spec[field] ?? [], old[field] ?? []];
    return now.length < before.length && now.length > 0;
  };
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if ((spec.clusterIPs ?? []).length > 1 && semanticEqual(spec.clusterIPs, old.clusterIPs))
      spec.clusterIPs = (spec.clusterIPs ?? []).slice(0, 1);
    if ((spec.ipFamilies ?? []).length > 1 && semanticEqual(spec.ipFamilies, old.ipFamilies))
      spec.ipFamilies = (spec.ipFamilies ?? []).slice(0, 1);
    return;
  }
  if (reduced('clusterIPs'))
    errors.push(invalid(at, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"));
  if (reduced('ipFamilies'))
    errors.push(invalid(at, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"));
}

/** Fills in ipFamilyPolicy and ipFamilies. @throws StatusError for what this cluster does not have */
function initFamilies(service: Mutable, old: ServiceSpec | undefined, family: 'IPv4' | 'IPv6'): void {
  const { spec } = service;
  if (spec.type === 'ExternalName' || samePreferDualStack(spec, old)) return;
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (isHeadlessWithoutSelector(spec) ? 'RequireDualStack' : 'SingleStack');
  const wrong = errorsOf(() => {
    const found = errorList();
    checkClusterIps(found, spec);
    return found;
  });
  if (wrong.length > 0) refuse(service, wrong);
  const errors = errorList();
  if (old !== undefined) checkReduced(errors, spec, old);
  const policyAt = SPEC.child('ipFamilyPolicy');
  if (spec.ipFamilyPolicy === 'SingleStack') {
    const must = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
    if ((spec.clusterIPs ?? []).length === 2)
      errors.push(invalid(policyAt, spec.ipFamilyPolicy, `${must} cluster IPs are specified`));
    if ((spec.ipFamilies ?? []).length === 2)
      errors.push(invalid(policyAt, spec.ipFamilyPolicy, `${must} IP families are specified`));
  }
  const families = spec.ipFamilies ?? [];
  (spec.clusterIPs ?? []).forEach((ip, i) => {
    if (ip === 'None' || i < families.length) return;
    const found = isIpv6(ip) ? 'IPv6' : 'IPv4';
    if (found === family) families.push(found);
    else
      errors.push(
        invalid(SPEC.child('clusterIPs').index(i), spec.clusterIPs, `${found} is not configured on this cluster`),
      );
  });
  if (errors.length > 0) refuse(service, errors);
  if (isHeadlessWithoutSelector(spec)) {
    if (families.length === 0) families.push(family);
    if (families.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') families.push(otherFamily(families[0]));
    spec.ipFamilies = families;
    return;
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack')
    errors.push(invalid(policyAt, spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  families.forEach((item, i) => {
    if (item !== family)
      errors.push(invalid(SPEC.child('ipFamilies').index(i), item, 'not configured on this cluster'));
  });
  if (errors.length > 0) refuse(service, errors);
  spec.ipFamilies = families.length === 0 ? [family] : families;
}

function allocateIp(service: Mutable, { ips, isIpTaken }: ServiceAllocators, dryRun: boolean): void {
  const { spec } = service;
  if (spec.type === 'ExternalName' || spec.clusterIPs?.[0] === 'None') return;
  const asked = spec.clusterIPs?.[0];
  const named = asked ?? (isKubernetes(service) ? ips.first : undefined);
  let ip: string;
  try {
    if (asked === undefined && dryRun) ip = ips.network;
    else if (named === undefined) ip = ips.next(isIpTaken);
    else {
      if (!dryRun || !ips.contains(named)) ips.check(named, isIpTaken);
      ip = named;
    }
  } catch (error) {
    const text = textOf(error);
    if (asked === undefined) throw internalError(`failed to allocate a serviceIP: ${text}`);
    return refuse(service, [
      invalid(SPEC.child('clusterIPs'), spec.clusterIPs, `failed to allocate IP ${asked}: ${text}`),
    ]);
  }
  spec.clusterIP = ip;
  spec.clusterIPs = [ip];
}

/** The API server's own Service has the first address of the range. */
const isKubernetes = ({ metadata }: Service): boolean =>
  metadata.namespace === 'default' && metadata.name === 'kubernetes';

const refuseNodePort = (service: ReadonlyService, index: number, port: number, text: string): never =>
  refuse(service, [invalid(SPEC.child('ports').index(index).child('nodePort'), port, text)]);

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
  initFamilies(mutable, old, allocators.ips.family);
  const ports = startPortOperation(allocators.ports, allocators.isPortTaken, dryRun);
  if (old === undefined || (old.type === 'ExternalName' && spec.type !== 'ExternalName'))
    allocateIp(mutable, allocators, dryRun);
  const hasPorts = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (old === undefined) {
    if (hasPorts) allocateNodePorts(mutable, ports);
    if (needsHealthCheck(spec)) allocateHealthPort(spec, ports);
  } else {
    if (hasPorts) updateNodePorts(mutable, old, ports);
    updateHealthPort(spec, old, ports);
  }
}
