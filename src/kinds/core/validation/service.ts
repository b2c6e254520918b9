import { duplicate, forbidden, invalid, notSupported, path, required } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { parseIP } from '../../../machinery/ip.js';
import { checkProtocol } from '../pod/validation/container-ports.js';
import {
  checkCidr,
  checkDnsLabel,
  checkDnsSubdomain,
  checkIp,
  checkLabels,
  checkPortNumber,
  checkPortNumberOrName,
  checkQualifiedName,
} from '../../validation/formats.js';
import { goForm } from '../../validation/go-form.js';
import {
  isExternallyAccessible,
  isHeadless,
  needsHealthCheck,
  specOf,
  type ReadonlyService,
  type ServiceSpec,
} from './service-spec.js';
import { checkClusterIps } from './service-cluster-ips.js';
import { checkNonSpecialIp } from './special-ips.js';

const SPEC = path('spec');
const METADATA = path('metadata');
const MAX_AFFINITY_SECONDS = 86400;

function oneOf(out: FieldError[], at: FieldPath, value: string | undefined, allowed: readonly string[]): void {
  if (!value) out.push(required(at));
  else if (!allowed.includes(value)) out.push(notSupported(at, value, allowed));
}

type Port = NonNullable<ServiceSpec['ports']>[number];

function checkPort(out: FieldError[], at: FieldPath, port: Port, needsName: boolean, names: Set<string>): void {
  if (!port.name) {
    if (needsName) out.push(required(at.child('name')));
  } else {
    checkDnsLabel(out, at.child('name'), port.name);
    if (names.has(port.name)) out.push(duplicate(at.child('name'), port.name));
    names.add(port.name);
  }
  checkPortNumber(out, at.child('port'), port.port ?? 0);
  checkProtocol(out, at.child('protocol'), port.protocol);
  checkPortNumberOrName(out, at.child('targetPort'), port.targetPort);
  if (port.appProtocol !== undefined) checkQualifiedName(out, at.child('appProtocol'), port.appProtocol);
}

function checkPorts(out: FieldError[], ports: readonly Port[]): void {
  const names = new Set<string>();
  ports.forEach((port, i) => checkPort(out, SPEC.child('ports').index(i), port, ports.length > 1, names));
}

/** Pairs that may occur once: (protocol, nodePort) and (protocol, port). */
function checkDuplicatePorts(out: FieldError[], ports: readonly Port[]): void {
  const nodePorts = new Set<string>();
  const numbers = new Set<string>();
  ports.forEach((port, i) => {
    if (!port.nodePort) return;
    const key = `${port.protocol}/${port.nodePort}`;
    if (nodePorts.has(key)) out.push(duplicate(SPEC.child('ports').index(i).child('nodePort'), port.nodePort));
    nodePorts.add(key);
  });
  ports.forEach((port, i) => {
    const key = `${port.protocol}/${port.port}`;
    const shown = { protocol: port.protocol, port: port.port };
    if (numbers.has(key)) out.push(duplicate(SPEC.child('ports').index(i), goForm('ServicePort', shown)));
    numbers.add(key);
  });
}

function checkAffinity(out: FieldError[], spec: ServiceSpec): void {
  oneOf(out, SPEC.child('sessionAffinity'), spec.sessionAffinity, ['ClientIP', 'None']);
  const at = SPEC.child('sessionAffinityConfig');
  const config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'None' && config !== undefined)
    out.push(forbidden(at, 'must not be set when session affinity is None'));
  if (spec.sessionAffinity !== 'ClientIP') return;
  const why = 'when session affinity type is ClientIP';
  if (config === undefined) return void out.push(required(at, why));
  if (config.clientIP === undefined) return void out.push(required(at.child('clientIP'), why));
  const seconds = config.clientIP.timeoutSeconds;
  const field = at.child('clientIP', 'timeoutSeconds');
  if (seconds === undefined) out.push(required(field, why));
  else if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS)
    out.push(invalid(field, seconds, `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`));
}

const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const LB_ONLY = "may only be used when `type` is 'LoadBalancer'";

function checkLoadBalancer(out: FieldError[], service: ReadonlyService, spec: ServiceSpec): void {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = service.metadata.annotations?.[SOURCE_RANGES];
  if (ranges.length > 0) {
    // Upstream spells this path with a capital letter.
    const at = SPEC.child('LoadBalancerSourceRanges');
    if (!isLoadBalancer) out.push(forbidden(at, LB_ONLY));
    ranges.forEach((range, i) => checkCidr(out, at.index(i), range.trim()));
  } else if (annotation !== undefined) {
    const at = METADATA.child('annotations').key(SOURCE_RANGES);
    if (!isLoadBalancer) out.push(forbidden(at, LB_ONLY));
    if (annotation.trim() !== '') for (const range of annotation.split(',')) checkCidr(out, at, range.trim());
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer)
    out.push(forbidden(SPEC.child('allocateLoadBalancerNodePorts'), LB_ONLY));
  if (spec.allocateLoadBalancerNodePorts === undefined && isLoadBalancer)
    out.push(required('allocateLoadBalancerNodePorts'));
  checkLoadBalancerClass(out, spec);
}

export function checkLoadBalancerClass(out: FieldError[], { type, loadBalancerClass }: ServiceSpec): void {
  if (loadBalancerClass === undefined) return;
  if (type === 'LoadBalancer') checkQualifiedName(out, SPEC.child('loadBalancerClass'), loadBalancerClass);
  else out.push(forbidden(SPEC.child('loadBalancerClass'), LB_ONLY));
}

const TRAFFIC_POLICIES = ['Cluster', 'Local'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

function checkTraffic(out: FieldError[], spec: ServiceSpec): void {
  const external = SPEC.child('externalTrafficPolicy');
  if (isExternallyAccessible(spec)) oneOf(out, external, spec.externalTrafficPolicy, TRAFFIC_POLICIES);
  else if (spec.externalTrafficPolicy)
    out.push(invalid(external, spec.externalTrafficPolicy, 'may only be set for externally-accessible services'));
  const port = spec.healthCheckNodePort ?? 0;
  const health = SPEC.child('healthCheckNodePort');
  if (needsHealthCheck(spec)) {
    if (port === 0) out.push(required(health));
    else checkPortNumber(out, health, port);
  } else if (port !== 0) {
    const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    out.push(invalid(health, port, text));
  }
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined) {
    if (['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type ?? ''))
      out.push(required(SPEC.child('internalTrafficPolicy')));
  } else if (!TRAFFIC_POLICIES.includes(internal))
    out.push(notSupported(SPEC.child('internalTrafficPolicy'), internal, TRAFFIC_POLICIES));
  const distribution = spec.trafficDistribution;
  if (distribution !== undefined && !DISTRIBUTIONS.includes(distribution))
    out.push(notSupported(SPEC.child('trafficDistribution'), distribution, DISTRIBUTIONS));
}

function checkType(out: FieldError[], spec: ServiceSpec): void {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    if (isHeadless(spec))
      out.push(
        invalid(SPEC.child('clusterIPs').index(0), 'None', `may not be set to 'None' for ${spec.type} services`),
      );
    return;
  }
  if (spec.type !== 'ExternalName') return;
  const why = 'may not be set for ExternalName services';
  if ((spec.clusterIPs ?? []).length > 0) out.push(forbidden(SPEC.child('clusterIPs'), why));
  if ((spec.ipFamilies ?? []).length > 0) out.push(forbidden(SPEC.child('ipFamilies'), why));
  if (spec.ipFamilyPolicy !== undefined) out.push(forbidden(SPEC.child('ipFamilyPolicy'), why));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') out.push(required(SPEC.child('externalName')));
  else checkDnsSubdomain(out, SPEC.child('externalName'), name);
}

const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';

/** A Service as it stands, after allocation. */
export function checkService(out: FieldError[], service: ReadonlyService): void {
  const spec = specOf(service);
  const annotations = service.metadata.annotations ?? {};
  const [mode, hints] = [annotations[TOPOLOGY_MODE], annotations[TOPOLOGY_HINTS]];
  if (mode !== undefined && hints !== undefined && mode !== hints) {
    const text = `must match annotations[${TOPOLOGY_HINTS}] when both are specified`;
    out.push(invalid(METADATA.child('annotations').key(TOPOLOGY_MODE), mode, text));
  }
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') out.push(required(SPEC.child('ports')));
  checkType(out, spec);
  checkPorts(out, ports);
  checkLabels(out, SPEC.child('selector'), spec.selector);
  checkAffinity(out, spec);
  checkClusterIps(out, spec);
  (spec.externalIPs ?? []).forEach((ip, i) => {
    const at = SPEC.child('externalIPs').index(i);
    if (parseIP(ip) === undefined) checkIp(out, at, ip);
    else checkNonSpecialIp(out, at, ip);
  });
  oneOf(out, SPEC.child('type'), spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  if (spec.type === 'ClusterIP')
    ports.forEach((port, i) => {
      if (port.nodePort)
        out.push(
          forbidden(SPEC.child('ports').index(i).child('nodePort'), "may not be used when `type` is 'ClusterIP'"),
        );
    });
  checkDuplicatePorts(out, ports);
  checkLoadBalancer(out, service, spec);
  checkTraffic(out, spec);
}
