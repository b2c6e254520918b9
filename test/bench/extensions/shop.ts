import type { RestClient } from '../../../src/client/rest-client.js';
import type { ResourceRef } from '../../../src/client/types.js';
import type { JsonSchemaProps, ValidationRule } from '../../../src/api/structural/json-schema-props.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { eventually } from '../../support/up.js';

export const RULE = 'self.replicas <= self.maxReplicas';

/** Ten rules as operators write them: numbers, texts, lists, and what does not change. */
export const RULES: readonly ValidationRule[] = [
  RULE,
  'self.replicas >= 0',
  "!has(self.host) || self.host.endsWith('.example.com')",
  "self.image.contains(':')",
  "!self.image.endsWith(':latest')",
  'self.env.all(e, size(e.name) <= 63)',
  "self.env.exists(e, e.name == 'NAME_0')",
  'size(self.env) <= 100',
  "self.paused ? self.replicas == 0 : self.image != ''",
  'self.image == oldSelf.image || self.replicas > 0',
].map(rule => ({ rule }));

const text: JsonSchemaProps = { type: 'string', maxLength: 200 };

const member: JsonSchemaProps = {
  type: 'object',
  required: ['name'],
  properties: { name: text, value: text },
};

export function specSchema(rules: readonly ValidationRule[]): JsonSchemaProps {
  return {
    type: 'object',
    required: ['replicas', 'image'],
    properties: {
      replicas: { type: 'integer' },
      maxReplicas: { type: 'integer', default: 10 },
      paused: { type: 'boolean', default: false },
      image: text,
      host: text,
      env: {
        type: 'array',
        maxItems: 100,
        items: member,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
    },
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

/** Forty variables are about 4 KB. */
export const ENV = Array.from({ length: 40 }, (_, i) => ({ name: `NAME_${i}`, value: `value ${i} ${'x'.repeat(55)}` }));

export const SPEC = { replicas: 3, maxReplicas: 5, paused: false, image: 'shop:1.2', host: 'a.example.com', env: ENV };

export interface Asked {
  readonly group?: string;
  readonly plural: string;
  readonly kind: string;
  readonly spec: JsonSchemaProps;
  /** Besides v1, which is stored. */
  readonly versions?: readonly string[];
  readonly conversion?: object;
}

export function definition({
  group = 'bench.example.com',
  plural,
  kind,
  spec,
  versions = [],
  ...more
}: Asked): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: ['v1', ...versions].map(name => ({ name, served: true, storage: name === 'v1', schema })),
      ...more,
    },
  };
}

export const DEFINITIONS: ResourceRef = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  namespaced: false,
};

export const custom = (resource: string, version = 'v1'): ResourceRef => ({
  group: 'bench.example.com',
  version,
  resource,
  namespaced: true,
});

/** A path is not there before its kind is. */
export const isServed = (client: RestClient, path: string): Promise<boolean> =>
  client.request('GET', path).then(
    () => true,
    () => false,
  );

/** Creates a definition and waits until its objects are served. */
export async function define(client: RestClient, asked: Asked): Promise<void> {
  await client.resource(DEFINITIONS).create('', definition(asked));
  const path = `/apis/bench.example.com/v1/${asked.plural}`;
  await eventually(
    path,
    () => isServed(client, path),
    served => served,
  );
}
