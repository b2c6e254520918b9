import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { Structural } from './structural-schema.js';
import type { JsonSchemaProps } from './json-schema-props.js';

/**
 * A structural schema as server-side apply sees it. Source: kube-openapi pkg/schemaconv/openapi.go, which upstream
 * applies to what it publishes of a definition (apiextensions-apiserver pkg/controller/openapi/builder).
 */
export function mergeStruct(
  name: string,
  schema: Structural,
  props: JsonSchemaProps,
  objectMeta: StructType,
): StructType {
  return structOf(name, { ...schema, embedded: true }, props, objectMeta, false);
}

const plain = (name: string, type: FieldType): Field => ({ name, type, pointer: true, omit: 'empty', required: false });

/** What any JSON is whose maps are merged member by member. */
const ANYTHING: FieldType = { kind: 'any', mapType: 'granular' };

function structOf(
  name: string,
  schema: Structural,
  props: JsonSchemaProps,
  objectMeta: StructType,
  inherited: boolean,
): StructType {
  const keeps = inherited || schema.preservesUnknown;
  const fields: Field[] = [];
  for (const [key, member] of schema.properties) {
    const memberProps = props.properties?.[key] ?? {};
    fields.push({
      ...plain(key, typeOf(`${name}.${key}`, member, memberProps, objectMeta, keeps)),
      ...(member.default === undefined ? {} : { default: member.default }),
      ...(member.listType === undefined ? {} : { listType: member.listType }),
      ...(member.listType === 'map' ? { listMapKeys: member.listMapKeys } : {}),
      ...(member.mapType === undefined ? {} : { mapType: member.mapType }),
      ...(member.type === '' && member.mapType === undefined ? { mapType: 'granular' as const } : {}),
    });
  }
  const all = schema.embedded ? withMeta(fields, objectMeta) : fields;
  return {
    name,
    goName: name,
    fields: all,
    byName: new Map(all.map(field => [field.name, field])),
    ...(schema.mapType === undefined ? {} : { mapType: schema.mapType }),
    ...(keeps ? { preserveUnknownFields: true } : {}),
  };
}

function withMeta(fields: readonly Field[], objectMeta: StructType): readonly Field[] {
  const own: readonly Field[] = [
    plain('apiVersion', { kind: 'string' }),
    plain('kind', { kind: 'string' }),
    plain('metadata', { kind: 'struct', struct: objectMeta }),
  ];
  const names = new Set(own.map(field => field.name));
  return [...own, ...fields.filter(field => !names.has(field.name))];
}

function typeOf(
  name: string,
  schema: Structural,
  props: JsonSchemaProps,
  objectMeta: StructType,
  inherited: boolean,
): FieldType {
  switch (schema.type) {
    case 'integer':
      return { kind: 'integer', bits: 64 };
    case 'number':
      return { kind: 'number' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'string':
      // A format that says more than "bytes" makes any scalar of it.
      return (props.format ?? '') === '' || props.format === 'byte' ? { kind: 'string' } : { kind: 'intOrString' };
    case 'array': {
      const keeps = inherited || schema.preservesUnknown;
      const items =
        schema.items === undefined
          ? ({ kind: 'any' } as const)
          : typeOf(`${name}.items`, schema.items, props.items ?? {}, objectMeta, keeps);
      return { kind: 'list', items };
    }
    case 'object':
      return objectType(name, schema, props, objectMeta, inherited);
    default:
      return ANYTHING;
  }
}

function objectType(
  name: string,
  schema: Structural,
  props: JsonSchemaProps,
  objectMeta: StructType,
  inherited: boolean,
): FieldType {
  const { additional } = schema;
  const { additionalProperties: given } = props;
  if (additional === undefined || given === false || schema.embedded)
    return { kind: 'struct', struct: structOf(name, schema, props, objectMeta, inherited) };
  if (additional === 'anything') {
    if (schema.properties.size === 0) return { kind: 'map', values: ANYTHING };
    const struct = structOf(name, schema, props, objectMeta, inherited);
    return { kind: 'struct', struct: { ...struct, preserveUnknownFields: true } };
  }
  const keeps = inherited || schema.preservesUnknown;
  const values = typeOf(`${name}.*`, additional, typeof given === 'object' ? given : {}, objectMeta, keeps);
  return { kind: 'map', values };
}
