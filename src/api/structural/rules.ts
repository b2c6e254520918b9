import { newPace, type Pace } from '../../machinery/pace.js';
import { invalid, type FieldError, type FieldErrorType } from '../../machinery/field-error.js';
import type { Steps } from '../../machinery/steps.js';
import type { CheckedWrite } from '../kind-schema.js';
import { asked, createRuleValidator, OBJECT_BUDGET } from './cel/rule-validator.js';
import { Correlation } from './correlation.js';
import { checkEmbedded } from './embedded.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { checkListTypes } from './list-types.js';
import { createQuickCheck } from './quick-check.js';
import { NO_PATH } from './result.js';
import type { Structural } from './structural-schema.js';
import { createValueValidator } from './validator.js';
import { checkAgain } from './value-validator.js';

/** Of what is wrong in these ways, rules may not be able to say anything. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const UNCHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/**
 * What a schema says of values: types and limits, embedded objects, what lists may repeat, rules in CEL. What has not changed may be
 * as wrong as it is. Source: apiextensions-apiserver pkg/registry/customresource/{strategy,status_strategy}.go.
 */
export interface SchemaRules {
  readonly validate: (write: CheckedWrite, warn: (text: string) => void) => Steps<FieldError[]>;
}

/** What is asked of values beside their schema, between its own rules and those that build on them. */
export type MoreRules = (write: CheckedWrite) => readonly FieldError[];

export function createSchemaRules(props: JsonSchemaProps, schema: Structural, more?: MoreRules): SchemaRules {
  const whole = { validator: createValueValidator(props), isValid: createQuickCheck(props) };
  const statusProps = props.properties?.['status'];
  const status =
    statusProps === undefined
      ? undefined
      : { validator: createValueValidator(statusProps), isValid: createQuickCheck(statusProps) };
  const rules = createRuleValidator(props, true);
  const statusSchema = schema.properties.get('status');

  function* valueErrors({ subresource, partly, object, old }: CheckedWrite, pace: Pace): Steps<FieldError[]> {
    const isStatus = partly && subresource === 'status';
    const own = isStatus ? status : whole;
    const value = isStatus ? object['status'] : object;
    if (own === undefined || value === undefined || own.isValid(value)) return [];
    const { validator } = own;
    const within = isStatus ? 'status' : '';
    const correlation = isStatus
      ? new Correlation(value, old?.['status'], statusSchema, true)
      : new Correlation(value, old, schema, true);
    const result =
      old === undefined
        ? yield* validator.check(value, '', undefined, pace)
        : yield* checkAgain(validator, correlation, '', pace);
    return [...result.problems].map(problem => problem.error(within));
  }

  function* listErrors({ object, old }: CheckedWrite, pace: Pace): Steps<FieldError[]> {
    if (!schema.hasListTypes) return [];
    const errors: FieldError[] = [];
    yield* checkListTypes(object, schema, undefined, errors, pace);
    if (errors.length === 0 || old === undefined) return errors;
    const before: FieldError[] = [];
    yield* checkListTypes(old, schema, undefined, before, pace);
    return before.length > 0 ? [] : errors;
  }

  function* ruleErrors({ object, old }: CheckedWrite, errors: FieldError[], warn: (text: string) => void): Steps<void> {
    if (rules === undefined) return;
    if (errors.some(({ type }) => BLOCKING.has(type))) {
      errors.push(invalid(NO_PATH, undefined, UNCHECKED));
      return;
    }
    const correlation = old === undefined ? undefined : new Correlation(object, old, schema, true);
    yield* rules.check(object, old, undefined, asked(errors, warn, correlation), OBJECT_BUDGET);
  }

  return {
    *validate(write, warn) {
      const pace = newPace();
      const errors = yield* valueErrors(write, pace);
      for (const one of more?.(write) ?? []) errors.push(one);
      if (!(write.partly && write.subresource === 'status'))
        yield* checkEmbedded(write.object, schema, undefined, errors, pace);
      for (const one of yield* listErrors(write, pace)) errors.push(one);
      yield* ruleErrors(write, errors, warn);
      return errors;
    },
  };
}
