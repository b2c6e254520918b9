import { serviceProxy } from './proxy.js';
import { createIpAllocator } from './ip-allocator.js';
import { createPortAllocator } from './port-allocator.js';
import { humanAge } from '../../machinery/duration.js';
import { errorList, path } from '../../machinery/field-error.js';
import { cloneJson, semanticEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { Service } from '../../machinery/types.js';
import { derivedContext } from '../../api/derived-context.js';
import type { Strategy } from '../../api/strategy.js';
import { cidrWarnings, ingressWarnings, ipWarnings, sortedEntries } from '../validation/formats.js';
import { checkService } from './validation/service.js';
import { checkServiceStatus } from './validation/service-status.js';
import { checkServiceUpdate } from './validation/service-update.js';
import {
  isExternallyAccessible,
  isHeadless,
  specOf,
  type ReadonlyService,
  type ServiceSpec,
} from './validation/service-spec.js';
import type { KindDeps } from '../deps.js';
import { allocateForService } from './service-allocation.js';
import { serviceRanges } from './service-ranges.js';
import { ADDRESSES, NODE_PORTS, serviceReservations } from './service-reservations.js';

type Spec = NonNullable<Service['spec']>;

/** 3 hours. */
const AFFINITY_SECONDS = 10800;

function defaultService(service: Service): void {
  const spec = (service.spec ??= {});
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: AFFINITY_SECONDS } };
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    const target: unknown = port.targetPort;
    if (target === undefined || target === 0 || target === '') port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type !== 'LoadBalancer') return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}

const hasClusterIp = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName';
const hasNodePorts = (spec: ServiceSpec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer';
const isLoadBalancer = (spec: ServiceSpec): boolean => spec.type === 'LoadBalancer';

/** Fields that a change of type makes meaningless go, unless the client has changed them too and so means them. */
function dropTypeDependent(spec: Spec, old: ServiceSpec): void {
  const lost = (has: (spec: ServiceSpec) => boolean): boolean => has(old) && !has(spec);
  const drop = (...fields: (keyof Spec)[]): void => {
    for (const field of fields) if (semanticEqual(spec[field], old[field])) delete spec[field];
  };
  if (lost(hasClusterIp)) {
    if (semanticEqual(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    drop('ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy');
  }
  if (lost(hasNodePorts)) {
    const numbers = (s: ServiceSpec): number[] => [...new Set((s.ports ?? []).map(p => p.nodePort ?? 0))].sort();
    if (semanticEqual(numbers(spec), numbers(old))) for (const port of spec.ports ?? []) delete port.nodePort;
  }
  const needsHealth = (s: ServiceSpec): boolean => isLoadBalancer(s) && s.externalTrafficPolicy === 'Local';
  if (lost(needsHealth)) drop('healthCheckNodePort');
  if (lost(isLoadBalancer)) drop('allocateLoadBalancerNodePorts', 'loadBalancerClass');
  if (lost(isExternallyAccessible)) drop('externalTrafficPolicy');
}

/** An ExternalName has no traffic of its own to direct. */
function dropMeaningless(spec: Spec | undefined): void {
  if (spec?.type === 'ExternalName') delete spec.internalTrafficPolicy;
}

function warningsOf(service: ReadonlyService): string[] {
  const spec = specOf(service);
  const at = path('spec');
  const out: string[] = [];
  const annotations = service.metadata.annotations ?? {};
  const add = (texts: readonly string[]): void => texts.forEach(text => out.push(text));
  if (annotations['service.kubernetes.io/topology-aware-hints'] !== undefined)
    out.push(
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    );
  if (isHeadless(spec)) {
    if (spec.loadBalancerIP) out.push('spec.loadBalancerIP is ignored for headless services');
    if ((spec.externalIPs ?? []).length > 0) out.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None') out.push('spec.SessionAffinity is ignored for headless services');
  } else if (spec.type !== 'ExternalName')
    (spec.clusterIPs ?? []).forEach((ip, i) => add(ipWarnings(at.child('clusterIPs').index(i), ip)));
  (spec.externalIPs ?? []).forEach((ip, i) => add(ipWarnings(at.child('externalIPs').index(i), ip)));
  if (spec.loadBalancerIP) add(ipWarnings(at.child('loadBalancerIP'), spec.loadBalancerIP));
  (spec.loadBalancerSourceRanges ?? []).forEach((range, i) =>
    add(cidrWarnings(at.child('loadBalancerSourceRanges').index(i), range)),
  );
  if (spec.type !== 'ExternalName' && spec.externalName)
    out.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose')
    out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return out;
}

const NONE = '<none>';

function externalIpCell(service: ReadonlyService): string {
  const spec = specOf(service);
  const external = (spec.externalIPs ?? []).join(',');
  switch (spec.type) {
    case 'ExternalName':
      return spec.externalName ?? '';
    case 'LoadBalancer': {
      const ingress = (service.status?.loadBalancer?.ingress ?? []).flatMap(item => item.ip || item.hostname || []);
      const all = [[...new Set(ingress)].sort().join(','), external].filter(text => text !== '').join(',');
      return all === '' ? '<pending>' : all;
    }
    default:
      return external === '' ? NONE : external;
  }
}

function portsCell(spec: ServiceSpec): string {
  const ports = (spec.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.length === 0 ? NONE : ports.join(',');
}

/** "a=b,c=d", or "<none>". */
export function selectorCell(selector: Readonly<Record<string, string>> | undefined): string {
  const pairs = sortedEntries(selector).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? NONE : pairs.join(',');
}

export function createServiceStrategy(deps: KindDeps): Strategy<Service> {
  const own = deps.serviceCidrs.map(cidr => createIpAllocator(cidr, deps.random));
  const ports = createPortAllocator(deps.nodePortRange, deps.random);

  return {
    default: defaultService,
    async reserve(ctx, service, old) {
      const { objects, options } = ctx;
      const ips = new Map(own.map(range => [range.family, serviceRanges(range, objects, deps.random)]));
      const isIpTaken = (ip: string): boolean => objects.get(ADDRESSES, { namespace: '', name: ip }) !== undefined;
      const isPortTaken = (port: number): boolean =>
        objects.get(NODE_PORTS, { namespace: '', name: String(port) }) !== undefined;
      allocateForService({ ips, ports, isIpTaken, isPortTaken }, service, old, options.dryRun);
    },
    reservations: serviceReservations,
    prepareForCreate(_ctx, service) {
      service.status = { loadBalancer: {} };
    },
    prepareForUpdate(_ctx, service, old) {
      const spec = (service.spec ??= {});
      service.status = cloneJson(old.status) as NonNullable<Service['status']>;
      dropTypeDependent(spec, specOf(old));
      if (spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} };
    },
    canonicalize(service) {
      dropMeaningless(service.spec);
    },
    validate(_ctx, service) {
      const out = errorList();
      checkService(out, service);
      return out;
    },
    validateUpdate(_ctx, service, old) {
      const out = errorList();
      checkServiceUpdate(out, service, old);
      return out;
    },
    warnings: (_ctx, service) => warningsOf(service),
    async afterDelete(ctx, service) {
      const key = { namespace: service.metadata.namespace ?? '', name: service.metadata.name ?? '' };
      if (ctx.objects.get('endpoints', key) === undefined) return;
      try {
        await ctx.objects.delete(derivedContext(ctx, { unadmitted: true }), 'endpoints', key, { dryRun: false });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
    cells(service, nowMs) {
      const spec = specOf(service);
      const { name, creationTimestamp } = service.metadata;
      const ip = spec.clusterIPs?.[0] ?? spec.clusterIP ?? '';
      return {
        cells: [
          name,
          spec.type,
          ip === '' ? NONE : ip,
          externalIpCell(service),
          portsCell(spec),
          humanAge(creationTimestamp, nowMs),
          selectorCell(spec.selector),
        ],
      };
    },
    subresources: {
      proxy: serviceProxy(deps.random),
      status: {
        kind: 'part',
        warnings: ({ status }: ReadonlyService) => ingressWarnings(status?.loadBalancer?.ingress),
        validateUpdate(_ctx, service) {
          const out = errorList();
          checkServiceStatus(out, service);
          return out;
        },
      },
    },
  };
}
