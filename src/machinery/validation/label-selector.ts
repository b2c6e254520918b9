import { errorList, forbidden, invalid, required, type FieldError, type FieldPath } from '../field-error.js';
import type { DeepReadonly, LabelSelector } from '../types.js';
import { isLabelValue, isQualifiedName } from './names.js';

/** Source: apimachinery pkg/apis/meta/v1/validation. */

export const validateLabelName = (name: string, at: FieldPath): FieldError[] =>
  isQualifiedName(name).map(text => invalid(at, name, text));

/** Keys and values; both kinds of error carry the path of the map. */
export function validateLabels(labels: Readonly<Record<string, string>> | undefined, at: FieldPath): FieldError[] {
  const errors = errorList();
  for (const key in labels) {
    for (const one of validateLabelName(key, at)) errors.push(one);
    const value = labels[key] ?? '';
    for (const text of isLabelValue(value)) errors.push(invalid(at, value, text));
  }
  return errors;
}

export interface LabelSelectorOptions {
  /** Values of matchExpressions are not checked: for objects stored before they were. */
  readonly allowInvalidValues?: boolean;
  readonly allowUnknownOperator?: boolean;
}

export function validateLabelSelector(
  selector: DeepReadonly<LabelSelector> | undefined | null,
  at: FieldPath,
  options: LabelSelectorOptions = {},
): FieldError[] {
  if (selector === undefined || selector === null) return [];
  const errors = validateLabels(selector.matchLabels, at.child('matchLabels'));
  selector.matchExpressions?.forEach((requirement, i) => {
    for (const one of validateLabelSelectorRequirement(requirement, at.child('matchExpressions').index(i), options))
      errors.push(one);
  });
  return errors;
}

interface SelectorRequirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[] | null;
}

/** One of a selector's matchExpressions. */
export function validateLabelSelectorRequirement(
  requirement: SelectorRequirement,
  here: FieldPath,
  options: LabelSelectorOptions = {},
): FieldError[] {
  const errors = errorList();
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(here.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(
          forbidden(here.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
      break;
    default:
      if (options.allowUnknownOperator !== true) {
        errors.push(invalid(here.child('operator'), requirement.operator ?? '', 'not a valid selector operator'));
      }
  }
  for (const one of validateLabelName(requirement.key ?? '', here.child('key'))) errors.push(one);
  if (options.allowInvalidValues !== true) {
    values.forEach((value, j) => {
      for (const text of isLabelValue(value)) errors.push(invalid(here.child('values').index(j), value, text));
    });
  }
  return errors;
}
