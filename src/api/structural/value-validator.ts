import type { Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { Correlation } from './correlation.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { Result } from './result.js';

/**
 * Checks values against a schema as kube-openapi pkg/validation/validate does, text by text and count by count: which
 * alternative of several is the best one depends on how many checks it passed.
 */
export interface ValueValidator {
  check(value: unknown, name: string, old: Correlation | undefined, pace: Pace): Steps<Result>;
}

/**
 * What a schema says of types. Upstream checks objects by one form of it, and the defaults in it by another: there an
 * unknown format is one for all that, and what may be an integer or a string may be anything.
 */
export type TypeReading = 'objects' | 'defaults';

/** Makes the validators of schemas that are in others. */
export type MakeValidator = (schema: JsonSchemaProps) => ValueValidator;

/** What one keyword or a few of them say of a value. */
export type Check = (value: unknown, name: string, result: Result) => void;

/** As its check, of a value that was there before: when it has not changed, it may be wrong. */
export function* checkAgain(validator: ValueValidator, old: Correlation, name: string, pace: Pace): Steps<Result> {
  const result = yield* validator.check(old.value, name, old, pace);
  return result.isValid || !old.isEqual() ? result : new Result();
}
