import { parseCidr } from '../../../machinery/cidr.js';
import type { RealServer, SchedulerName, VirtualServer, VirtualService } from '../../kernel/ipvs/types.js';
import type { EndpointInfo } from '../../services/endpoints.js';
import type { TrackedPort } from '../../services/service-map.js';
import type { Origin } from '../../trace.js';
import { NODE_PORT_SETS, type SetName } from './sets.js';

/** What one service port puts into the kernel. */
export interface ServiceFragment {
  readonly virtualServers: readonly VirtualServer[];
  readonly entries: readonly (readonly [set: SetName, entry: string])[];
  /** Load balancer IPs whose source ranges leave out the node itself. */
  readonly closedToNode: readonly VirtualService[];
}

export interface CompileOptions {
  readonly scheduler: SchedulerName;
  readonly nodeIP: string | undefined;
  /** Where other interfaces listen: such an external address is not put onto the dummy interface. */
  readonly nodeAddresses: readonly string[];
  /** Where node ports listen. */
  readonly nodePortIPs: readonly string[];
}

const WEIGHT = 1;

/** kube-proxy's syncEndpoint: without an endpoint here, a "Local" policy takes those of other nodes. */
function realServers({ categories: { cluster, local } }: TrackedPort, onlyLocal: boolean): readonly RealServer[] {
  const used: readonly EndpointInfo[] = onlyLocal && local.length > 0 ? local : cluster;
  return used.map(({ ip, port }) => ({ address: ip, port, weight: WEIGHT }));
}

export function compileServicePort(port: TrackedPort, options: CompileOptions): ServiceFragment {
  const { service, endpoints } = port;
  const { protocol, externalPolicyLocal } = service;
  const { nodePortIPs } = options;
  const virtualServers: VirtualServer[] = [];
  const entries: (readonly [SetName, string])[] = [];
  const closedToNode: VirtualService[] = [];
  const add = (set: SetName, entry: string | number): void => void entries.push([set, String(entry)]);
  const internal = realServers(port, service.internalPolicyLocal);
  const external = realServers(port, externalPolicyLocal);
  const serve = (address: string, at: number, servers: readonly RealServer[]): void =>
    void virtualServers.push(virtualServer(port, { protocol, address, port: at }, servers, options.scheduler));
  const bind = (address: string): void => {
    if (!options.nodeAddresses.includes(address)) add('KUBE-IPVS-IPS', address);
  };

  for (const endpoint of endpoints)
    if (endpoint.isLocal) add('KUBE-LOOP-BACK', `${endpoint.ip},${protocol}:${endpoint.port},${endpoint.ip}`);

  add('KUBE-CLUSTER-IP', `${service.clusterIP},${protocol}:${service.port}`);
  add('KUBE-IPVS-IPS', service.clusterIP);
  serve(service.clusterIP, service.port, internal);

  for (const address of service.externalIPs) {
    const set = externalPolicyLocal ? 'KUBE-EXTERNAL-IP-LOCAL' : 'KUBE-EXTERNAL-IP';
    add(set, `${address},${protocol}:${service.port}`);
    bind(address);
    serve(address, service.port, external);
  }

  for (const address of service.loadBalancerVIPs) {
    const entry = `${address},${protocol}:${service.port}`;
    add('KUBE-LOAD-BALANCER', entry);
    if (externalPolicyLocal) add('KUBE-LOAD-BALANCER-LOCAL', entry);
    if (service.sourceRanges.length > 0) {
      add('KUBE-LOAD-BALANCER-FW', entry);
      const ranges = service.sourceRanges.flatMap(text => parseCidr(text) ?? []);
      for (const { text } of ranges) add('KUBE-LOAD-BALANCER-SOURCE-CIDR', `${entry},${text}`);
      // The node's own packets to the address have it as their source, too.
      if (ranges.some(range => options.nodeIP !== undefined && range.contains(options.nodeIP)))
        add('KUBE-LOAD-BALANCER-SOURCE-IP', `${entry},${address}`);
      else closedToNode.push({ protocol, address, port: service.port });
    }
    bind(address);
    serve(address, service.port, external);
  }

  // Without an address for its node port kube-proxy goes on to the next Service, and forgets the health check.
  if (service.nodePort !== 0 && nodePortIPs.length === 0) return { virtualServers, entries, closedToNode };
  if (service.nodePort !== 0) {
    const sets = NODE_PORT_SETS[protocol];
    const ports = protocol === 'sctp' ? nodePortIPs.map(ip => `${ip},sctp:${service.nodePort}`) : [service.nodePort];
    for (const one of ports) {
      add(sets.any, one);
      if (externalPolicyLocal) add(sets.local, one);
    }
    for (const address of nodePortIPs) serve(address, service.nodePort, external);
  }
  if (service.healthCheckNodePort !== 0) add('KUBE-HEALTH-CHECK-NODE-PORT', service.healthCheckNodePort);
  return { virtualServers, entries, closedToNode };
}

function virtualServer(
  { service: { namespace, name, portName, port, affinitySeconds } }: TrackedPort,
  where: VirtualService,
  servers: readonly RealServer[],
  scheduler: SchedulerName,
): VirtualServer {
  const origin: Origin = { kind: 'Service', namespace, name, port: portName === '' ? String(port) : portName };
  return {
    ...where,
    scheduler,
    ...(affinitySeconds === undefined ? {} : { persistentSeconds: affinitySeconds }),
    ...(scheduler === 'mh' ? { hashesPort: true } : {}),
    realServers: servers,
    origin,
  };
}
