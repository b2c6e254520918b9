import type { Match, Rule, Verdict } from '../../kernel/xtables/rule.js';
import type { ServicePort } from '../../services/service-ports.js';
import type { Origin } from '../../trace.js';
import { addrtypeLocal, comment, destination, dport, rule } from '../xtables-rules.js';
import * as chains from './chains.js';

/** The rules of one service port, which lead to its proxy port. */
export interface ServiceFragment {
  readonly nat: readonly Rule[];
  readonly filter: readonly Rule[];
}

const NOT_BRIDGED: Match = { kind: 'physdevIsIn', invert: true };

/** `hostIP`: an address of the node; its own packets cannot be redirected to loopback, as answers would come from elsewhere. */
export function compileServicePort(
  service: ServicePort,
  proxyPort: number,
  hostIP: string | undefined,
): ServiceFragment {
  const { namespace, name, portName, protocol, fullName, clusterIP, port, nodePort } = service;
  const origin: Origin = { kind: 'Service', namespace, name, port: portName === '' ? String(port) : portName };
  const at = (to: number): readonly Match[] => [
    comment(fullName),
    { kind: 'protocol', protocol },
    { kind: 'l4', protocol },
    dport(to),
  ];
  const redirect: Verdict = { kind: 'redirect', port: proxyPort };
  const translate: Verdict | undefined =
    hostIP === undefined ? undefined : { kind: 'dnat', address: hostIP, port: proxyPort };
  const nat: Rule[] = [];
  const fromContainers = (chain: string, matches: readonly Match[]): void =>
    void nat.push(rule(chain, matches, redirect, origin));
  const fromHost = (chain: string, matches: readonly Match[]): void => {
    if (translate !== undefined) nat.push(rule(chain, matches, translate, origin));
  };

  const portal = (address: string): void => {
    const matches = [...at(port), destination(address)];
    fromContainers(chains.PORTALS_CONTAINER, matches);
    fromHost(chains.PORTALS_HOST, matches);
  };
  portal(clusterIP);
  for (const address of service.externalIPs) {
    const matches = [...at(port), destination(address)];
    fromContainers(chains.PORTALS_CONTAINER, [...matches, NOT_BRIDGED]);
    fromContainers(chains.PORTALS_CONTAINER, [...matches, addrtypeLocal('dst')]);
    fromHost(chains.PORTALS_HOST, [...matches, addrtypeLocal('dst')]);
  }
  service.loadBalancerVIPs.forEach(portal);
  if (nodePort === 0) return { nat, filter: [] };
  fromContainers(chains.NODEPORT_CONTAINER, at(nodePort));
  fromHost(chains.NODEPORT_HOST, at(nodePort));
  const isNew: Match = { kind: 'conntrack', states: ['NEW'], alias: 'state' };
  return { nat, filter: [rule(chains.NODEPORT_NON_LOCAL, [...at(proxyPort), isNew], { kind: 'accept' }, origin)] };
}
