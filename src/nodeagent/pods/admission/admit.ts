import { matchesRequiredNodeAffinity } from '../../../machinery/scheduling/node-affinity.js';
import { untoleratedTaint } from '../../../machinery/scheduling/tolerations.js';
import type { DeepReadonly, Node } from '../../../machinery/types.js';
import { forbiddenSysctl } from '../security.js';
import { containersOf, type ReadonlyPod } from '../types.js';
import { shortages, type Shortage } from './node-resources.js';

/** Why this node does not run a Pod that was bound to it: the status's reason, and its message without the prefix. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

export interface AdmissionInput {
  readonly pod: ReadonlyPod;
  readonly node: DeepReadonly<Node>;
  /** The Pods of this node that have been admitted and have not ended. */
  readonly others: readonly ReadonlyPod[];
}

/** What stands in the way: shortages, which a critical Pod can overcome, and all else. */
export interface Obstacles {
  readonly shortages: readonly Shortage[];
  readonly others: readonly Rejection[];
}

interface HostPort {
  readonly protocol: string;
  readonly ip: string;
  readonly port: number;
}

const ANY = '0.0.0.0';

const hostPorts = (pod: ReadonlyPod): HostPort[] =>
  containersOf(pod)
    .filter(c => c.kind === 'regular' || c.kind === 'sidecar')
    .flatMap(({ spec }) => spec.ports ?? [])
    .flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }) =>
      hostPort === 0 ? [] : [{ protocol, ip: hostIP === '' ? ANY : hostIP, port: hostPort }],
    );

/** Two Pods cannot have one port of a protocol on the same address; the unspecified address is every address. */
function portsFree(pod: ReadonlyPod, others: readonly ReadonlyPod[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return true;
  const taken = new Map<string, Set<string>>();
  for (const { protocol, ip, port } of others.flatMap(hostPorts)) {
    const key = `${protocol}/${port}`;
    taken.set(key, (taken.get(key) ?? new Set()).add(ip));
  }
  return wanted.every(({ protocol, ip, port }) => {
    const on = taken.get(`${protocol}/${port}`);
    return on === undefined || (ip !== ANY && !on.has(ip) && !on.has(ANY));
  });
}

const predicate = (name: string, why: string): Rejection => ({
  reason: name,
  message: `Predicate ${name} failed: ${why}`,
});

/** What the kubelet itself refuses before it looks at the node (its other admission handlers). */
export function unsupported({ pod }: Pick<AdmissionInput, 'pod'>): Rejection | undefined {
  const sysctl = forbiddenSysctl(pod);
  if (sysctl !== undefined)
    return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${JSON.stringify(sysctl)} not allowlisted` };
  const label = pod.metadata.labels?.['kubernetes.io/os'];
  if (label !== undefined && label !== 'linux')
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  if (pod.spec?.os !== undefined && pod.spec.os.name !== 'linux')
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  return undefined;
}

/** The kubelet's general predicates (scheduler.AdmissionCheck) and taints that throw Pods off a node. */
export function obstacles({ pod, node, others }: AdmissionInput): Obstacles {
  const found: Rejection[] = [];
  if (!matchesRequiredNodeAffinity(pod, node))
    found.push(predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector"));
  if (!portsFree(pod, others))
    found.push(predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports"));
  const evicting = (node.spec?.taints ?? []).filter(taint => taint.effect === 'NoExecute');
  if (untoleratedTaint(pod, evicting) !== undefined)
    found.push(predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate"));
  return { shortages: shortages(pod, others, node.status?.allocatable), others: found };
}

export const shortageRejection = ({ resource, requested, used, capacity }: Shortage): Rejection => ({
  reason: `OutOf${resource}`,
  message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
});
