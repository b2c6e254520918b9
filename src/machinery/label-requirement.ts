import { formatFieldError, invalid, path, type FieldError, type FieldPath } from './field-error.js';
import { trimStart } from './trim.js';
import { isLabelValue, isQualifiedName } from './validation/names.js';

export type SelectorOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';

export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** Sorted and without duplicates when parsed from text. */
  readonly values: readonly string[];
}

/** A selector that cannot be understood; `message` is what the API server answers with 400. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

const INTEGER = /^[+-]?[0-9]+$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** strconv.ParseInt(text, 10, 64). */
export const parseInt64 = (text: string): bigint | undefined => {
  if (!INTEGER.test(text)) return undefined;
  // Leading zeros do not count, and a number of thousands of digits takes long to make.
  if (text.length > 64 && trimStart(text.replace(/^[+-]/, ''), '0').length > 19) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value >= MIN_INT64 && value <= MAX_INT64 ? value : undefined;
};

export function formatRequirement({ key, operator, values }: Requirement): string {
  const list = values.length > 1 ? [...values].sort().join(',') : (values[0] ?? '');
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${list})`;
    case 'gt':
      return `${key}>${list}`;
    case 'lt':
      return `${key}<${list}`;
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${list}`;
  }
}

/** What is wrong with a requirement, as upstream's NewRequirement says it. */
export function validateRequirement({ key, operator, values }: Requirement, at: FieldPath = path()): FieldError[] {
  const errors: FieldError[] = [];
  const keyProblems = isQualifiedName(key);
  if (keyProblems.length > 0) errors.push(invalid(at.child('key'), key, keyProblems.join('; ')));
  const valuesAt = at.child('values');
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) {
        errors.push(invalid(valuesAt, values, "for 'in', 'notin' operators, values set can't be empty"));
      }
      break;
    case '=':
    case '==':
    case '!=':
      if (values.length !== 1) {
        errors.push(invalid(valuesAt, values, 'exact-match compatibility requires one single value'));
      }
      break;
    case 'exists':
    case '!':
      if (values.length > 0) {
        errors.push(invalid(valuesAt, values, 'values set must be empty for exists and does not exist'));
      }
      break;
    case 'gt':
    case 'lt':
      if (values.length !== 1) {
        errors.push(invalid(valuesAt, values, "for 'Gt', 'Lt' operators, exactly one value is required"));
      }
      values.forEach((value, i) => {
        if (parseInt64(value) === undefined) {
          errors.push(invalid(valuesAt.index(i), value, "for 'Gt', 'Lt' operators, the value must be an integer"));
        }
      });
  }
  values.forEach((value, i) => {
    const problems = isLabelValue(value);
    if (problems.length > 0) errors.push(invalid(valuesAt.index(i).key(key), value, problems.join('; ')));
  });
  return errors;
}

/** utilerrors.Aggregate: distinct texts, in brackets when there are several. */
export const aggregate = (errors: readonly FieldError[]): string => {
  const texts = [...new Set(errors.map(formatFieldError))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
};
