import { parseCidr } from '../../../machinery/cidr.js';
import type { NftExpression, NftRule, NftSet, NftVerdict } from '../../kernel/nftables/rule.js';
import type { NftCommand } from '../../kernel/program.js';
import type { Family } from '../../packet.js';
import type { EndpointInfo } from '../../services/endpoints.js';
import { externallyAccessible, type ServicePort } from '../../services/service-ports.js';
import type { EndpointCategories } from '../../services/topology.js';
import type { Origin } from '../../trace.js';
import type { LocalTraffic } from '../detect-local.js';
import { rulesByChain } from './base-rules.js';
import { serviceElements, type SetElement } from './elements.js';
import { drop, fibLocal, fromLocalPods, goTo, inSet, isNoneOf, isOneOf, rule, verdict } from './expressions.js';
import { keptOrMade } from '../kept-endpoints.js';
import * as names from './names.js';

export interface ServiceCompileOptions {
  readonly family: Family;
  readonly detectLocal: LocalTraffic | undefined;
  readonly masqueradeAll: boolean;
  /** Undefined: the node has none in this family. */
  readonly nodeIP: string | undefined;
}

/** Rules have these by the hundred thousand. */
const MASQUERADE = verdict('jump', names.MARK_FOR_MASQUERADE);
const OF_PROTOCOL = {
  tcp: { kind: 'l4proto', protocol: 'tcp' },
  udp: { kind: 'l4proto', protocol: 'udp' },
  sctp: { kind: 'l4proto', protocol: 'sctp' },
} as const;

/** What one service port contributes. */
export interface ServiceFragment {
  /** This service port's own chains, what adds them, and what adds the rules in them. */
  readonly chains: readonly string[];
  readonly addChains: readonly NftCommand[];
  /** What empties them, those that there are already. */
  readonly flushes: readonly NftCommand[];
  readonly addRules: readonly NftCommand[];
  /** One of each endpoint that clients stay with. */
  readonly affinitySets: readonly NftSet[];
  /** In the sets and maps that all Services share. */
  readonly elements: readonly SetElement[];
  /** What was made of each endpoint, by address, and all that it depends on but the endpoint. */
  readonly endpoints: readonly Endpoint[];
  readonly endpointsOf: string;
}

interface Endpoint {
  readonly info: EndpointInfo;
  readonly chain: string;
  readonly affinitySet: string;
  readonly origin: Origin;
  readonly toChain: NftVerdict;
  readonly own: OwnChain;
  readonly rules: NftCommand;
}

/** What makes a chain, and what empties it. */
interface OwnChain {
  readonly add: NftCommand;
  readonly flush: NftCommand;
}
const ownChain = (name: string): OwnChain => ({
  add: { kind: 'addChain', chain: { name } },
  flush: { kind: 'flushChain', chain: name },
});

interface ServiceContext {
  readonly service: ServicePort;
  readonly eps: EndpointCategories;
  readonly options: ServiceCompileOptions;
  readonly chains: names.ServiceChains;
  readonly origin: Origin;
}

/** The rules of one service port, docs/kube-proxy.md section 3. Pure. Endpoints that it had `before` are not made again. */
export function compileServicePort(
  service: ServicePort,
  eps: EndpointCategories,
  options: ServiceCompileOptions,
  before?: ServiceFragment,
): ServiceFragment {
  const chains = names.serviceChains(service);
  const port = service.portName === '' ? String(service.port) : service.portName;
  const origin: Origin = { kind: 'Service', namespace: service.namespace, name: service.name, port };
  const context: ServiceContext = { service, eps, options, chains, origin };
  const endpointsOf = JSON.stringify([service.fullName, service.protocol, port, service.affinitySeconds]);
  const known = before?.endpointsOf === endpointsOf ? before.endpoints : [];
  const endpoints = keptOrMade(eps.reachable, known, info => endpointOf(context, info));
  const of = (list: readonly EndpointInfo[]): readonly Endpoint[] => {
    if (list.length === endpoints.length) return endpoints;
    const wanted = new Set(list);
    return endpoints.filter(({ info }) => wanted.has(info));
  };

  const usesCluster = eps.cluster.length > 0;
  const usesLocal = eps.local.length > 0;
  const usesExternal = eps.hasEndpoints && externallyAccessible(service);
  const usesFirewall = service.loadBalancerVIPs.length > 0 && service.sourceRanges.length > 0;
  const others = [
    ...(usesCluster ? [chains.cluster] : []),
    ...(usesLocal ? [chains.local] : []),
    ...(usesExternal ? [chains.external] : []),
    ...(usesFirewall ? [chains.firewall] : []),
  ];
  const own = [...endpoints.map(endpoint => endpoint.own), ...others.map(ownChain)];
  return {
    chains: [...endpoints.map(({ chain }) => chain), ...others],
    addChains: own.map(({ add }) => add),
    flushes: own.map(({ flush }) => flush),
    addRules: [
      ...rulesByChain([
        ...clusterIPRules(context),
        ...(usesExternal ? externalRules(context) : []),
        ...(usesFirewall ? [firewallRule(context)] : []),
        ...(usesCluster ? balancingRules(context, chains.cluster, of(eps.cluster)) : []),
        ...(usesLocal ? balancingRules(context, chains.local, of(eps.local)) : []),
      ]),
      ...endpoints.map(({ rules }) => rules),
    ],
    affinitySets: affinitySets(context, endpoints),
    elements: serviceElements(service, eps, chains),
    endpoints,
    endpointsOf,
  };
}

function endpointOf({ service, origin: { port } }: ServiceContext, info: EndpointInfo): Endpoint {
  const { chain, affinitySet } = names.endpointNames(service, info);
  const origin: Origin = {
    kind: 'EndpointSlice',
    namespace: service.namespace,
    name: info.slice,
    endpoint: info.address,
    ...(port === undefined ? {} : { port }),
  };
  const rules = endpointRules(service, { info, chain, affinitySet, origin });
  return {
    info,
    chain,
    affinitySet,
    origin,
    toChain: goTo(chain),
    own: ownChain(chain),
    rules: { kind: 'addRules', chain, rules },
  };
}

/** The answer of a Pod must come back this way when the client is no Pod of this node, so its source is replaced. */
function clusterIPRules({ service, eps, options, chains, origin }: ServiceContext): NftRule[] {
  if (!eps.hasInternal) return [];
  const { detectLocal, masqueradeAll } = options;
  if (!masqueradeAll && detectLocal === undefined) return [];
  const fromElsewhere = masqueradeAll || detectLocal === undefined ? [] : [fromLocalPods(detectLocal, true)];
  const chain = service.internalPolicyLocal ? chains.local : chains.cluster;
  return [rule(chain, [isOneOf('daddr', [service.clusterIP]), ...fromElsewhere, MASQUERADE], origin)];
}

function externalRules({ service, eps, options, chains, origin }: ServiceContext): NftRule[] {
  const external = (expressions: readonly NftExpression[], comment?: string): NftRule =>
    rule(chains.external, expressions, origin, comment);
  if (!service.externalPolicyLocal) {
    const rules = [external([MASQUERADE])];
    return eps.hasExternal ? [...rules, external([verdict('goto', chains.cluster)])] : rules;
  }
  const { detectLocal } = options;
  const toAll = verdict('goto', chains.cluster);
  const local = fibLocal('saddr');
  return [
    ...(detectLocal === undefined
      ? []
      : [external([fromLocalPods(detectLocal, false), toAll], 'short-circuit pod traffic')]),
    external([local, MASQUERADE], 'masquerade local traffic'),
    external([local, toAll], 'short-circuit local traffic'),
    ...(eps.hasExternal ? [external([verdict('goto', chains.local)])] : []),
  ];
}

function firewallRule({ service, options, chains, origin }: ServiceContext): NftRule {
  const { nodeIP = '' } = options;
  // A node that may use the load balancer reaches it with the VIP as its source, since the VIP is one of its addresses.
  const nodeMay = service.sourceRanges.some(range => parseCidr(range)?.contains(nodeIP) === true);
  const sources = [...service.sourceRanges, ...(nodeMay ? service.loadBalancerVIPs : [])];
  return rule(chains.firewall, [isNoneOf('saddr', sources), drop], origin);
}

function balancingRules({ service, origin }: ServiceContext, chain: string, endpoints: readonly Endpoint[]): NftRule[] {
  const sticky = service.affinitySeconds === undefined ? [] : endpoints;
  const verdicts: NftVerdict[] = endpoints.map(({ toChain }) => toChain);
  return [
    ...sticky.map(endpoint =>
      rule(chain, [inSet('saddr', endpoint.affinitySet), verdict('goto', endpoint.chain)], endpoint.origin),
    ),
    rule(chain, [{ kind: 'numgen', verdicts }], origin),
  ];
}

function endpointRules(
  service: ServicePort,
  { info, chain, affinitySet, origin }: Omit<Endpoint, 'toChain' | 'own' | 'rules'>,
): NftRule[] {
  const remember =
    service.affinitySeconds === undefined
      ? []
      : [rule(chain, [{ kind: 'update', set: affinitySet, side: 'saddr' }], origin)];
  return [
    // Hairpin: a Pod that reaches itself through the Service would otherwise see its own address and drop the packet.
    rule(chain, [isOneOf('saddr', [info.ip]), MASQUERADE], origin),
    ...remember,
    rule(chain, [OF_PROTOCOL[service.protocol], { kind: 'dnat', address: info.ip, port: info.port }], origin),
  ];
}

function affinitySets({ service, options }: ServiceContext, endpoints: readonly Endpoint[]): NftSet[] {
  const { affinitySeconds } = service;
  if (affinitySeconds === undefined) return [];
  const type = options.family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr';
  return endpoints.map(({ affinitySet }) => ({
    name: affinitySet,
    kind: 'set',
    key: [type],
    timeoutSeconds: affinitySeconds,
  }));
}
