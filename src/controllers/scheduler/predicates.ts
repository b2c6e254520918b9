import type { DeepReadonly, Node, Pod, Taint, Toleration } from '../../machinery/types.js';
import { matchExpression } from './expressions.js';
import { fits, type NodeUsage } from './resources.js';

type ReadonlyPod = DeepReadonly<Pod>;
type ReadonlyNode = DeepReadonly<Node>;

/** core/v1/toleration.go ToleratesTaint */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Taint>): boolean {
  if ((toleration.effect ?? '') !== '' && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

export const untolerated = (
  pod: ReadonlyPod,
  taints: readonly DeepReadonly<Taint>[],
): DeepReadonly<Taint> | undefined =>
  taints.find(taint => !(pod.spec?.tolerations ?? []).some(toleration => tolerates(toleration, taint)));

export function matchesAffinity(pod: ReadonlyPod, node: ReadonlyNode): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  return terms.some(
    term =>
      (term.matchExpressions ?? []).length + (term.matchFields ?? []).length > 0 &&
      (term.matchExpressions ?? []).every(expression => matchExpression(labels, expression)) &&
      (term.matchFields ?? []).every(expression => matchExpression(fields, expression)),
  );
}

/**
 * Why a Pod cannot run on a node, in the words of kube-scheduler's plugins; undefined when it can. The order is that
 * of the default filter plugins.
 */
export function whyNot(pod: ReadonlyPod, node: ReadonlyNode, usage: NodeUsage): readonly string[] | undefined {
  if (node.spec?.unschedulable === true) {
    const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as Taint;
    if (untolerated(pod, [taint]) !== undefined) return ['node(s) were unschedulable'];
  }
  const hard = (node.spec?.taints ?? []).filter(taint => taint.effect !== 'PreferNoSchedule');
  const taint = untolerated(pod, hard);
  if (taint !== undefined) return [`node(s) had untolerated taint(s)`];
  if (!matchesAffinity(pod, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (!portsFree(pod, usage)) return ["node(s) didn't have free ports for the requested pod ports"];
  const short = fits(pod, node, usage);
  return short.length === 0 ? undefined : short;
}

const hostPorts = (pod: ReadonlyPod): string[] =>
  (pod.spec?.containers ?? []).flatMap(container =>
    (container.ports ?? []).filter(p => (p.hostPort ?? 0) > 0).map(p => `${p.protocol ?? 'TCP'}/${p.hostPort ?? 0}`),
  );

function portsFree(pod: ReadonlyPod, usage: NodeUsage): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return true;
  const taken = new Set(usage.pods.flatMap(hostPorts));
  return !wanted.some(port => taken.has(port));
}
