import { isObject, mapMembers } from './json.js';

const V2_DEFINITIONS = '#/definitions/';
const V3_SCHEMAS = '#/components/schemas/';

/** Where other schemas are in a schema: one, a list of them, or some by name. */
const INNER: Readonly<Record<string, 'named' | 'inner'>> = {
  properties: 'named',
  items: 'inner',
  additionalProperties: 'inner',
  additionalItems: 'inner',
  patternProperties: 'named',
  definitions: 'named',
  dependencies: 'named',
  allOf: 'inner',
  anyOf: 'inner',
  oneOf: 'inner',
  not: 'inner',
};

/** A definition's new place. What refers to anything else has no form in v3. */
function renamed(ref: string): string | undefined {
  const at = ref.indexOf(V2_DEFINITIONS);
  return at < 0 ? undefined : `${V3_SCHEMAS}${ref.slice(at + V2_DEFINITIONS.length)}`;
}

/**
 * A schema of OpenAPI v2 as one of v3: references lead to the definitions' new place, and as a reference has no siblings
 * in v3, one that has some is wrapped (kube-openapi openapiconv ConvertSchema, which leaves references within allOf, anyOf,
 * oneOf and not as they were: those lead nowhere, and here they do).
 */
export function convertSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convertSchema);
  // Booleans stand for schemas that take all or nothing.
  if (!isObject(value)) return value;
  const { $ref, ...others } = value;
  const rest = mapMembers(others, (inner, key) =>
    Object.hasOwn(INNER, key) ? convertInner(inner, INNER[key] === 'named') : inner,
  );
  const ref = typeof $ref === 'string' ? renamed($ref) : undefined;
  if (ref === undefined) return rest;
  return Object.keys(rest).length === 0 ? { $ref: ref } : { ...rest, allOf: [{ $ref: ref }] };
}

function convertInner(inner: unknown, isNamed: boolean): unknown {
  if (!isNamed || !isObject(inner)) return convertSchema(inner);
  return mapMembers(inner, convertSchema);
}
