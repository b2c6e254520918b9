import { formatGo, formatGoSyntax, goTypeName } from '../go-text.js';
import { isDue, newPace, type Pace } from '../pace.js';
import type { Field, FieldType, StructType } from '../schema.js';
import type { Steps } from '../steps.js';
import { formatElement, fieldElement } from './path-element.js';
import { asMap, DEDUCED, fieldOf, itemElement, SchemaError, shapeOf, type JsonMap } from './shape.js';

/**
 * Whether a configuration fits the schema. Texts are those of structured-merge-diff typed/validate.go, Go's value
 * dumps included.
 */

/** Written out when all are found: a client may send 300,000 of them. */
interface Problems {
  readonly found: { readonly place: Place | undefined; readonly text: () => string }[];
  readonly pace: Pace;
}

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

function note(problems: Problems, place: Place | undefined, text: () => string): void {
  problems.found.push({ place, text });
}

function* checkMap(map: JsonMap, type: FieldType, path: Place | undefined, problems: Problems): Steps<void> {
  for (const name in map) {
    if (isDue(problems.pace)) yield;
    const value = map[name];
    const field = type.kind === 'struct' ? fieldOf(type.struct, name) : type.kind === 'any' ? DEDUCED : undefined;
    const memberType = field?.type ?? (type.kind === 'map' ? type.values : undefined);
    if (memberType === undefined) {
      const here = { element: fieldElement(name), within: path };
      note(problems, here, () => 'field not declared in schema');
      return;
    }
    if (isFine(value, memberType)) continue;
    const work = check(value, memberType, field, { element: fieldElement(name), within: path }, problems);
    if (work !== undefined) yield* work;
  }
}

function* checkList(
  list: readonly unknown[],
  type: FieldType,
  field: Field | undefined,
  path: Place,
  problems: Problems,
): Steps<void> {
  if (type.kind !== 'list') return;
  const shape = shapeOf(type, field);
  const seen = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    if (isDue(problems.pace)) yield;
    const item = list[i];
    let element: string | undefined;
    if (field !== undefined && (shape === 'keyed' || shape === 'set')) {
      try {
        element = itemElement(item, shape, field, type.items);
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error;
        const { message } = error;
        note(problems, path, () => `element ${i}: ${message}`);
        return;
      }
      if (seen.has(element)) noteDuplicate(problems, path, element);
      seen.add(element);
    }
    if (isFine(item, type.items)) continue;
    const work = check(item, type.items, undefined, { element: element ?? `i:${i}`, within: path }, problems);
    if (work !== undefined) yield* work;
  }
}

const noteDuplicate = (problems: Problems, path: Place, element: string): void =>
  note(problems, path, () => `duplicate entries for key ${formatElement(element)}`);

/** Seen without a place for it: most values are texts where texts belong. */
const isFine = (value: unknown, { kind }: FieldType): boolean =>
  value === null || value === undefined || kind === 'any' || (typeof value === 'string' && kind === 'string');

/** The work of looking into a value; undefined: there is nothing in it, and what is wrong was noted. */
function check(
  value: unknown,
  type: FieldType,
  field: Field | undefined,
  path: Place,
  problems: Problems,
): Steps<void> | undefined {
  switch (type.kind) {
    case 'struct':
    case 'map': {
      const map = asMap(value);
      if (map !== undefined) return checkMap(map, type, path, problems);
      note(problems, path, () => `expected map, got ${dump(value)}`);
      return undefined;
    }
    case 'list':
      if (Array.isArray(value)) return checkList(value, type, field, path, problems);
      note(problems, path, () => `expected list, got ${dump(value)}`);
      return undefined;
    default: {
      const problem = scalarProblem(value, type);
      if (problem !== undefined) note(problems, path, () => problem);
      return undefined;
    }
  }
}

/** Throws a SchemaError that says what is wrong, with paths such as `.spec.containers[name="a"].foo`. */
export function* validateConfiguration(object: JsonMap, struct: StructType): Steps<void> {
  const pace = newPace();
  const found: Problems['found'] = [];
  yield* checkMap(object, { kind: 'struct', struct }, undefined, { found, pace });
  const [first] = found;
  if (first === undefined) return;
  if (found.length === 1) throw new SchemaError(at(first.place, first.text()));
  let message = 'errors:';
  for (const { place, text } of found) {
    if (isDue(pace)) yield;
    message += `\n  ${at(place, text())}`;
  }
  throw new SchemaError(message);
}
