import type { UdpServicePort } from '../kernel/flow.js';
import type { Protocol } from '../packet.js';
import type { TrackedPort } from './service-map.js';

export interface HealthCheckNodePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Distinct local ready endpoint addresses of the Service. */
  readonly localEndpoints: number;
}

export interface NodePort {
  readonly protocol: Protocol;
  readonly port: number;
  readonly namespace: string;
  readonly name: string;
}

/** How many service ports cannot be served here, by kind of traffic. */
export interface NoLocalEndpoints {
  readonly external: number;
  readonly internal: number;
}

export function noLocalEndpoints(ports: readonly TrackedPort[]): NoLocalEndpoints {
  const count = { external: 0, internal: 0 };
  for (const { categories } of ports) {
    if (!categories.hasEndpoints) continue;
    if (!categories.hasExternal) count.external++;
    if (!categories.hasInternal) count.internal++;
  }
  return count;
}

export const nodePorts = (ports: readonly TrackedPort[]): readonly NodePort[] =>
  ports.flatMap(({ service: { protocol, nodePort, namespace, name } }) =>
    nodePort === 0 ? [] : [{ protocol, port: nodePort, namespace, name }],
  );

export function healthCheckNodePorts(ports: readonly TrackedPort[]): readonly HealthCheckNodePort[] {
  const services = new Map<string, { port: number; namespace: string; name: string; ips: Set<string> }>();
  for (const { service, endpoints } of ports) {
    if (service.healthCheckNodePort === 0) continue;
    const { namespace, name, healthCheckNodePort: port } = service;
    const key = `${namespace}/${name}`;
    const known = services.get(key) ?? { port, namespace, name, ips: new Set<string>() };
    services.set(key, known);
    for (const endpoint of endpoints) if (endpoint.isLocal && endpoint.ready) known.ips.add(endpoint.ip);
  }
  return [...services.values()].map(({ ips, namespace, name, port }) => ({
    namespace,
    name,
    port,
    localEndpoints: ips.size,
  }));
}

/** Those with a serving endpoint: flows to any other must not stay. */
export const udpServicePorts = (ports: readonly TrackedPort[]): readonly UdpServicePort[] =>
  ports.flatMap(({ service, endpoints }) => {
    if (service.protocol !== 'udp') return [];
    const serving = endpoints.filter(endpoint => endpoint.serving).map(endpoint => endpoint.address);
    if (serving.length === 0) return [];
    const addresses = [service.clusterIP, ...service.externalIPs, ...service.loadBalancerVIPs];
    return [
      {
        destinations: addresses.map(address => ({ address, port: service.port })),
        nodePort: service.nodePort,
        servingEndpoints: new Set(serving),
      },
    ];
  });
