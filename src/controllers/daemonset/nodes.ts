import type { DaemonSet, DeepReadonly, Node, OwnerReference, Pod, Toleration } from '../../machinery/types.js';
import { podFromTemplate } from '../pod-template.js';
import { matchesRequiredNodeAffinity } from '../../machinery/scheduling/node-affinity.js';
import { untoleratedTaint } from '../../machinery/scheduling/tolerations.js';

export type ReadonlyDaemonSet = DeepReadonly<DaemonSet>;
export type ReadonlyNode = DeepReadonly<Node>;
export type ReadonlyPod = DeepReadonly<Pod>;

export const HASH_LABEL = 'controller-revision-hash';
export const GENERATION_LABEL = 'pod-template-generation';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

const tolerate = (key: string, effect: string): Toleration => ({ key, operator: 'Exists', effect });

/** Daemons stay on nodes in trouble: these are what others flee from (daemonset_util.go). */
const TOLERATIONS: readonly Toleration[] = [
  tolerate('node.kubernetes.io/not-ready', 'NoExecute'),
  tolerate('node.kubernetes.io/unreachable', 'NoExecute'),
  tolerate('node.kubernetes.io/disk-pressure', 'NoSchedule'),
  tolerate('node.kubernetes.io/memory-pressure', 'NoSchedule'),
  tolerate('node.kubernetes.io/pid-pressure', 'NoSchedule'),
  tolerate('node.kubernetes.io/unschedulable', 'NoSchedule'),
];
const HOST_NETWORK_TOLERATION = tolerate('node.kubernetes.io/network-unavailable', 'NoSchedule');

/** v1helper.AddOrUpdateTolerationInPodSpec: one of the same key, effect, operator and value is not added again. */
function withDaemonTolerations(spec: ReadonlyPod['spec']): Toleration[] {
  const have = [...(spec?.tolerations ?? [])] as Toleration[];
  for (const wanted of spec?.hostNetwork === true ? [...TOLERATIONS, HOST_NETWORK_TOLERATION] : TOLERATIONS) {
    const at = have.findIndex(
      t =>
        t.key === wanted.key && t.effect === wanted.effect && t.operator === wanted.operator && (t.value ?? '') === '',
    );
    if (at < 0) have.push(wanted);
    else have[at] = wanted;
  }
  return have;
}

export const templateGeneration = (set: ReadonlyDaemonSet): string | undefined =>
  set.metadata.annotations?.[GENERATION_ANNOTATION];

const onNode = (name: string) => ({
  nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
});

/** The Pod for one node: the scheduler binds it there, by an affinity that replaces the template's own node terms. */
export function daemonPod(set: ReadonlyDaemonSet, reference: OwnerReference, hash: string, node: string): Pod {
  const pod = podFromTemplate(set.spec?.template, set, reference);
  const affinity = pod.spec?.affinity;
  const generation = templateGeneration(set);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        [HASH_LABEL]: hash,
        ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
      },
    },
    spec: {
      ...(pod.spec as NonNullable<Pod['spec']>),
      tolerations: withDaemonTolerations(pod.spec),
      affinity: {
        ...affinity,
        nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: onNode(node) },
      },
    },
  };
}

/** The node a daemon Pod is on, or is meant for while it waits for the scheduler (GetTargetNodeName). */
export function targetNode(pod: ReadonlyPod): string | undefined {
  const bound = pod.spec?.nodeName ?? '';
  if (bound !== '') return bound;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const term of terms)
    for (const { key, operator, values = [] } of term.matchFields ?? [])
      if (key === 'metadata.name' && operator === 'In' && values.length === 1) return values[0];
  return undefined;
}

export interface NodeVerdict {
  /** A Pod should be made here. */
  readonly run: boolean;
  /** A Pod that is here already may stay. */
  readonly stay: boolean;
}

const NEITHER: NodeVerdict = { run: false, stay: false };

/** Source: daemon_controller.go NodeShouldRunDaemonPod. */
export function judgeNode(set: ReadonlyDaemonSet, node: ReadonlyNode): NodeVerdict {
  const spec = set.spec?.template.spec;
  const named = spec?.nodeName ?? '';
  if (named !== '' && named !== node.metadata.name) return NEITHER;
  const pod = { metadata: {}, spec: { ...spec, tolerations: withDaemonTolerations(spec) } } as ReadonlyPod;
  if (!matchesRequiredNodeAffinity(pod, node)) return NEITHER;
  const taints = node.spec?.taints ?? [];
  const hard = taints.filter(taint => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute');
  if (untoleratedTaint(pod, hard) === undefined) return { run: true, stay: true };
  const evicting = taints.filter(taint => taint.effect === 'NoExecute');
  return { run: false, stay: untoleratedTaint(pod, evicting) === undefined };
}

export const isUpdated = (set: ReadonlyDaemonSet, pod: ReadonlyPod, hash: string): boolean => {
  const generation = templateGeneration(set);
  return (
    (hash !== '' && pod.metadata.labels?.[HASH_LABEL] === hash) ||
    (generation !== undefined && pod.metadata.labels?.[GENERATION_LABEL] === generation)
  );
};
