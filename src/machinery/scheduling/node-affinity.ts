import type { DeepReadonly, Node, Pod } from '../types.js';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

const INTEGER = /^[+-]?\d{1,19}$/;

/** Gt and Lt compare integers; what is none matches nothing. */
function compares(value: string | undefined, values: readonly string[], holds: (a: bigint, b: bigint) => boolean) {
  const [bound = ''] = values;
  return value !== undefined && INTEGER.test(value) && INTEGER.test(bound) && holds(BigInt(value), BigInt(bound));
}

function matches(of: Readonly<Record<string, string>>, { key, operator, values = [] }: Requirement): boolean {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compares(value, values, (a, b) => a > b);
    case 'Lt':
      return compares(value, values, (a, b) => a < b);
    default:
      return false;
  }
}

/** nodeSelector and the required node affinity of a Pod (component-helpers nodeaffinity.GetRequiredNodeAffinity). */
export function matchesRequiredNodeAffinity(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  // A term without requirements selects nothing.
  return terms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      matchExpressions.length + matchFields.length > 0 &&
      matchExpressions.every(expression => matches(labels, expression)) &&
      matchFields.every(expression => matches(fields, expression)),
  );
}
