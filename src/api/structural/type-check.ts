import { formatCheck } from './formats.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { isJsonInteger, isWhole } from './numbers.js';
import * as problem from './result.js';
import type { Check, TypeReading } from './value-validator.js';

const TYPE_NAMES: Readonly<Record<string, string>> = { string: 'string', boolean: 'boolean' };

function typeName(value: unknown): string {
  if (typeof value === 'number') return isWhole(value) ? 'integer' : 'number';
  if (Array.isArray(value)) return 'array';
  return TYPE_NAMES[typeof value] ?? 'object';
}

/** undefined: neither a type nor a known format is asked for. */
export function typeCheck(schema: JsonSchemaProps, reading: TypeReading): Check | undefined {
  const isEither = schema['x-kubernetes-int-or-string'] === true && reading === 'objects';
  const types = isEither ? ['integer', 'string'] : schema.type ? [schema.type] : [];
  const isFormat = reading === 'defaults' || formatCheck(schema.format) !== undefined;
  const format = isFormat ? (schema.format ?? '') : '';
  if (types.length === 0 && format === '') return undefined;
  const wanted = types.join(',');
  const isNumeric = types.includes('number') || types.includes('integer');
  return (value, name, result) => {
    if (value === null) {
      if (types.length > 0 && schema.nullable !== true) result.add(problem.wrongType(name, wanted, 'null'));
      else result.matches++;
      return;
    }
    const found = typeName(value);
    const fits =
      types.includes(found) ||
      (found === 'integer' && types.includes('number')) ||
      (found === 'number' && types.includes('integer') && isJsonInteger(value as number));
    const isText = found === 'string' || found === 'array';
    const own = found === 'integer' ? 'int64' : found === 'number' ? 'float64' : '';
    if (format !== '' && !isText && !fits && own !== format) {
      result.add(problem.wrongType(name, format, own));
    } else if (format !== '' && isText && !isNumeric) result.matches++;
    else if (fits) result.matches++;
    else result.add(problem.wrongType(name, wanted, found));
  };
}
