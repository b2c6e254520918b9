import type { GroupVersionKind, JsonObject } from '../../machinery/types.js';
import {
  EMBEDDED_META,
  groupVersionKind,
  METADATA_TEXT,
  TYPE_META,
  type OwnDefinition,
  type Refer,
} from '../openapi/own-definition.js';
import type { JsonSchemaProps } from './json-schema-props.js';

/**
 * A structural schema as the OpenAPI documents publish it.
 * Source: apiextensions-apiserver pkg/controller/openapi/{builder,v2}.
 */
export function publishedSchema(
  { group, version, kind }: GroupVersionKind,
  propsOf: () => JsonSchemaProps,
): OwnDefinition {
  const own = groupVersionKind(group, version, kind);
  return {
    name: [...group.split('.').reverse(), version, kind].join('.'),
    schema(openapi, refer) {
      const props = propsOf();
      // kubectl before 1.29 takes what is not in the document for an unknown field.
      if (openapi === 2 && props['x-kubernetes-preserve-unknown-fields'] === true) return { type: 'object', ...own };
      const whole = published(props, openapi, refer);
      const metadata = refer('meta.v1.ObjectMeta', METADATA_TEXT);
      return { ...whole, properties: sorted({ ...(whole['properties'] as object), ...TYPE_META, metadata }), ...own };
    },
  };
}

const sorted = (members: object): JsonObject =>
  Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));

const LISTS = ['allOf', 'anyOf', 'oneOf'] as const;

function published(props: JsonSchemaProps, openapi: 2 | 3, refer: Refer): JsonObject {
  const given = openapi === 2 ? withoutNews(props) : unfolded(props);
  const out: JsonObject = Object.fromEntries(Object.entries(given).filter(([key]) => !UNPUBLISHED.has(key)));
  if (given.properties !== undefined)
    out['properties'] = sorted(
      Object.fromEntries(
        Object.entries(given.properties).map(([name, member]) => [name, published(member, openapi, refer)]),
      ),
    );
  if (given.items) out['items'] = published(given.items, openapi, refer);
  if (typeof given.additionalProperties === 'object')
    out['additionalProperties'] = published(given.additionalProperties, openapi, refer);
  for (const list of LISTS) {
    const members = given[list];
    if (members !== undefined) out[list] = members.map(member => ({ ...member }));
  }
  const keeps = openapi === 2 && given['x-kubernetes-preserve-unknown-fields'] === true;
  if (given['x-kubernetes-embedded-resource'] !== true || keeps) return out;
  const metadata = refer('meta.v1.ObjectMeta', METADATA_TEXT);
  out['properties'] = sorted({ ...(out['properties'] as object | undefined), ...EMBEDDED_META, metadata });
  out['required'] = [...new Set([...(given.required ?? []), 'kind', 'apiVersion'])];
  return out;
}

/** What a definition may say that the documents do not repeat. */
const UNPUBLISHED: ReadonlySet<string> = new Set(['$schema', 'example', 'externalDocs', 'id']);

const INT_OR_STRING: readonly JsonSchemaProps[] = [{ type: 'integer' }, { type: 'string' }];

/** What may be an integer or a string says so in plain words, too. */
function unfolded(props: JsonSchemaProps): JsonSchemaProps {
  if (props['x-kubernetes-int-or-string'] !== true) return props;
  const says = (alternatives: readonly JsonSchemaProps[] | undefined): boolean =>
    JSON.stringify(alternatives) === JSON.stringify(INT_OR_STRING);
  if (says(props.anyOf) || says(props.allOf?.[0]?.anyOf)) return props;
  if (props.anyOf === undefined && props.allOf === undefined) return { ...props, anyOf: INT_OR_STRING };
  return { ...props, allOf: [{ anyOf: INT_OR_STRING }, ...(props.allOf ?? [])] };
}

/** What version 2 of OpenAPI has no word for: alternatives, null, and what may be an integer or a string. */
function withoutNews(props: JsonSchemaProps): JsonSchemaProps {
  const { oneOf: _one, anyOf: _any, not: _not, nullable, ...rest } = props;
  if (nullable === true) {
    const { description, title } = props;
    return { ...(description === undefined ? {} : { description }), ...(title === undefined ? {} : { title }) };
  }
  if (props['x-kubernetes-preserve-unknown-fields'] !== true) return rest;
  const { properties: _properties, items: _items, ...open } = rest;
  return open;
}
