import { compareText } from '../../machinery/compare-text.js';
import { formatIP, parseIP } from '../../machinery/ip.js';
import type { Labels } from '../../machinery/labels.js';
import type { DeepReadonly, Namespace, Pod } from '../../machinery/types.js';
import type { Tuple } from '../packet.js';
import type { CompiledPolicy } from './compile-policy.js';
import { podEntry, type PodEntry } from './pod-entry.js';
import type { Direction, Finding, Judgement, ObjectName, PeerPod, StandIn } from './types.js';

/**
 * Pods, Namespaces and policies, so filed that a packet costs what the policies of its two Pods have to say, however many
 * others there are. A change files one object anew; which policies select a Pod is found out when a packet first asks.
 */
export interface PolicyIndex {
  setPolicy(policy: CompiledPolicy): void;
  removePolicy(policy: ObjectName): void;
  setPod(pod: DeepReadonly<Pod>): void;
  removePod(pod: ObjectName): void;
  setNamespace(namespace: DeepReadonly<Namespace>): void;
  removeNamespace(name: string): void;
  /** Undefined when neither end is a Pod of the node `here` that a policy selects: such packets are not asked about. */
  judge(packet: Tuple, here: string): Judgement | undefined;
}

/** The policies of one namespace, and when they changed last. */
interface NamespacePolicies {
  generation: number;
  readonly byName: Map<string, CompiledPolicy>;
}

/** The policies that select a Pod, by name, as of a generation of its namespace's policies. */
interface Selection {
  readonly generation: number;
  readonly any: boolean;
  readonly ingress: readonly CompiledPolicy[];
  readonly egress: readonly CompiledPolicy[];
}

const NONE: Selection = { generation: 0, any: false, ingress: [], egress: [] };
const keyOf = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`;
const nameOf = ({ namespace, name }: ObjectName): ObjectName => ({ namespace, name });
const compareNames = (a: ObjectName, b: ObjectName): number => compareText(a.name, b.name);

/** `standIn` is asked about destinations that are no Pods. */
export function createPolicyIndex(standIn: (packet: Tuple) => StandIn | undefined = () => undefined): PolicyIndex {
  const policies = new Map<string, NamespacePolicies>();
  const namespaces = new Map<string, Labels>();
  const pods = new Map<string, PodEntry>();
  const byAddress = new Map<string, Set<PodEntry>>();
  const selections = new WeakMap<PodEntry, Selection>();

  let changes = 0;

  const changePolicies = (namespace: string, change: (byName: Map<string, CompiledPolicy>) => void): void => {
    const known = policies.get(namespace) ?? { generation: 0, byName: new Map<string, CompiledPolicy>() };
    change(known.byName);
    // Counted over all namespaces: one that has none for a while is forgotten, its Pods' selections are not.
    known.generation = ++changes;
    if (known.byName.size > 0) policies.set(namespace, known);
    else policies.delete(namespace);
  };

  const unfile = (key: string): PodEntry | undefined => {
    const old = pods.get(key);
    pods.delete(key);
    for (const address of old?.addresses ?? []) {
      const holders = byAddress.get(address);
      if (old !== undefined) holders?.delete(old);
      if (holders?.size === 0) byAddress.delete(address);
    }
    return old;
  };

  const at = (address: string): PodEntry | undefined => {
    let best: PodEntry | undefined;
    for (const pod of byAddress.get(address) ?? [])
      if (best === undefined || pod.rank < best.rank || (pod.rank === best.rank && keyOf(pod) < keyOf(best)))
        best = pod;
    return best;
  };

  const selectionOf = (pod: PodEntry | undefined): Selection => {
    const own = pod && policies.get(pod.namespace);
    if (pod === undefined || own === undefined) return NONE;
    const known = selections.get(pod);
    if (known?.generation === own.generation) return known;
    const all = [...own.byName.values()].filter(({ selector }) => selector.matches(pod.labels)).sort(compareNames);
    const of = (direction: Direction): CompiledPolicy[] => all.filter(({ rules }) => rules[direction] !== undefined);
    const { generation } = own;
    const made = { generation, any: all.length > 0, ingress: of('ingress'), egress: of('egress') };
    selections.set(pod, made);
    return made;
  };

  const peer = (pod: Pick<PodEntry, 'namespace' | 'labels'> | undefined): PeerPod | undefined =>
    pod && { namespace: pod.namespace, labels: pod.labels, namespaceLabels: namespaces.get(pod.namespace) };

  /** What one Pod's policies say; undefined when it has none for this direction. */
  const ask = (
    direction: Direction,
    pod: PodEntry | undefined,
    other: PodEntry | undefined,
    destination: PodEntry | undefined,
    packet: Tuple,
  ): Finding | undefined => {
    const selected = selectionOf(pod)[direction];
    const address = parseIP(direction === 'egress' ? packet.dst : packet.src);
    if (pod === undefined || selected.length === 0 || address === undefined) return undefined;
    const addressText = formatIP(address);
    const stand = direction === 'egress' && destination === undefined ? standIn(packet) : undefined;
    const dstPort = stand?.port ?? packet.dstPort;
    const port = {
      protocol: packet.protocol.toUpperCase(),
      port: dstPort,
      value: BigInt(dstPort),
      names: destination?.portNames ?? (() => (stand === undefined ? [] : [stand.portName])),
    };
    const otherEnd = peer(other ?? stand);
    const finding = { direction, pod: nameOf(pod), policies: selected.map(nameOf) };
    for (const policy of selected)
      for (const position of policy.rules[direction]?.candidates(addressText, otherEnd, port) ?? []) {
        const rule = policy.rules[direction]?.list[position];
        if (rule?.ports(port) === true && rule.peers(address, otherEnd))
          return { ...finding, allowedBy: { policy: nameOf(policy), rule: position + 1 } };
      }
    return { ...finding, allowedBy: undefined };
  };

  return {
    setPolicy: policy => changePolicies(policy.namespace, byName => void byName.set(policy.name, policy)),
    removePolicy: ({ namespace, name }) => changePolicies(namespace, byName => void byName.delete(name)),
    setPod(pod) {
      const { namespace = '', name = '' } = pod.metadata;
      const key = keyOf({ namespace, name });
      unfile(key);
      const entry = podEntry(pod);
      if (entry === undefined) return;
      pods.set(key, entry);
      for (const address of entry.addresses) {
        const holders = byAddress.get(address);
        if (holders === undefined) byAddress.set(address, new Set([entry]));
        else holders.add(entry);
      }
    },
    removePod: pod => void unfile(keyOf(pod)),
    setNamespace: ({ metadata }) => void namespaces.set(metadata.name ?? '', metadata.labels ?? {}),
    removeNamespace: name => void namespaces.delete(name),
    judge(packet, here) {
      const source = at(packet.src);
      const destination = at(packet.dst);
      const isManaged = (pod: PodEntry | undefined): boolean => pod?.nodeName === here && selectionOf(pod).any;
      if (!isManaged(source) && !isManaged(destination)) return undefined;
      const findings: Finding[] = [];
      const egress = ask('egress', source, destination, destination, packet);
      if (egress !== undefined) findings.push(egress);
      if (egress === undefined || egress.allowedBy !== undefined) {
        const ingress = ask('ingress', destination, source, destination, packet);
        if (ingress !== undefined) findings.push(ingress);
      }
      return { packet, source: source && nameOf(source), destination: destination && nameOf(destination), findings };
    },
  };
}
