import type { Column, Rule, Schema, SchemaHolder, Subresources, Version } from './types.js';

/**
 * Values as encoding/json writes upstream's internal types, which have no JSON names: errors that show a whole schema,
 * rule or list of versions print them so. A value is made when somebody prints it.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/{types,types_jsonschema}.go.
 */
export const printed = (make: () => unknown): object => ({ toJSON: make });

/** Strings of a type of their own are printed as JSON, not as Go quotes strings. */
export const jsonString = (text: string | undefined): object => printed(() => text ?? null);

function sortedMap<T>(map: Readonly<Record<string, T>> | undefined, each: (value: T) => unknown): unknown {
  if (map === undefined) return null;
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map(key => [key, each(map[key] as T)]),
  );
}

/** Go holds any JSON in maps, which it writes in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === 'object' && value !== null) return sortedMap(value as Record<string, unknown>, sorted);
  return value ?? null;
}

const listOf = <T>(list: readonly T[] | undefined, each: (value: T) => unknown): unknown => list?.map(each) ?? null;

const orBool = (value: Schema | boolean | undefined): unknown => {
  if (value === undefined) return null;
  return typeof value === 'boolean' ? { Allows: value, Schema: null } : { Allows: true, Schema: internalSchema(value) };
};

export function internalItems(items: Schema['items']): unknown {
  if (items === undefined) return null;
  if (items === null) return { Schema: null, JSONSchemas: null };
  return Array.isArray(items)
    ? { Schema: null, JSONSchemas: items.map(internalSchema) }
    : { Schema: internalSchema(items as Schema), JSONSchemas: null };
}

const dependency = (value: Schema | readonly string[] | null): unknown => {
  if (value === null) return { Schema: null, Property: null };
  return Array.isArray(value)
    ? { Schema: null, Property: value as readonly string[] }
    : { Schema: internalSchema(value as Schema), Property: null };
};

export const internalRule = (rule: Rule): object => ({
  Rule: rule.rule ?? '',
  Message: rule.message ?? '',
  MessageExpression: rule.messageExpression ?? '',
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? '',
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});

/** Members in the order of Go's struct, each with its zero value where it is absent. */
export function internalSchema(schema: Schema): object {
  const text = (value: string | undefined): string => value ?? '';
  const flag = (value: boolean | undefined): boolean => value ?? false;
  const pointer = (value: unknown): unknown => value ?? null;
  return {
    ID: text(schema.id),
    Schema: text(schema.$schema),
    Ref: pointer(schema.$ref),
    Description: text(schema.description),
    Type: text(schema.type),
    Nullable: flag(schema.nullable),
    Format: text(schema.format),
    Title: text(schema.title),
    Default: sorted(schema.default),
    Maximum: pointer(schema.maximum),
    ExclusiveMaximum: flag(schema.exclusiveMaximum),
    Minimum: pointer(schema.minimum),
    ExclusiveMinimum: flag(schema.exclusiveMinimum),
    MaxLength: pointer(schema.maxLength),
    MinLength: pointer(schema.minLength),
    Pattern: text(schema.pattern),
    MaxItems: pointer(schema.maxItems),
    MinItems: pointer(schema.minItems),
    UniqueItems: flag(schema.uniqueItems),
    MultipleOf: pointer(schema.multipleOf),
    Enum: listOf(schema.enum, sorted),
    MaxProperties: pointer(schema.maxProperties),
    MinProperties: pointer(schema.minProperties),
    Required: pointer(schema.required),
    Items: internalItems(schema.items),
    AllOf: listOf(schema.allOf, internalSchema),
    OneOf: listOf(schema.oneOf, internalSchema),
    AnyOf: listOf(schema.anyOf, internalSchema),
    Not: schema.not === undefined ? null : internalSchema(schema.not),
    Properties: sortedMap(schema.properties, internalSchema),
    AdditionalProperties: orBool(schema.additionalProperties),
    PatternProperties: sortedMap(schema.patternProperties, internalSchema),
    Dependencies: sortedMap(schema.dependencies, dependency),
    AdditionalItems: orBool(schema.additionalItems),
    Definitions: sortedMap(schema.definitions, internalSchema),
    ExternalDocs:
      schema.externalDocs === undefined
        ? null
        : { Description: text(schema.externalDocs.description), URL: text(schema.externalDocs.url) },
    Example: sorted(schema.example),
    XPreserveUnknownFields: pointer(schema['x-kubernetes-preserve-unknown-fields']),
    XEmbeddedResource: flag(schema['x-kubernetes-embedded-resource']),
    XIntOrString: flag(schema['x-kubernetes-int-or-string']),
    XListMapKeys: pointer(schema['x-kubernetes-list-map-keys']),
    XListType: pointer(schema['x-kubernetes-list-type']),
    XMapType: pointer(schema['x-kubernetes-map-type']),
    XValidations: listOf(schema['x-kubernetes-validations'], internalRule),
  };
}

const internalHolder = (holder: SchemaHolder | undefined): unknown =>
  holder === undefined
    ? null
    : { OpenAPIV3Schema: holder.openAPIV3Schema === undefined ? null : internalSchema(holder.openAPIV3Schema) };

function internalSubresources(subresources: Subresources | undefined): unknown {
  if (subresources === undefined) return null;
  const { status, scale } = subresources;
  return {
    Status: status === undefined ? null : {},
    Scale:
      scale === undefined
        ? null
        : {
            SpecReplicasPath: scale.specReplicasPath ?? '',
            StatusReplicasPath: scale.statusReplicasPath ?? '',
            LabelSelectorPath: scale.labelSelectorPath ?? null,
          },
  };
}

const internalColumn = (column: Column): object => ({
  Name: column.name ?? '',
  Type: column.type ?? '',
  Format: column.format ?? '',
  Description: column.description ?? '',
  Priority: column.priority ?? 0,
  JSONPath: column.jsonPath ?? '',
});

export const internalVersion = (version: Version): object => ({
  Name: version.name ?? '',
  Served: version.served ?? false,
  Storage: version.storage ?? false,
  Deprecated: version.deprecated ?? false,
  DeprecationWarning: version.deprecationWarning ?? null,
  Schema: internalHolder(version.schema),
  Subresources: internalSubresources(version.subresources),
  AdditionalPrinterColumns: listOf(version.additionalPrinterColumns, internalColumn),
  SelectableFields: listOf(version.selectableFields, ({ jsonPath = '' }) => ({ JSONPath: jsonPath })),
});
