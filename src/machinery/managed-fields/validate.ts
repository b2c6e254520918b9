import { formatGo, formatGoSyntax, goTypeName } from '../go-text.js';
import type { Field, FieldType, StructType } from '../schema.js';
import { formatElement, fieldElement } from './path-element.js';
import { asMap, DEDUCED, fieldOf, itemElement, SchemaError, shapeOf, type JsonMap } from './shape.js';

/**
 * Whether a configuration fits the schema. Texts are those of structured-merge-diff typed/validate.go, Go's value
 * dumps included.
 */

type Problems = string[];

/** Where a value is: its last path element and where the rest of it is. Written out for problems only. */
interface Place {
  readonly element: string;
  readonly within: Place | undefined;
}

function at(place: Place | undefined, text: string): string {
  if (place === undefined) return text;
  const parts: string[] = [];
  for (let here: Place | undefined = place; here !== undefined; here = here.within)
    parts.push(formatElement(here.element));
  return `${parts.reverse().join('')}: ${text}`;
}

/** Go prints the wrapper of the value, `&{x}`, in %v and %#v. */
const dump = (value: unknown): string => `&{${formatGo(value)}}`;

function scalarProblem(value: unknown, type: FieldType): string | undefined {
  const kind = typeof value;
  switch (type.kind) {
    case 'integer':
    case 'number':
      return kind === 'number' ? undefined : `expected numeric (int or float), got ${goTypeName(value)}`;
    case 'string':
    case 'bytes':
      return kind === 'string'
        ? undefined
        : `expected string, got &value.valueUnstructured{Value:${formatGoSyntax(value)}}`;
    case 'boolean':
      return kind === 'boolean' ? undefined : `expected boolean, got ${dump(value)}`;
    default:
      return kind === 'object' ? `expected any scalar, got ${dump(value)}` : undefined;
  }
}

function checkMap(map: JsonMap, type: FieldType, path: Place | undefined, problems: Problems): void {
  for (const name in map) {
    const here = { element: fieldElement(name), within: path };
    const field = type.kind === 'struct' ? fieldOf(type.struct, name) : type.kind === 'any' ? DEDUCED : undefined;
    const memberType = field?.type ?? (type.kind === 'map' ? type.values : undefined);
    if (memberType === undefined) {
      problems.push(at(here, 'field not declared in schema'));
      return;
    }
    check(map[name], memberType, field, here, problems);
  }
}

function checkList(
  list: readonly unknown[],
  type: FieldType,
  field: Field | undefined,
  path: Place,
  problems: Problems,
): void {
  if (type.kind !== 'list') return;
  const shape = shapeOf(type, field);
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    let element = `i:${i}`;
    if (field !== undefined && (shape === 'keyed' || shape === 'set')) {
      try {
        element = itemElement(item, shape, field, type.items);
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error;
        problems.push(at(path, `element ${i}: ${error.message}`));
        return;
      }
      if (seen.has(element)) problems.push(at(path, `duplicate entries for key ${formatElement(element)}`));
      seen.add(element);
    }
    check(item, type.items, undefined, { element, within: path }, problems);
  }
}

function check(value: unknown, type: FieldType, field: Field | undefined, path: Place, problems: Problems): void {
  if (value === null || value === undefined) return;
  switch (type.kind) {
    case 'struct':
    case 'map': {
      const map = asMap(value);
      if (map === undefined) problems.push(at(path, `expected map, got ${dump(value)}`));
      else checkMap(map, type, path, problems);
      return;
    }
    case 'list':
      if (Array.isArray(value)) checkList(value, type, field, path, problems);
      else problems.push(at(path, `expected list, got ${dump(value)}`));
      return;
    case 'any':
      return;
    default: {
      const problem = scalarProblem(value, type);
      if (problem !== undefined) problems.push(at(path, problem));
    }
  }
}

/** Throws a SchemaError that says what is wrong, with paths such as `.spec.containers[name="a"].foo`. */
export function validateConfiguration(object: JsonMap, struct: StructType): void {
  const problems: Problems = [];
  checkMap(object, { kind: 'struct', struct }, undefined, problems);
  const first = problems[0];
  if (first === undefined) return;
  throw new SchemaError(problems.length === 1 ? first : ['errors:', ...problems.map(p => `  ${p}`)].join('\n'));
}
