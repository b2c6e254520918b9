import type { JsonObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import type { ResourceInfo } from '../resource-info.js';
import { bodyKinds } from './body-kinds.js';
import { extensionsOf, operationsOf, type Operation } from './operations.js';
import type { Parameter } from './parameters.js';
import { createSchemaBuilder, V2, type Descriptions, type SchemaBuilder } from './schemas.js';

const CODES: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };
const MEDIA = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const STREAMS = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** The OpenAPI v2 document of everything, as /openapi/v2 serves it. Shared parameters are referred to by name. */
export function documentV2(
  api: Api,
  resources: readonly ResourceInfo[],
  descriptions: Descriptions,
  title: { readonly title: string; readonly version: string },
): JsonObject {
  const schemas = createSchemaBuilder(V2, descriptions, bodyKinds(api));
  const parameters: JsonObject = {};
  const refer = (parameter: Parameter): JsonObject => {
    const { name, in: place, type, description } = parameter;
    const written = {
      ...(description === '' ? {} : { description }),
      in: place,
      name,
      ...(place === 'path' ? { required: true } : {}),
      type,
      uniqueItems: true,
    };
    // Only what is the same everywhere can be shared.
    if (place === 'path' && name === 'name') return written;
    if (description === '') return written;
    parameters[name] = written;
    return { $ref: `#/parameters/${name}` };
  };
  const paths: Record<string, JsonObject> = {};
  for (const info of resources) {
    for (const operation of operationsOf(info, api)) {
      const item = (paths[operation.path] ??= { parameters: operation.pathParameters.map(refer) });
      item[operation.method] = operationV2(operation, schemas, api, info, refer);
    }
  }
  return {
    swagger: '2.0',
    info: title,
    paths,
    definitions: schemas.definitions(),
    parameters,
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' },
    },
    security: [{ BearerToken: [] }],
  };
}

function operationV2(
  operation: Operation,
  schemas: SchemaBuilder,
  api: Api,
  info: ResourceInfo,
  refer: (parameter: Parameter) => JsonObject,
): JsonObject {
  const body =
    operation.body === undefined
      ? []
      : [
          {
            in: 'body',
            name: 'body',
            ...(operation.bodyRequired === true ? { required: true } : {}),
            schema: schemas.named(operation.body, api, info),
          },
        ];
  const schema = schemas.named(operation.answer, api, info);
  return {
    consumes: operation.method === 'patch' ? PATCHES : ['*/*'],
    description: operation.description,
    operationId: operation.operationId,
    parameters: [...body, ...operation.query.map(refer)],
    produces: operation.media === 'any' ? ['*/*'] : operation.media === 'list' ? [...MEDIA, ...STREAMS] : MEDIA,
    responses: {
      ...Object.fromEntries(operation.codes.map(code => [code, { description: CODES[code] ?? '', schema }])),
      '401': { description: 'Unauthorized' },
    },
    schemes: ['https'],
    tags: [operation.tag],
    ...extensionsOf(operation),
  };
}
