import { isDue } from '../../machinery/pace.js';
import { combinations } from './combinations.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { memberCheck } from './member-check.js';
import { Result } from './result.js';
import { typeCheck } from './type-check.js';
import { enumCheck, listCheck, numberCheck, stringCheck, valueFormatCheck } from './value-checks.js';
import { checkAgain, type MakeValidator, type TypeReading, type ValueValidator } from './value-validator.js';
import { isMap } from './walk.js';

/** Compiled when first needed: few values of an object are ever there. */
export function createValueValidator(schema: JsonSchemaProps, reading: TypeReading = 'objects'): ValueValidator {
  let compiled: ValueValidator['check'] | undefined;
  return {
    check: (value, name, old, pace) => (compiled ??= compile(schema, reading))(value, name, old, pace),
  };
}

function compile(schema: JsonSchemaProps, reading: TypeReading): ValueValidator['check'] {
  const make: MakeValidator = inner => createValueValidator(inner, reading);
  const ofType = typeCheck(schema, reading);
  const ofString = stringCheck(schema);
  const ofFormat = valueFormatCheck(schema);
  const ofNumber = numberCheck(schema);
  const ofEnum = enumCheck(schema);
  const combined = combinations(schema, make);
  const items = schema.items ? make(schema.items) : undefined;
  const members = memberCheck(schema, make);
  return function* (value, name, old, pace) {
    const result = new Result();
    if (value === null || value === undefined) {
      if (ofType === undefined) result.matches++;
      else ofType(null, name, result);
      ofEnum?.(null, name, result);
      return result;
    }
    if (isDue(pace)) yield;
    if (ofType !== undefined) {
      ofType(value, name, result);
      result.matches++;
    }
    // Each kind of check that is made counts, whether it finds anything to look at or not.
    result.matches++;
    if (combined === undefined) result.matches++;
    else result.merge(yield* combined(value, name, old, pace));
    if (typeof value === 'string') {
      if (ofString !== undefined) yield* ofString(value, name, result);
      result.matches++;
      if (ofFormat !== undefined) {
        ofFormat(value, name, result);
        result.matches++;
      }
    } else if (typeof value === 'number') {
      ofNumber?.(value, name, result);
      result.matches += 2;
    } else if (Array.isArray(value)) {
      for (const [i, item] of items === undefined ? [] : value.entries()) {
        const at = `${name}[${i}]`;
        const child = old?.index(i);
        const checked = items as ValueValidator;
        result.merge(
          child === undefined ? yield* checked.check(item, at, old, pace) : yield* checkAgain(checked, child, at, pace),
        );
      }
      listCheck(schema, value, name, result);
      result.matches += 2;
    }
    ofEnum?.(value, name, result);
    result.matches++;
    if (isMap(value)) {
      yield* members(value, name, old, result, pace);
      result.matches++;
    }
    result.matches++;
    return result;
  };
}
