import { parseCidr } from '../../../machinery/cidr.js';
import type { ChainRules } from '../../kernel/program.js';
import type { Match, Rule, Verdict } from '../../kernel/xtables/rule.js';
import type { EndpointInfo } from '../../services/endpoints.js';
import { externallyAccessible, type ServicePort } from '../../services/service-ports.js';
import type { EndpointCategories } from '../../services/topology.js';
import type { Origin } from '../../trace.js';
import type { LocalTraffic } from '../detect-local.js';
import { keptOrMade } from '../kept-endpoints.js';
import * as names from './names.js';
import {
  addRules,
  addrtypeLocal,
  comment,
  dport,
  fromLocalPods,
  inChains,
  jump,
  oneOf,
  proto,
  rule,
  source,
  to,
} from '../xtables-rules.js';

export interface ServiceCompileOptions {
  readonly detectLocal: LocalTraffic | undefined;
  readonly masqueradeAll: boolean;
  /** Undefined: the node has none in this family. */
  readonly nodeIP: string | undefined;
  /** More than 1000 endpoints in the cluster: per-endpoint rules lose their comments, which saves time in the kernel. */
  readonly largeCluster: boolean;
}

/** What one service port contributes. Order within the lists is the order in the restore text. */
export interface ServiceFragment {
  /** Refusals, firewall and health check rules, in the shared filter chains. */
  readonly filter: readonly Rule[];
  /** Rules in the shared nat chains KUBE-SERVICES and KUBE-NODEPORTS. */
  readonly dispatch: readonly ChainRules[];
  /** This service port's own nat chains, and the rules in them. */
  readonly chains: readonly string[];
  readonly rules: readonly ChainRules[];
  /** What was made of each endpoint, by address, and all that it depends on but the endpoint. */
  readonly endpoints: readonly Endpoint[];
  readonly endpointsOf: string;
}

/** An endpoint with what all its rules share: there are three of them for each of maybe a hundred thousand endpoints. */
interface Endpoint {
  readonly info: EndpointInfo;
  readonly chain: string;
  readonly toChain: Verdict;
  readonly origin: Origin;
  /** Those of its own chain. */
  readonly rules: ChainRules;
  /** The rule that led to it the last time; those behind a place where one came or went are still right. */
  choice: Rule | undefined;
  /** How many there were to choose from. */
  left: number;
}

interface ServiceContext {
  readonly service: ServicePort;
  readonly eps: EndpointCategories;
  readonly options: ServiceCompileOptions;
  readonly chains: names.ServiceChains;
  readonly internalChain: string;
  readonly origin: Origin;
  readonly usesExternalChain: boolean;
  readonly usesFirewallChain: boolean;
  readonly usesClusterChain: boolean;
  readonly usesLocalChain: boolean;
}

/**
 * The rules of one service port, docs/kube-proxy.md section 2.2 step 2. Pure. Endpoints that it had `before` are not made
 * again.
 */
export function compileServicePort(
  service: ServicePort,
  eps: EndpointCategories,
  options: ServiceCompileOptions,
  before?: ServiceFragment,
): ServiceFragment {
  const chains = names.serviceChains(service.fullName, service.protocol);
  const port = service.portName === '' ? String(service.port) : service.portName;
  const context: ServiceContext = {
    service,
    eps,
    options,
    chains,
    internalChain: service.internalPolicyLocal ? chains.local : chains.cluster,
    origin: { kind: 'Service', namespace: service.namespace, name: service.name, port },
    usesExternalChain: eps.hasEndpoints && externallyAccessible(service),
    usesFirewallChain: eps.hasEndpoints && service.loadBalancerVIPs.length > 0 && service.sourceRanges.length > 0,
    usesClusterChain: eps.cluster.length > 0,
    usesLocalChain: eps.local.length > 0,
  };
  const { fullName, protocol, affinitySeconds } = service;
  const endpointsOf = JSON.stringify([fullName, protocol, port, affinitySeconds, options.largeCluster]);
  const known = before?.endpointsOf === endpointsOf ? before.endpoints : [];
  const endpoints = keptOrMade(eps.reachable, known, info => endpointOf(context, info));
  const of = (list: readonly EndpointInfo[]): readonly Endpoint[] => {
    if (list.length === endpoints.length) return endpoints;
    const wanted = new Set(list);
    return endpoints.filter(({ info }) => wanted.has(info));
  };
  const own = [
    ...(context.usesExternalChain ? [chains.external] : []),
    ...(context.usesFirewallChain ? [chains.firewall] : []),
    ...(context.usesClusterChain ? [chains.cluster] : []),
    ...(context.usesLocalChain ? [chains.local] : []),
    ...endpoints.map(({ chain }) => chain),
  ];
  return {
    filter: filterRules(context),
    dispatch: inChains(dispatchRules(context)),
    chains: own,
    rules: [
      ...inChains([
        ...clusterIPMasqueradeRules(context),
        ...(context.usesExternalChain ? externalRules(context) : []),
        ...(context.usesFirewallChain ? firewallRules(context) : []),
        ...(context.usesClusterChain ? balancingRules(context, chains.cluster, of(eps.cluster)) : []),
        ...(context.usesLocalChain ? balancingRules(context, chains.local, of(eps.local)) : []),
      ]),
      ...endpoints.map(({ rules }) => rules),
    ],
    endpoints,
    endpointsOf,
  };
}

function filterRules({ service, eps, chains, origin }: ServiceContext): Rule[] {
  const { protocol, port, fullName } = service;
  const text = eps.hasEndpoints ? `${fullName} has no local endpoints` : `${fullName} has no endpoints`;
  const verdict: Verdict = eps.hasEndpoints ? { kind: 'drop' } : { kind: 'reject' };
  const refuse = (chain: string, matches: readonly Match[]): Rule =>
    rule(chain, [comment(text), ...matches], verdict, origin);

  const rules: Rule[] = [];
  if (!eps.hasInternal) rules.push(refuse(names.SERVICES, to(protocol, service.clusterIP, port)));
  if (!eps.hasExternal) {
    for (const ip of service.externalIPs) rules.push(refuse(names.EXTERNAL_SERVICES, to(protocol, ip, port)));
  }
  if (eps.hasEndpoints && service.sourceRanges.length > 0) {
    const dropped = comment(`${fullName} traffic not accepted by ${chains.firewall}`);
    for (const ip of service.loadBalancerVIPs) {
      rules.push(rule(names.PROXY_FIREWALL, [dropped, ...to(protocol, ip, port)], { kind: 'drop' }, origin));
    }
  }
  if (!eps.hasExternal) {
    for (const ip of service.loadBalancerVIPs) rules.push(refuse(names.EXTERNAL_SERVICES, to(protocol, ip, port)));
    if (service.nodePort !== 0) {
      const matches = [addrtypeLocal('dst'), ...proto(protocol), dport(service.nodePort)];
      rules.push(refuse(names.EXTERNAL_SERVICES, matches));
    }
  }
  if (service.healthCheckNodePort !== 0) {
    const matches = [
      comment(`${fullName} health check node port`),
      ...proto('tcp'),
      dport(service.healthCheckNodePort),
    ];
    rules.push(rule(names.NODEPORTS, matches, { kind: 'accept' }, origin));
  }
  return rules;
}

function dispatchRules({ service, eps, chains, internalChain, origin, usesFirewallChain }: ServiceContext): Rule[] {
  const { protocol, port, fullName } = service;
  const dispatch = (text: string, ip: string, chain: string): Rule =>
    rule(names.SERVICES, [comment(`${fullName} ${text}`), ...to(protocol, ip, port)], jump(chain), origin);

  const rules: Rule[] = [];
  if (eps.hasInternal) rules.push(dispatch('cluster IP', service.clusterIP, internalChain));
  if (!eps.hasEndpoints) return rules;
  for (const ip of service.externalIPs) rules.push(dispatch('external IP', ip, chains.external));
  const balancerChain = usesFirewallChain ? chains.firewall : chains.external;
  for (const ip of service.loadBalancerVIPs) rules.push(dispatch('loadbalancer IP', ip, balancerChain));
  if (service.nodePort !== 0) {
    const matches = [comment(fullName), ...proto(protocol), dport(service.nodePort)];
    rules.push(rule(names.NODEPORTS, matches, jump(chains.external), origin));
  }
  return rules;
}

/** The answer of a Pod must come back this way when the client is no Pod of this node, so its source is replaced. */
function clusterIPMasqueradeRules({ service, eps, options, internalChain, origin }: ServiceContext): Rule[] {
  if (!eps.hasInternal) return [];
  const matches = [comment(`${service.fullName} cluster IP`), ...to(service.protocol, service.clusterIP, service.port)];
  if (options.masqueradeAll) return [rule(internalChain, matches, jump(names.MARK_MASQ), origin)];
  if (options.detectLocal === undefined) return [];
  return [rule(internalChain, [...matches, fromLocalPods(options.detectLocal, true)], jump(names.MARK_MASQ), origin)];
}

function externalRules({ service, eps, options, chains, origin }: ServiceContext): Rule[] {
  const destinations = `${service.fullName} external destinations`;
  const external = (matches: readonly Match[], chain: string): Rule =>
    rule(chains.external, matches, jump(chain), origin);
  if (!service.externalPolicyLocal) {
    const rules = [external([comment(`masquerade traffic for ${destinations}`)], names.MARK_MASQ)];
    return eps.hasExternal ? [...rules, external([], chains.cluster)] : rules;
  }
  const rules: Rule[] = [];
  if (options.detectLocal !== undefined) {
    const podTraffic = [comment(`pod traffic for ${destinations}`), fromLocalPods(options.detectLocal, false)];
    rules.push(external(podTraffic, chains.cluster));
  }
  rules.push(
    external([comment(`masquerade LOCAL traffic for ${destinations}`), addrtypeLocal('src')], names.MARK_MASQ),
    external([comment(`route LOCAL traffic for ${destinations}`), addrtypeLocal('src')], chains.cluster),
  );
  if (eps.hasExternal) rules.push(external([], chains.local));
  return rules;
}

function firewallRules({ service, options, chains, origin }: ServiceContext): Rule[] {
  const allow = (from: string): Rule =>
    rule(
      chains.firewall,
      [comment(`${service.fullName} loadbalancer IP`), source(from)],
      jump(chains.external),
      origin,
    );
  const rules = service.sourceRanges.map(allow);
  // A node that may use the load balancer reaches it with the VIP as its source, since the VIP is one of its addresses.
  const { nodeIP = '' } = options;
  if (service.sourceRanges.some(range => parseCidr(range)?.contains(nodeIP) === true)) {
    rules.push(...service.loadBalancerVIPs.map(allow));
  }
  const text = `other traffic to ${service.fullName} will be dropped by ${names.PROXY_FIREWALL}`;
  return [...rules, rule(chains.firewall, [comment(text)], { kind: 'none' }, origin)];
}

function endpointOf(context: ServiceContext, info: EndpointInfo): Endpoint {
  const { service, origin: ofService } = context;
  const { port } = ofService;
  const chain = names.endpointChain(service.fullName, service.protocol, info.address);
  const origin: Origin = {
    kind: 'EndpointSlice',
    namespace: service.namespace,
    name: info.slice,
    ...(port === undefined ? {} : { port }),
    endpoint: info.address,
  };
  return {
    info,
    chain,
    toChain: jump(chain),
    origin,
    rules: addRules(chain, endpointRules(context, info, chain, origin)),
    choice: undefined,
    left: 0,
  };
}

function balancingRules({ service, options }: ServiceContext, chain: string, endpoints: readonly Endpoint[]): Rule[] {
  const choose = ({ info, toChain, origin }: Endpoint, matches: readonly Match[]): Rule => {
    const all = options.largeCluster ? matches : [comment(`${service.fullName} -> ${info.address}`), ...matches];
    return rule(chain, all, toChain, origin);
  };
  const seconds = service.affinitySeconds;
  const known =
    seconds === undefined
      ? []
      : endpoints.map(endpoint =>
          choose(endpoint, [{ kind: 'recent', name: endpoint.chain, action: 'rcheck', seconds, reap: true }]),
        );
  const atRandom = endpoints.map((endpoint, i) => {
    const left = endpoints.length - i;
    if (endpoint.left === left && endpoint.choice?.chain === chain) return endpoint.choice;
    endpoint.left = left;
    return (endpoint.choice = choose(endpoint, oneOf(left)));
  });
  return [...known, ...atRandom];
}

const TO_MARK_MASQ = jump(names.MARK_MASQ);

function endpointRules(
  { service, options }: ServiceContext,
  info: EndpointInfo,
  chain: string,
  origin: Origin,
): Rule[] {
  const text = options.largeCluster ? [] : [comment(service.fullName)];
  const remember: Match[] =
    service.affinitySeconds === undefined ? [] : [{ kind: 'recent', name: chain, action: 'set' }];
  const ofProtocol = proto(service.protocol);
  const isBare = text.length === 0 && remember.length === 0;
  return [
    // Hairpin: a Pod that reaches itself through the Service would otherwise see its own address and drop the packet.
    rule(chain, [...text, source(info.ip)], TO_MARK_MASQ, origin),
    rule(
      chain,
      isBare ? ofProtocol : [...text, ...remember, ...ofProtocol],
      { kind: 'dnat', address: info.ip, port: info.port },
      origin,
    ),
  ];
}
