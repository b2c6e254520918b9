import type { JsonSchemaProps } from './json-schema-props.js';

export interface FoundField {
  /** Members on the way, `keyed` in brackets. */
  readonly steps: readonly { readonly name: string; readonly keyed: boolean }[];
  /** undefined: anything may be there. */
  readonly schema: JsonSchemaProps | undefined;
}

/** Upstream's words for why a path leads nowhere. */
export class FieldPathError extends Error {
  override readonly name = 'FieldPathError';
}

/** The delimiters, quoted names and whatever is between them. */
function* tokens(path: string): Generator<string, undefined, void> {
  for (let at = 0; at < path.length;) {
    let end = at + 1;
    if (path[at] === "'") {
      while (end < path.length && !(path[end] === "'" && path[end - 1] !== '\\')) end++;
      end++;
    } else if (!isDelimiter(path[at])) while (end < path.length && !isDelimiter(path[end])) end++;
    yield path.slice(at, end);
    at = end;
  }
  return undefined;
}

const isDelimiter = (char: string | undefined): boolean => char === '.' || char === '[' || char === ']';

const NONE: Readonly<Record<string, JsonSchemaProps>> = {};
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};

const unquote = (text: string): string =>
  text.replace(/\\./g, escape => {
    const char = ESCAPES[escape[1] ?? ''];
    if (char === undefined) throw new FieldPathError(`invalid string literal: invalid escape char ${escape}`);
    return char;
  });

/** @throws FieldPathError */
export type FieldFinder = (path: string) => FoundField;

/**
 * Finds the fields that paths lead to: `.spec.a`, `.map['key']`. There may be as many paths as there are fields.
 * Source: ValidFieldPath of apiextensions-apiserver pkg/apiserver/schema/cel/validation.go.
 */
export function createFieldFinder(root: JsonSchemaProps, options: { readonly brackets: boolean }): FieldFinder {
  const empty = new Map<object, boolean>();
  const isEmpty = (properties: object): boolean => {
    let known = empty.get(properties);
    if (known === undefined) empty.set(properties, (known = Object.keys(properties).length === 0));
    return known;
  };
  return path => findField(path, root, options.brackets, isEmpty);
}

function findField(
  path: string,
  root: JsonSchemaProps,
  brackets: boolean,
  isEmpty: (properties: object) => boolean,
): FoundField {
  const steps: { name: string; keyed: boolean }[] = [];
  let schema: JsonSchemaProps | undefined = root;
  const source = tokens(path);
  const next = (): string => {
    const { value } = source.next();
    if (value === undefined) throw new FieldPathError('unexpected end of JSON path');
    return value;
  };
  const step = (name: string): void => {
    const { properties = NONE, additionalProperties } = schema ?? {};
    const keyed = isEmpty(properties);
    if (keyed && additionalProperties === undefined) throw new FieldPathError('does not refer to a valid field');
    if (!keyed && !Object.hasOwn(properties, name)) throw new FieldPathError('does not refer to a valid field');
    steps.push({ name, keyed });
    schema = !keyed ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined;
  };
  for (let token = source.next().value; token !== undefined; token = source.next().value) {
    if (token === '.') step(next());
    else if (token !== '[') throw new FieldPathError(`expected [ or . but got: ${token}`);
    else {
      if (!brackets) throw new FieldPathError('array notation is not allowed');
      const name = next();
      if (name.length < 2 || !name.startsWith("'") || !name.endsWith("'"))
        throw new FieldPathError(`expected single quoted string but got ${name}`);
      step(unquote(name.slice(1, -1)));
      const close = next();
      if (close !== ']') throw new FieldPathError(`expected ] but got ${close}`);
    }
  }
  return { steps, schema };
}

/** The path as errors print it. */
export const fieldText = ({ steps }: FoundField): string =>
  steps.map(({ name, keyed }, i) => (keyed ? `[${name}]` : `${i === 0 ? '' : '.'}${name}`)).join('');
