import type { JsonSchemaProps } from './json-schema-props.js';

/**
 * The part of a schema that gives values their structure: what pruning, defaulting, list types and server-side apply
 * look at. What allOf, anyOf, oneOf and not say is for value validation alone.
 */
export interface Structural {
  readonly type: string;
  readonly properties: ReadonlyMap<string, Structural>;
  /**
   * What members without a property of their own are; undefined: there are none. Where the schema forbids them they are
   * left in place all the same, for validation to find.
   */
  readonly additional: Structural | 'anything' | undefined;
  readonly items: Structural | undefined;
  readonly nullable: boolean;
  /** undefined: none. A default of null is none either. */
  readonly default: unknown;
  readonly preservesUnknown: boolean;
  readonly intOrString: boolean;
  readonly embedded: boolean;
  readonly listType: 'atomic' | 'set' | 'map' | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: 'atomic' | 'granular' | undefined;
  /** Something below, or this, has a default. */
  readonly hasDefaults: boolean;
  /** Something below, or this, is an embedded object. */
  readonly hasEmbedded: boolean;
  /** Something below, or this, is a set or a list with keys. */
  readonly hasListTypes: boolean;
}

/** Nothing is known of the value, and nothing may be in it. */
export const NOTHING: Structural = structuralOf({});

export function structuralOf(props: JsonSchemaProps): Structural {
  const properties = new Map(
    Object.entries(props.properties ?? {}).map(([name, member]) => [name, structuralOf(member)]),
  );
  const { additionalProperties: given } = props;
  const additional = typeof given === 'object' ? structuralOf(given) : given === undefined ? undefined : 'anything';
  const items = props.items ? structuralOf(props.items) : undefined;
  const own = props.default ?? undefined;
  const listType = props['x-kubernetes-list-type'];
  const embedded = props['x-kubernetes-embedded-resource'] === true;
  const inside = [...properties.values()];
  if (typeof additional === 'object') inside.push(additional);
  if (items !== undefined) inside.push(items);
  return {
    type: props.type ?? '',
    properties,
    additional,
    items,
    nullable: props.nullable === true,
    default: own,
    preservesUnknown: props['x-kubernetes-preserve-unknown-fields'] === true,
    intOrString: props['x-kubernetes-int-or-string'] === true,
    embedded,
    listType,
    listMapKeys: props['x-kubernetes-list-map-keys'] ?? [],
    mapType: props['x-kubernetes-map-type'],
    hasDefaults: own !== undefined || inside.some(schema => schema.hasDefaults),
    hasEmbedded: embedded || inside.some(schema => schema.hasEmbedded),
    hasListTypes: listType === 'set' || listType === 'map' || inside.some(schema => schema.hasListTypes),
  };
}

/** The schema of a member; undefined: none is given for it. */
export function memberSchema(schema: Structural, name: string): Structural | 'anything' | undefined {
  return schema.properties.get(name) ?? schema.additional;
}
