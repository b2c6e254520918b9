import type { JsonSchemaProps } from '../json-schema-props.js';

const STRING: JsonSchemaProps = { type: 'string' };
const METADATA: JsonSchemaProps = { type: 'object', properties: { name: STRING, generateName: STRING } };

/** The schema of an object of the API as rules see it: all have a kind, a version and a name, and no more of metadata. */
export function withMeta(schema: JsonSchemaProps): JsonSchemaProps {
  const { properties = {} } = schema;
  const { kind, apiVersion, metadata } = properties;
  const names = metadata?.properties ?? {};
  const isWhole =
    [kind, apiVersion, names['name'], names['generateName']].every(one => one?.type === 'string') &&
    metadata?.type === 'object';
  if (isWhole) return schema;
  const { items: _items, ...rest } = schema;
  return { ...rest, properties: { ...properties, kind: STRING, apiVersion: STRING, metadata: METADATA } };
}
