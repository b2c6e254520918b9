import type { DeepReadonly } from '../machinery/types.js';
import { labelValueErrors, list } from './validation/formats.js';

/** Labels of nodes that have newer names. */
export const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly DeepReadonly<{ key: string; operator: string; values?: string[] }>[] | undefined;
}

/** Warnings about a term of a node selector at `at`. `values`: also about values that no label can have. */
export function nodeSelectorTermWarnings(term: NodeSelectorTerm | undefined, at: string, values = false): string[] {
  return list(term?.matchExpressions).flatMap((expression, i) => {
    const here = `${at}.matchExpressions[${i}]`;
    const text = DEPRECATED_NODE_LABELS[expression.key];
    const out = text === undefined ? [] : [`${here}.key: ${expression.key} is ${text}`];
    if (!values) return out;
    const bad = list(expression.values).flatMap((value, j) =>
      labelValueErrors(value).map(problem => `${here}.values[${j}]: ${value} is invalid, ${problem}`),
    );
    return [...out, ...bad];
  });
}
