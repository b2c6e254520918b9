import { selectorOf, type Labels } from '../labels.js';
import { validateRequirement, type Requirement, type SelectorOperator } from '../label-requirement.js';
import type { DeepReadonly, Node, Pod } from '../types.js';

type ReadonlyPod = DeepReadonly<Pod>;
type ReadonlyNode = DeepReadonly<Node>;

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}
export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly Expression[];
  readonly matchFields?: readonly Expression[];
}

const OPERATORS: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

function requirementOf({ key, operator, values = [] }: Expression): Requirement | undefined {
  const known = OPERATORS[operator];
  if (known === undefined) return undefined;
  const requirement = { key, operator: known, values };
  return validateRequirement(requirement).length === 0 ? requirement : undefined;
}

const onlyIn = ({ operator, values = [] }: Expression): boolean =>
  (operator === 'In' || operator === 'NotIn') && values.length === 1;

/** A term that selects nothing, or that cannot be understood, matches no node (component-helpers nodeaffinity). */
export function termMatches(term: NodeSelectorTerm, labels: Labels, name: string): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const requirements = matchExpressions.map(requirementOf);
  if (requirements.includes(undefined) || !matchFields.every(onlyIn)) return false;
  if (!selectorOf(requirements as Requirement[]).matches(labels)) return false;
  return matchFields.every(
    ({ key, operator, values = [] }) => key === 'metadata.name' && (values[0] === name) === (operator === 'In'),
  );
}

/** The node's selector and required affinity. */
export function matchesRequiredNodeAffinity({ spec }: ReadonlyPod, { metadata }: ReadonlyNode): boolean {
  const labels = metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some(term => termMatches(term, labels, metadata.name ?? ''));
}
