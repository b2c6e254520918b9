import type { JsonObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import { apiVersionOf, type ResourceInfo } from '../resource-info.js';
import { bodyKinds } from './body-kinds.js';
import { extensionsOf, operationsOf, type Operation } from './operations.js';
import type { Parameter } from './parameters.js';
import { createSchemaBuilder, V3, type Descriptions, type SchemaBuilder } from './schemas.js';

const JSON_TYPE = 'application/json';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const YAML = 'application/yaml';

const MEDIA: Readonly<Record<Operation['media'], readonly string[]>> = {
  object: [JSON_TYPE, PROTOBUF, YAML],
  list: [JSON_TYPE, `${JSON_TYPE};stream=watch`, PROTOBUF, `${PROTOBUF};stream=watch`, YAML],
  any: ['*/*'],
};

const PATCHES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

const CODES: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

const parameter = ({ type, name, in: place, description }: Parameter): JsonObject => ({
  name,
  in: place,
  ...(description === '' ? {} : { description }),
  ...(place === 'path' ? { required: true } : {}),
  schema: { type, uniqueItems: true },
});

/** The OpenAPI v3 document of one group-version, as /openapi/v3/apis/apps/v1 serves it. */
export function documentV3(
  api: Api,
  resources: readonly ResourceInfo[],
  gv: { readonly group: string; readonly version: string },
  descriptions: Descriptions,
  title: { readonly title: string; readonly version: string },
): JsonObject {
  const schemas = createSchemaBuilder(V3, descriptions, bodyKinds(api));
  const paths: Record<string, JsonObject> = {};
  for (const info of resources.filter(r => r.group === gv.group && r.version === gv.version)) {
    const custom = info.custom === true;
    for (const operation of operationsOf(info, api)) {
      const item = (paths[operation.path] ??= { parameters: operation.pathParameters.map(parameter) });
      item[operation.method] = operationV3(operation, schemas, api, info, custom);
    }
  }
  const root = gv.group === '' ? `/api/${gv.version}/` : `/apis/${apiVersionOf(gv)}/`;
  const components = {
    schemas: schemas.definitions(),
    securitySchemes: {
      BearerToken: {
        type: 'apiKey',
        description: 'Bearer Token authentication',
        name: 'authorization',
        in: 'header',
      },
    },
  };
  return { openapi: '3.0.0', info: title, paths: { [root]: discoveryPath(gv), ...paths }, components };
}

/** The operation that lists what a group-version serves. */
const discoveryPath = (gv: { readonly group: string; readonly version: string }): JsonObject => ({
  get: {
    tags: [apiVersionOf(gv).replace(/[^A-Za-z0-9]+/g, '_')],
    description: 'get available resources',
    operationId: `get${apiVersionOf(gv)
      .split(/[^A-Za-z0-9]+/)
      .map(word => word.charAt(0).toUpperCase() + word.slice(1))
      .join('')}APIResources`,
    responses: { '200': { description: 'OK' }, '401': { description: 'Unauthorized' } },
  },
});

function operationV3(
  operation: Operation,
  schemas: SchemaBuilder,
  api: Api,
  info: ResourceInfo,
  custom: boolean,
): JsonObject {
  const schemaOf = (key: string): JsonObject => schemas.named(key, api, info);
  const types = custom ? MEDIA[operation.media].filter(type => !type.startsWith(PROTOBUF)) : MEDIA[operation.media];
  const content = (media: readonly string[], schema: JsonObject): JsonObject =>
    Object.fromEntries(media.map(type => [type, { schema }]));
  const answer = {
    content: content(types, schemaOf(operation.answer)),
  };
  const bodyTypes = operation.method !== 'patch' ? ['*/*'] : custom ? PATCHES.slice(0, 3) : PATCHES;
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    ...(operation.query.length === 0 ? {} : { parameters: operation.query.map(parameter) }),
    ...(operation.body === undefined
      ? {}
      : {
          requestBody: {
            content: content(bodyTypes, schemaOf(operation.body)),
            ...(operation.bodyRequired === true ? { required: true } : {}),
          },
        }),
    responses: {
      ...Object.fromEntries(operation.codes.map(code => [code, { description: CODES[code] ?? '', ...answer }])),
      '401': { description: 'Unauthorized' },
    },
    ...extensionsOf(operation),
  };
}
