import type { IpAddress } from '../../machinery/ip.js';
import { isDue, newPace, type Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { DeepReadonly } from '../../machinery/types.js';
import { addressSet, type AddressSet } from './address-set.js';
import { labelTest, type LabelTest } from './label-test.js';
import { portSet, type PortSet } from './port-set.js';
import { ruleIndex, type RuleIndex, type RuleParts } from './rule-index.js';
import type { Direction, IPBlock, NetworkPolicy, ObjectName, PeerPod, PolicyPeer } from './types.js';

export interface CompiledRule {
  readonly ports: PortSet;
  /** `pod` is undefined when no Pod has the address. */
  readonly peers: (address: IpAddress, pod: PeerPod | undefined) => boolean;
}

export interface CompiledRules extends RuleIndex {
  readonly list: readonly CompiledRule[];
}

export interface CompiledPolicy extends ObjectName {
  /** The Pods it is for. */
  readonly selector: LabelTest;
  /** Undefined: it says nothing about that direction. No rules: it allows nothing. */
  readonly rules: Readonly<Record<Direction, CompiledRules | undefined>>;
}

/** Makes a policy quick to ask. What it holds may be long, so that it rests between. @throws TypeError */
export function* compilePolicy({ metadata, spec = {} }: DeepReadonly<NetworkPolicy>): Steps<CompiledPolicy> {
  const { namespace = '', name = '' } = metadata;
  const pace = newPace();
  // The API server fills policyTypes in; a policy without them is for ingress, and for egress when it has such rules.
  const implied = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  const types = (spec.policyTypes ?? []).length > 0 ? (spec.policyTypes ?? []) : implied;
  const compileAll = function* (rules: readonly RuleParts[]): Steps<CompiledRules> {
    const list: CompiledRule[] = [];
    for (const rule of rules) {
      if (isDue(pace)) yield;
      list.push(yield* compileRule(rule, namespace, pace));
    }
    return { list, ...(yield* ruleIndex(rules, pace)) };
  };
  const ingress = (spec.ingress ?? []).map(({ ports = [], from: peers = [] }) => ({ ports, peers }));
  const egress = (spec.egress ?? []).map(({ ports = [], to: peers = [] }) => ({ ports, peers }));
  return {
    namespace,
    name,
    selector: yield* labelTest(spec.podSelector ?? {}, pace),
    rules: {
      ingress: types.includes('Ingress') ? yield* compileAll(ingress) : undefined,
      egress: types.includes('Egress') ? yield* compileAll(egress) : undefined,
    },
  };
}

function* compileRule({ ports, peers }: RuleParts, namespace: string, pace: Pace): Steps<CompiledRule> {
  const compiled = yield* portSet(ports, pace);
  if (peers.length === 0) return { ports: compiled, peers: () => true };
  const blocks: DeepReadonly<IPBlock>[] = [];
  const selected: PodTest[] = [];
  for (const peer of peers) {
    if (isDue(pace)) yield;
    if (peer.ipBlock !== undefined) blocks.push(peer.ipBlock);
    else if (peer.podSelector !== undefined || peer.namespaceSelector !== undefined)
      selected.push(yield* podTest(peer, namespace, pace));
  }
  const inBlock: AddressSet = blocks.length === 0 ? () => false : yield* addressSet(blocks, pace);
  return {
    ports: compiled,
    peers: (address, pod) => inBlock(address) || (pod !== undefined && selected.some(test => test(pod))),
  };
}

type PodTest = (pod: PeerPod) => boolean;

/** Without a namespaceSelector a peer is of the policy's own namespace; an empty one is every namespace. */
function* podTest(peer: DeepReadonly<PolicyPeer>, own: string, pace: Pace): Steps<PodTest> {
  const { podSelector, namespaceSelector } = peer;
  const pods = yield* labelTest(podSelector ?? {}, pace);
  if (namespaceSelector === undefined) return ({ namespace, labels }) => namespace === own && pods.matches(labels);
  const namespaces = yield* labelTest(namespaceSelector, pace);
  return ({ labels, namespaceLabels }) =>
    (namespaces.empty || (namespaceLabels !== undefined && namespaces.matches(namespaceLabels))) &&
    pods.matches(labels);
}
