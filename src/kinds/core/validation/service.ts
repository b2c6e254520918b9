import { parseCidr } from '../../../machinery/cidr.js';
import { duplicate, forbidden, invalid, notSupported, path, required } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { parseIP } from '../../../machinery/ip.js';
import type { DeepReadonly, Service } from '../../../machinery/types.js';
import { checkProtocol } from '../pod/validation/containers.js';
import {
  checkCidr,
  checkDnsLabel,
  checkDnsSubdomain,
  checkIp,
  checkLabels,
  checkPortNumber,
  checkPortNumberOrName,
  checkQualifiedName,
  isIpv6,
} from '../../validation/formats.js';
import { goForm } from '../../validation/go-form.js';
import { createRepeatCheck } from '../../../machinery/repeats.js';

export type ReadonlyService = DeepReadonly<Service>;
export type ServiceSpec = NonNullable<ReadonlyService['spec']>;

const SPEC = path('spec');
const METADATA = path('metadata');
const MAX_AFFINITY_SECONDS = 86400;
const NO_SPEC: ServiceSpec = {};

export const specOf = (service: ReadonlyService | undefined): ServiceSpec => service?.spec ?? NO_SPEC;
export const isHeadless = (spec: ServiceSpec): boolean =>
  (spec.clusterIPs ?? []).length === 1 && spec.clusterIPs?.[0] === 'None';
/** Reachable from outside the cluster: by node port, load balancer or external address. */
export const isExternallyAccessible = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' ||
  spec.type === 'NodePort' ||
  (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
export const needsHealthCheck = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

function oneOf(out: FieldError[], at: FieldPath, value: string | undefined, allowed: readonly string[]): void {
  if (!value) out.push(required(at));
  else if (!allowed.includes(value)) out.push(notSupported(at, value, allowed));
}

const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

/** clusterIP(s), ipFamilies and ipFamilyPolicy among themselves; runs before allocation and as part of validation. */
export function checkClusterIps(out: FieldError[], spec: ServiceSpec): void {
  if (spec.type === 'ExternalName') return;
  const at = SPEC.child('clusterIPs');
  const ips = spec.clusterIPs ?? [];
  if (spec.clusterIP) {
    if (ips.length === 0) out.push(required(at));
    else if (ips[0] !== spec.clusterIP) out.push(invalid(at, ips, 'first value must match `clusterIP`'));
  } else if (ips.length > 0) out.push(invalid(at, ips, 'must be empty when `clusterIP` is not specified'));
  const families = spec.ipFamilies ?? [];
  const again = createRepeatCheck<string>();
  families.forEach((family, i) => {
    const item = SPEC.child('ipFamilies').index(i);
    if (!FAMILIES.includes(family)) out.push(notSupported(item, family, FAMILIES));
    if (again(family)) out.push(duplicate(item, family));
  });
  const policy = spec.ipFamilyPolicy;
  if (policy !== undefined && !FAMILY_POLICIES.includes(policy))
    out.push(notSupported(SPEC.child('ipFamilyPolicy'), policy, FAMILY_POLICIES));
  let malformed = false;
  ips.forEach((ip, i) => {
    if (i === 0 && ip === 'None') {
      if (ips.length === 1) return;
      malformed = true;
      out.push(invalid(at, ips, "'None' must be the first and only value"));
      return;
    }
    if (parseIP(ip) === undefined) malformed = true;
    checkIp(out, at.index(i), ip);
  });
  if (ips.length > 2) out.push(invalid(at, ips, 'may only hold up to 2 values'));
  if (malformed) return;
  if (ips.length > 1 && new Set(ips.map(isIpv6)).size < 2)
    out.push(invalid(at, ips, 'may specify no more than one IP for each IP family'));
  if (isHeadless(spec)) return;
  ips.forEach((ip, i) => {
    const family = families[i];
    if (family === undefined) return;
    if (family === 'IPv4' && isIpv6(ip))
      out.push(invalid(at.index(i), ip, `expected an IPv4 value as indicated by \`ipFamilies[${i}]\``));
    if (family === 'IPv6' && !isIpv6(ip))
      out.push(invalid(at.index(i), ip, `expected an IPv6 value as indicated by \`ipFamilies[${i}]\``));
  });
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

const LOOPBACK = [parseCidr('127.0.0.0/8'), parseCidr('::1')];
const LINK_LOCAL = [parseCidr('169.254.0.0/16'), parseCidr('fe80::/10')];
const LINK_LOCAL_GROUPS = parseCidr('224.0.0.0/24');

/** Addresses that cannot be an endpoint or an external IP of anything. */
export function checkNonSpecialIp(out: FieldError[], at: FieldPath, text: string): void {
  const ip = parseIP(text);
  if (ip === undefined) return void out.push(invalid(at, text, 'must be a valid IP address'));
  if (ip.value === 0n) out.push(invalid(at, text, `may not be unspecified (${text})`));
  if (LOOPBACK.some(range => range?.contains(text)))
    out.push(invalid(at, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  if (LINK_LOCAL.some(range => range?.contains(text)))
    out.push(invalid(at, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  // The four flags of an IPv6 group address do not matter, only its scope.
  const multicast =
    ip.family === 'IPv4' ? LINK_LOCAL_GROUPS?.contains(text) === true : ((ip.value >> 112n) & 0xff0fn) === 0xff02n;
  if (multicast) out.push(invalid(at, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
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

function checkLoadBalancerClass(out: FieldError[], { type, loadBalancerClass }: ServiceSpec): void {
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

/** Cluster IPs and families stay once set, but for a second one that comes or goes with its policy. */
function checkStable(out: FieldError[], field: 'clusterIPs' | 'ipFamilies', spec: ServiceSpec, old: ServiceSpec): void {
  const [now, before] = [spec[field] ?? [], old[field] ?? []];
  const at = SPEC.child(field).index(0);
  const what = field === 'clusterIPs' ? 'clusterIP' : 'ipFamily';
  // Upstream shows the cluster IPs for both when lengths differ.
  const shown = field === 'clusterIPs' || now.length === before.length ? now : (spec.clusterIPs ?? []);
  if (now.length === before.length) {
    before.forEach((value, i) => {
      if (value === now[i]) return;
      const item = field === 'clusterIPs' ? SPEC.child(field).index(i) : at;
      out.push(invalid(item, now, 'may not change once set'));
    });
    return;
  }
  if (now.length < before.length && (spec.clusterIPs ?? []).length === 0)
    out.push(invalid(at, now, `primary ${what} can not be unset`));
  if (before.length > 0 && now.length > 0 && now[0] !== before[0])
    out.push(invalid(at, shown, 'may not change once set'));
  if (now.length < before.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const text = `must be set to 'SingleStack' when releasing the secondary ${what}`;
    out.push(invalid(SPEC.child('ipFamilyPolicy'), spec.ipFamilyPolicy ?? null, text));
  }
}

export function checkServiceUpdate(out: FieldError[], service: ReadonlyService, old: ReadonlyService): void {
  const [spec, before] = [specOf(service), specOf(old)];
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const [headless, wasHeadless] = [isHeadless(spec), isHeadless(before)];
    if (!(headless && wasHeadless)) checkStable(out, 'clusterIPs', spec, before);
    if (!headless && !wasHeadless) checkStable(out, 'ipFamilies', spec, before);
  }
  if (
    spec.type === 'LoadBalancer' &&
    before.type === 'LoadBalancer' &&
    spec.loadBalancerClass !== before.loadBalancerClass
  )
    out.push(invalid(SPEC.child('loadBalancerClass'), spec.loadBalancerClass ?? null, 'may not change once set'));
  // Upstream checks the class with the change, and with the rest once more.
  checkLoadBalancerClass(out, spec);
  if (needsHealthCheck(spec) && needsHealthCheck(before) && spec.healthCheckNodePort !== before.healthCheckNodePort)
    out.push(forbidden(SPEC.child('healthCheckNodePort'), 'field is immutable'));
  checkService(out, service);
}

const IP_MODES = ['Proxy', 'VIP'];
type Ingress = NonNullable<NonNullable<NonNullable<ReadonlyService['status']>['loadBalancer']>['ingress']>[number];

function checkIngress(out: FieldError[], at: FieldPath, ingress: Ingress): void {
  if (ingress.ip) checkIp(out, at.child('ip'), ingress.ip);
  const mode = ingress.ipMode;
  if (mode === undefined) {
    if (ingress.ip) out.push(required(at.child('ipMode'), 'must be specified when `ip` is set'));
  } else if (!ingress.ip) out.push(forbidden(at.child('ipMode'), 'may not be specified when `ip` is not set'));
  else if (!IP_MODES.includes(mode)) out.push(notSupported(at.child('ipMode'), mode, IP_MODES));
  if (!ingress.hostname) return;
  checkDnsSubdomain(out, at.child('hostname'), ingress.hostname);
  if (parseIP(ingress.hostname) !== undefined)
    out.push(invalid(at.child('hostname'), ingress.hostname, 'must be a DNS name, not an IP address'));
}

export function checkServiceStatus(out: FieldError[], service: ReadonlyService): void {
  const at = path('status', 'loadBalancer', 'ingress');
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0 && specOf(service).type !== 'LoadBalancer')
    return void out.push(forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'"));
  ingress.forEach((item, i) => checkIngress(out, at.index(i), item));
}
