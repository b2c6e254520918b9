import type { Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { Correlation } from './correlation.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import * as problem from './result.js';
import { Result } from './result.js';
import type { MakeValidator, ValueValidator } from './value-validator.js';

/** anyOf, oneOf, allOf and not; undefined: there is none of them. */
export function combinations(schema: JsonSchemaProps, make: MakeValidator): ValueValidator['check'] | undefined {
  const validators = (list: readonly JsonSchemaProps[] = []): ValueValidator[] => list.map(one => make(one));
  const anyOf = validators(schema.anyOf);
  const oneOf = validators(schema.oneOf);
  const allOf = validators(schema.allOf);
  const not = schema.not === undefined ? undefined : make(schema.not);
  if (anyOf.length + oneOf.length + allOf.length === 0 && not === undefined) return undefined;
  return function* (value, name, old, pace) {
    const result = new Result();
    if (anyOf.length > 0) yield* checkAny(anyOf, value, name, old, result, pace);
    if (oneOf.length > 0) yield* checkOne(oneOf, value, name, old, result, pace);
    if (allOf.length > 0) {
      let valid = 0;
      for (const validator of allOf) {
        const one = yield* validator.check(value, name, old, pace);
        if (one.isValid) valid++;
        result.merge(one);
      }
      if (valid < allOf.length) result.add(problem.notAllOf(name, valid === 0));
    }
    if (not !== undefined && (yield* not.check(value, name, old, pace)).isValid) result.add(problem.isNot(name));
    result.matches++;
    return result;
  };
}

/** The first valid one is enough; when there is none, the problems of the one that came closest are shown. */
function* checkAny(
  validators: readonly ValueValidator[],
  value: unknown,
  name: string,
  old: Correlation | undefined,
  result: Result,
  pace: Pace,
): Steps<void> {
  let best: Result | undefined;
  for (const validator of validators) {
    const one = yield* validator.check(value, name, old, pace);
    if (one.isValid) return result.merge(one);
    if (best === undefined || one.matches > best.matches) best = one;
  }
  result.add(problem.noneOfAny(name));
  if (best !== undefined) result.merge(best);
}

function* checkOne(
  validators: readonly ValueValidator[],
  value: unknown,
  name: string,
  old: Correlation | undefined,
  result: Result,
  pace: Pace,
): Steps<void> {
  let best: Result | undefined;
  let first: Result | undefined;
  let valid = 0;
  for (const validator of validators) {
    const one = yield* validator.check(value, name, old, pace);
    if (one.isValid) {
      valid++;
      first ??= one;
    } else if (valid === 0 && (best === undefined || one.matches > best.matches)) best = one;
  }
  if (valid === 1 && first !== undefined) return result.merge(first);
  result.add(problem.notOneOf(name, valid));
  if (valid === 0 && best !== undefined) result.merge(best);
}
