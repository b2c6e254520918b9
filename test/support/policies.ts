import { compilePolicy } from '../../src/dataplane/policies/compile-policy.js';
import { createPolicyIndex, type PolicyIndex } from '../../src/dataplane/policies/policy-index.js';
import type { Judgement, NetworkPolicy, StandIn } from '../../src/dataplane/policies/types.js';
import type { Tuple } from '../../src/dataplane/packet.js';
import { atOnce } from '../../src/machinery/steps.js';
import type { Namespace, Pod } from '../../src/machinery/types.js';

export type Labels = Record<string, string>;

export const namespaceObject = (name: string, labels: Labels = {}): Namespace => ({
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
});

export interface PodShape {
  readonly labels?: Labels;
  readonly node?: string;
  readonly phase?: string;
  readonly hostNetwork?: boolean;
  readonly ports?: readonly { name: string; containerPort: number; protocol?: string }[];
}

/** "namespace/name" with its addresses. */
export function podObject(key: string, ips: readonly string[], shape: PodShape = {}): Pod {
  const [namespace = '', name = ''] = key.split('/');
  const { labels = {}, node = 'here', phase = 'Running', hostNetwork, ports = [] } = shape;
  return {
    metadata: { namespace, name, labels },
    spec: {
      nodeName: node,
      ...(hostNetwork === undefined ? {} : { hostNetwork }),
      containers: [{ name: 'c', ports: [...ports] }],
    },
    status: { phase, podIPs: ips.map(ip => ({ ip })) },
  };
}

export function policyObject(key: string, spec: NetworkPolicy['spec']): NetworkPolicy {
  const [namespace = '', name = ''] = key.split('/');
  return { metadata: { namespace, name }, spec: { ...spec } };
}

export const setPolicy = (index: PolicyIndex, policy: NetworkPolicy): void =>
  index.setPolicy(atOnce(compilePolicy(policy)));

/** Asked about the node "here". */
export function indexOf(objects: {
  readonly namespaces: Iterable<Namespace>;
  readonly pods: Iterable<Pod>;
  readonly policies: Iterable<NetworkPolicy>;
  readonly standIn?: (packet: Tuple) => StandIn | undefined;
}): PolicyIndex {
  const index = createPolicyIndex(objects.standIn);
  for (const policy of objects.policies) setPolicy(index, policy);
  for (const pod of objects.pods) index.setPod(pod);
  for (const namespace of objects.namespaces) index.setNamespace(namespace);
  return index;
}

/** A packet of a high port. "tcp 10.0.0.1 10.0.0.2 80" */
export function packetOf(text: string): Tuple {
  const [protocol = 'tcp', src = '', dst = '', port = '0'] = text.split(' ');
  return { protocol: protocol as Tuple['protocol'], src, srcPort: 40_000, dst, dstPort: Number(port) };
}

/** "open", "allow by ns/name", or "deny ns/name,ns/name" with the policies that leave nothing else. */
export function verdictOf(judgement: Judgement | undefined): string {
  if (judgement === undefined || judgement.findings.length === 0) return 'open';
  return judgement.findings
    .map(({ direction, policies, allowedBy }) =>
      allowedBy === undefined
        ? `${direction} denied by ${policies.map(({ namespace, name }) => `${namespace}/${name}`).join()}`
        : `${direction} allowed by ${allowedBy.policy.namespace}/${allowedBy.policy.name} ${allowedBy.rule}`,
    )
    .join(', ');
}
