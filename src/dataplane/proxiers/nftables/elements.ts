import { firstText } from '../../../machinery/compare-text.js';
import { keyText, type NftElement, type NftVerdict } from '../../kernel/nftables/rule.js';
import type { NftCommand } from '../../kernel/program.js';
import type { ServicePort } from '../../services/service-ports.js';
import type { EndpointCategories } from '../../services/topology.js';
import { goTo } from './expressions.js';
import * as names from './names.js';

/** An element, and the set or map that it is in. */
export interface SetElement {
  readonly set: string;
  readonly element: NftElement;
}

/** The elements of one service port in the sets and maps that all share. */
export function serviceElements(
  service: ServicePort,
  eps: EndpointCategories,
  chains: names.ServiceChains,
): SetElement[] {
  const { protocol, port, nodePort, clusterIP, fullName: comment } = service;
  const elements: SetElement[] = [];
  const add = (set: string, key: readonly string[], target: NftVerdict, about: { comment?: string } = {}): void =>
    void elements.push({ set, element: { key, verdict: target, ...about } });
  const at = (address: string): string[] => [address, protocol, String(port)];
  // Nobody anywhere: the client is told. Only nobody here: it is not this node's to say.
  const refusal: NftVerdict = eps.hasEndpoints ? { kind: 'drop' } : goTo(names.REJECT);

  elements.push({ set: names.CLUSTER_IPS, element: { key: [clusterIP] } });
  if (eps.hasInternal)
    add(names.SERVICE_IPS, at(clusterIP), goTo(service.internalPolicyLocal ? chains.local : chains.cluster));
  else add(names.NO_ENDPOINT_SERVICES, at(clusterIP), refusal, { comment });

  for (const address of [...service.externalIPs, ...service.loadBalancerVIPs]) {
    if (eps.hasEndpoints) add(names.SERVICE_IPS, at(address), goTo(chains.external));
    if (!eps.hasExternal) add(names.NO_ENDPOINT_SERVICES, at(address), refusal, { comment });
  }
  if (service.sourceRanges.length > 0)
    for (const address of service.loadBalancerVIPs) add(names.FIREWALL_IPS, at(address), goTo(chains.firewall));

  if (nodePort !== 0) {
    const key = [protocol, String(nodePort)];
    if (eps.hasEndpoints) add(names.SERVICE_NODEPORTS, key, goTo(chains.external));
    if (!eps.hasExternal) add(names.NO_ENDPOINT_NODEPORTS, key, refusal, { comment });
  }
  return elements;
}

/** The shared elements of all service ports, some of which several want. */
export interface ElementStore {
  /** What `owner` wants from now on; nothing: it is gone. */
  set(owner: string, elements: readonly SetElement[]): void;
  /** What to change since the last time. */
  take(): NftCommand[];
  /** All of them, as added to empty sets. */
  all(): NftCommand[];
}

const isSame = (a: NftElement, b: NftElement): boolean =>
  JSON.stringify(a.verdict) === JSON.stringify(b.verdict) && a.comment === b.comment;

/** Of those who want one key the first by name gets it, so that the outcome does not depend on who came first. */
export function createElementStore(): ElementStore {
  const wanted = new Map<string, readonly SetElement[]>();
  /** "set key" to what its owners want there. */
  const claims = new Map<string, Map<string, SetElement>>();
  const programmed = new Map<string, SetElement>();
  const touched = new Set<string>();

  const placeOf = ({ set, element }: SetElement): string => `${set} ${keyText(element.key)}`;
  const winner = (place: string): SetElement | undefined => {
    const owners = claims.get(place);
    return owners?.get(firstText(owners.keys()) ?? '');
  };
  const adding = ({ set, element }: SetElement): NftCommand => ({ kind: 'addElement', set, element });

  return {
    set(owner, elements) {
      for (const old of wanted.get(owner) ?? []) {
        const place = placeOf(old);
        touched.add(place);
        const owners = claims.get(place);
        owners?.delete(owner);
        if (owners?.size === 0) claims.delete(place);
      }
      if (elements.length === 0) wanted.delete(owner);
      else wanted.set(owner, elements);
      for (const element of elements) {
        const place = placeOf(element);
        touched.add(place);
        const owners = claims.get(place) ?? new Map<string, SetElement>();
        claims.set(place, owners);
        owners.set(owner, element);
      }
    },
    take() {
      const deletions: NftCommand[] = [];
      const additions: NftCommand[] = [];
      for (const place of touched) {
        const before = programmed.get(place);
        const after = winner(place);
        if (before !== undefined && after !== undefined && isSame(before.element, after.element)) continue;
        // The verdict of an element cannot be changed: it goes and comes back.
        if (before !== undefined) deletions.push({ kind: 'deleteElement', set: before.set, key: before.element.key });
        if (after === undefined) programmed.delete(place);
        else {
          programmed.set(place, after);
          additions.push(adding(after));
        }
      }
      touched.clear();
      return [...deletions, ...additions];
    },
    all() {
      for (const place of touched) {
        const after = winner(place);
        if (after === undefined) programmed.delete(place);
        else programmed.set(place, after);
      }
      touched.clear();
      return [...programmed.values()].map(adding);
    },
  };
}
