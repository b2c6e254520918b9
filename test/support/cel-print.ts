import { entriesOf } from '../../src/machinery/cel/standard/library.js';
import { formatDouble } from '../../src/machinery/cel/standard/numbers.js';
import { formatTime } from '../../src/machinery/cel/standard/times.js';
import { itemsOf, type Value } from '../../src/machinery/cel/values.js';

/** A value with its type, as test/fixtures/cel/cel-go.json has what cel-go made of an expression. */
export function printValue(value: Value): string {
  switch (typeof value) {
    case 'bigint':
      return `int ${value}`;
    case 'number':
      return `double ${formatDouble(value)}`;
    case 'string':
      return `string ${JSON.stringify(value)}`;
    case 'boolean':
      return `bool ${value}`;
    default:
  }
  if (value === null) return 'null';
  switch (value.kind) {
    case 'uint':
      return `uint ${value.value}`;
    case 'bytes':
      return `bytes ${Buffer.from(value.value).toString('hex')}`;
    case 'timestamp':
      return `timestamp ${formatTime(value.nanos, value.offset)}`;
    case 'duration':
      return `duration ${value.nanos}`;
    case 'type':
      return `type ${value.type.name}`;
    case 'optional':
      return `optional(${value.value === undefined ? '' : printValue(value.value)})`;
    case 'list':
      return `list${value.size}[${itemsOf(value).map(printValue).join(', ')}]`;
    case 'map': {
      const entries = [...entriesOf(value)].map(([key, of]) => `${printValue(key)}: ${printValue(of)}`);
      return `map{${entries.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join(', ')}}`;
    }
    case 'error':
      return value.message;
    default:
      return `other ${value.type.name}`;
  }
}
