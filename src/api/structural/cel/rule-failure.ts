import {
  duplicate,
  duplicateOmitted,
  forbidden,
  invalid,
  invalidOmitted,
  required,
  type FieldError,
} from '../../../machinery/field-error.js';
import { trimSpace } from '../../../machinery/go-space.js';
import type { JsonSchemaProps, ValidationRule } from '../json-schema-props.js';

/** What a rule is called in errors. */
export const ruleText = ({ message = '', rule = '' }: ValidationRule): string =>
  message === '' ? trimSpace(rule) : trimSpace(message);

export const defaultMessage = (rule: ValidationRule): string =>
  (rule.message ?? '') === '' ? `failed rule: ${ruleText(rule)}` : ruleText(rule);

/** Objects and lists are not shown. */
export function ruleError(
  at: string,
  value: unknown,
  { type }: JsonSchemaProps,
  { reason }: ValidationRule,
  text: string,
): FieldError {
  const isOmitted = type === 'object' || type === 'array';
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(at, text);
    case 'FieldValueRequired':
      return required(at, text);
    case 'FieldValueDuplicate':
      return isOmitted ? duplicateOmitted(at) : duplicate(at, value);
    default:
      return isOmitted ? invalidOmitted(at, text) : invalid(at, value, text);
  }
}
