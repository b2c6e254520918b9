import { forbidden, invalid, required, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import { parseFieldSelector, type FieldRequirement } from '../../machinery/fields.js';
import { parseLabelSelector } from '../../machinery/labels.js';
import { SelectorError, validateRequirement, type SelectorOperator } from '../../machinery/label-requirement.js';
import { validateLabelSelectorRequirement } from '../../machinery/validation/label-selector.js';
import { list } from '../validation/formats.js';

/** The fieldSelector or labelSelector of an access review's resourceAttributes. */
export interface AskedSelector {
  readonly rawSelector?: string;
  readonly requirements?: readonly Asked[];
}

interface Asked {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

/** A newer client's operators are let through: what is not understood only makes the question broader. */
function checkFieldRequirement(out: FieldError[], at: FieldPath, { key, operator, values }: Asked): void {
  if (!key) out.push(required(at.child('key'), 'must be specified'));
  const some = list(values).length > 0;
  if ((operator === 'In' || operator === 'NotIn') && !some)
    out.push(required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"));
  if ((operator === 'Exists' || operator === 'DoesNotExist') && some)
    out.push(forbidden(at.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
}

export function checkAskedSelector(
  out: FieldError[],
  at: FieldPath,
  of: 'fields' | 'labels',
  selector: AskedSelector | undefined,
): void {
  if (selector === undefined) return;
  const { rawSelector = '' } = selector;
  const requirements = list(selector.requirements);
  if (rawSelector !== '' && requirements.length > 0)
    out.push(invalid(at.child('rawSelector'), rawSelector, 'may not specified at the same time as requirements'));
  if (rawSelector === '' && requirements.length === 0) {
    const text = `when ${at.toString()} is specified, requirements or rawSelector is required`;
    out.push(required(at.child('requirements'), text));
  }
  requirements.forEach((requirement, i) => {
    const here = at.child('requirements').index(i);
    if (of === 'fields') checkFieldRequirement(out, here, requirement);
    else
      for (const one of validateLabelSelectorRequirement(requirement, here, { allowUnknownOperator: true }))
        out.push(one);
  });
}

/** What could be read of a selector, and whether all of it could. */
interface Understood<T> {
  readonly requirements: readonly T[];
  readonly whole: boolean;
}

function parsed<T>(parse: () => readonly T[]): Understood<T> {
  try {
    return { requirements: parse(), whole: true };
  } catch (error) {
    if (error instanceof SelectorError) return { requirements: [], whole: false };
    throw error;
  }
}

function understandEach<T>(asked: readonly Asked[], understand: (asked: Asked) => T | undefined): Understood<T> {
  const requirements = asked.map(understand).filter(requirement => requirement !== undefined);
  return { requirements, whole: requirements.length === asked.length };
}

function fieldRequirement({ key = '', operator, values = [] }: Asked): FieldRequirement | undefined {
  const [value] = values;
  if (value === undefined || values.length > 1) return undefined;
  if (operator === 'In') return { field: key, operator: '=', value };
  return operator === 'NotIn' ? { field: key, operator: '!=', value } : undefined;
}

const LABEL_OPERATORS: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** true: it is one; undefined: no authorizer could read it. */
function labelRequirement({ key = '', operator = '', values = [] }: Asked): true | undefined {
  const known = LABEL_OPERATORS[operator];
  if (known === undefined) return undefined;
  return validateRequirement({ key, operator: known, values }).length === 0 ? true : undefined;
}

/** `partially ignored` and the like, for status.evaluationError. */
function complaint(path: string, { requirements, whole }: Understood<unknown>): string[] {
  if (whole) return [];
  return [`${path} ${requirements.length > 0 ? 'partially ignored' : 'ignored'} due to parse error`];
}

export interface UnderstoodSelectors {
  /** undefined: no field selector was given. */
  readonly fields: readonly FieldRequirement[] | undefined;
  readonly problems: readonly string[];
}

/** Reads the selectors of a review that has been checked. */
export function understandSelectors(
  fieldSelector: AskedSelector | undefined,
  labelSelector: AskedSelector | undefined,
): UnderstoodSelectors {
  const problems: string[] = [];
  let fields: readonly FieldRequirement[] | undefined;
  if (fieldSelector !== undefined) {
    const { rawSelector } = fieldSelector;
    const understood = rawSelector
      ? parsed(() => parseFieldSelector(rawSelector).requirements)
      : understandEach(list(fieldSelector.requirements), fieldRequirement);
    fields = understood.requirements;
    for (const one of complaint('spec.resourceAttributes.fieldSelector', understood)) problems.push(one);
  }
  if (labelSelector !== undefined) {
    const { rawSelector } = labelSelector;
    const understood = rawSelector
      ? parsed(() => parseLabelSelector(rawSelector).requirements ?? [])
      : understandEach(list(labelSelector.requirements), labelRequirement);
    for (const one of complaint('spec.resourceAttributes.labelSelector', understood)) problems.push(one);
  }
  return { fields, problems };
}
