import { quote } from './go-text.js';
import {
  aggregate,
  formatRequirement,
  parseInt64,
  SelectorError,
  validateRequirement,
  type Requirement,
  type SelectorOperator,
} from './label-requirement.js';
import { parseRequirements } from './label-syntax.js';
import type { DeepReadonly, LabelSelector } from './types.js';

/** Label selectors: the text form of queries and the object form of specs. Source: apimachinery pkg/labels. */

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  matches(labels: Labels | undefined | null): boolean;
  /** Sorted by key. Empty also for `nothing`, see `selectable`. */
  readonly requirements: readonly Requirement[];
  /** False when the selector matches nothing by definition. */
  readonly selectable: boolean;
  /** True when everything matches. */
  readonly empty: boolean;
  /** The text form, which parses to an equal selector. */
  toString(): string;
}

/** Sets longer than this are looked up by hash. */
const FEW_VALUES = 8;

/** Whether a value is one of a requirement's. */
const membership = ({ values }: Requirement): ((value: string) => boolean) => {
  if (values.length <= FEW_VALUES) return value => values.includes(value);
  const set = new Set(values);
  return value => set.has(value);
};

function requirementMatches(
  { key, operator, values }: Requirement,
  isOneOf: (value: string) => boolean,
  labels: Labels,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && isOneOf(value);
    case 'notin':
    case '!=':
      return value === undefined || !isOneOf(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const actual = value === undefined ? undefined : parseInt64(value);
      const bound = values.length === 1 ? parseInt64(values[0] ?? '') : undefined;
      if (actual === undefined || bound === undefined) return false;
      return operator === 'gt' ? actual > bound : actual < bound;
    }
  }
}

const NO_LABELS: Labels = {};
const byKey = (a: Requirement, b: Requirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** The conjunction of requirements that are known to be valid. */
export function selectorOf(requirements: readonly Requirement[]): Selector {
  const sorted = [...requirements].sort(byKey);
  const tests = sorted.map(requirement => [requirement, membership(requirement)] as const);
  return {
    requirements: sorted,
    selectable: true,
    empty: sorted.length === 0,
    matches: labels =>
      tests.every(([requirement, isOneOf]) => requirementMatches(requirement, isOneOf, labels ?? NO_LABELS)),
    toString: () => sorted.map(formatRequirement).join(','),
  };
}

export const everything: Selector = selectorOf([]);
export const nothing: Selector = {
  requirements: [],
  selectable: false,
  empty: false,
  matches: () => false,
  toString: () => '',
};

/** Equality with every label of a map, e.g. a Service's spec.selector. Values are not checked. */
export const selectorFromLabels = (labels: Labels | undefined | null): Selector =>
  selectorOf(Object.entries(labels ?? NO_LABELS).map(([key, value]) => ({ key, operator: '=', values: [value] })));

/** The labelSelector of a query. @throws SelectorError with upstream's text */
export const parseLabelSelector = (text: string): Selector =>
  text === '' ? everything : selectorOf(parseRequirements(text));

const OPERATORS = new Map<string, SelectorOperator>([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/**
 * A LabelSelector object as a selector: none selects nothing, an empty one everything.
 * @throws SelectorError when it is not valid (validateLabelSelector gives field errors)
 */
export function labelSelectorAsSelector(selector: DeepReadonly<LabelSelector> | undefined | null): Selector {
  if (selector === undefined || selector === null) return nothing;
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? NO_LABELS).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OPERATORS.get(operator);
    if (known === undefined) {
      throw new SelectorError(`${quote(operator)} is not a valid label selector operator`);
    }
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  for (const requirement of requirements) {
    const errors = validateRequirement(requirement);
    if (errors.length > 0) throw new SelectorError(aggregate(errors));
  }
  return selectorOf(requirements);
}

/** The text form of a LabelSelector object, as scale's status.selector and tables show it. @throws SelectorError */
export const formatLabelSelector = (selector: DeepReadonly<LabelSelector> | undefined | null): string =>
  labelSelectorAsSelector(selector).toString();
