import { selectorOf } from '../labels.js';
import type { SelectorOperator } from '../label-requirement.js';
import type { DeepReadonly, Pod } from '../types.js';
import { compareAmounts } from './resource-list.js';

/** One condition of a quota on the objects that it counts. */
export interface ScopeRequirement {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** The parts of ResourceQuotaSpec that choose objects. */
export interface ScopedSpec {
  readonly scopes?: readonly string[];
  readonly scopeSelector?: { readonly matchExpressions?: readonly ScopeRequirement[] };
}

/** Plain scopes ask that they hold. */
export const scopeRequirements = (spec: ScopedSpec | undefined): readonly ScopeRequirement[] => [
  ...(spec?.scopes ?? []).map(scopeName => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
];

const OPERATORS: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** Whether one of the names, or having none, is what a requirement asks for. */
export function namesMatch({ scopeName, operator, values = [] }: ScopeRequirement, names: readonly string[]): boolean {
  if (operator === 'Exists') return names.length > 0;
  const selectorOperator = OPERATORS[operator];
  if (selectorOperator === undefined) return false;
  const selector = selectorOf([{ key: scopeName, operator: selectorOperator, values }]);
  return names.length === 0 ? selector.matches({}) : names.some(name => selector.matches({ [scopeName]: name }));
}

type ReadonlyPod = DeepReadonly<Pod>;

export const isTerminating = ({ spec }: ReadonlyPod): boolean => (spec?.activeDeadlineSeconds ?? -1) >= 0;

const isPositive = (amount: string | undefined): boolean => amount !== undefined && compareAmounts(amount, '0') > 0;

/** The kubelet's word, or, before it has one, whether nothing asks for cpu or memory. */
function isBestEffort({ spec, status }: ReadonlyPod): boolean {
  if (status?.qosClass !== undefined && status.qosClass !== '') return status.qosClass === 'BestEffort';
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return [spec?.resources, ...containers.map(container => container.resources)]
    .flatMap(resources => [resources?.requests, resources?.limits])
    .every(list => !isPositive(list?.['cpu']) && !isPositive(list?.['memory']));
}

function crossesNamespaces({ spec }: ReadonlyPod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity]
    .flatMap(affinity => [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(term => term.podAffinityTerm),
    ])
    .some(term => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined);
}

export function podMatchesScope(pod: ReadonlyPod, requirement: ScopeRequirement): boolean {
  switch (requirement.scopeName) {
    case 'Terminating':
      return isTerminating(pod);
    case 'NotTerminating':
      return !isTerminating(pod);
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass':
      return namesMatch(requirement, pod.spec?.priorityClassName ? [pod.spec.priorityClassName] : []);
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(pod);
    default:
      return false;
  }
}
