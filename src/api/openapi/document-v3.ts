import { atOnce, type Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import type { ResourceInfo } from '../resource-info.js';
import { bodyKinds } from './body-kinds.js';
import { discoveryOperation, type FixedDocument } from './fixed-operations.js';
import { extensionsOf, operationsOf } from './operations.js';
import type { Media, Operation } from './operation.js';
import type { OwnKind } from './own-definition.js';
import type { Parameter } from './parameters.js';
import { pathItems } from './path-item.js';
import { createSchemaBuilder, V3, type Descriptions, type SchemaBuilder } from './schemas.js';

const JSON_TYPE = 'application/json';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const YAML = 'application/yaml';

const MEDIA: Readonly<Record<Media, readonly string[]>> = {
  object: [JSON_TYPE, PROTOBUF, YAML],
  list: [JSON_TYPE, `${JSON_TYPE};stream=watch`, PROTOBUF, `${PROTOBUF};stream=watch`, YAML],
  any: ['*/*'],
  log: [JSON_TYPE, PROTOBUF, YAML, 'text/plain'],
  discovery: [JSON_TYPE, PROTOBUF, YAML],
  json: [JSON_TYPE],
  keys: ['application/jwk-set+json'],
};

const PATCHES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

const CODES: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

const SECURITY = {
  BearerToken: {
    type: 'apiKey',
    description: 'Bearer Token authentication',
    name: 'authorization',
    in: 'header',
  },
};

const parameter = ({ type, name, in: place, description }: Parameter): JsonObject => ({
  name,
  in: place,
  ...(description === '' ? {} : { description }),
  ...(place === 'path' ? { required: true } : {}),
  schema: { type, uniqueItems: true },
});

export interface OptionsV3 {
  /** The kinds that api-schemas/ does not know. */
  readonly own?: OwnKinds;
  /** What bodyKinds() says of the api, where there are many documents. */
  readonly kindsOf?: ReturnType<typeof bodyKinds>;
  /** What everything is written as, where that is not the API server's. */
  readonly media?: readonly string[];
}

/** The OpenAPI v3 document of one group-version, as /openapi/v3/apis/apps/v1 serves it. */
export const documentV3 = (...given: Parameters<typeof documentV3Steps>): JsonObject =>
  atOnce(documentV3Steps(...given));

export function* documentV3Steps(
  api: Api,
  resources: readonly ResourceInfo[],
  gv: { readonly group: string; readonly version: string },
  descriptions: Descriptions,
  title: { readonly title: string; readonly version: string },
  { own = noneOwn, kindsOf = bodyKinds(api), media }: OptionsV3 = {},
): Steps<JsonObject> {
  const schemas = createSchemaBuilder(V3, descriptions, kindsOf);
  const mine = resources.filter(r => r.group === gv.group && r.version === gv.version);
  const infos = new Map(mine.map(info => [info.kind, info]));
  const operations = [discoveryOperation(gv)];
  for (const info of mine) {
    for (const operation of operationsOf(info, api)) operations.push(operation);
    yield;
  }
  const isOwn = mine.some(info => own(info) !== undefined);
  return yield* document(operations, schemas, title, {
    api,
    own: operation => own(infos.get(operation.of ?? '')),
    secured: !isOwn,
    media,
  });
}

/** A document that is about no resource. */
export function fixedDocumentV3(
  api: Api,
  fixed: FixedDocument,
  descriptions: Descriptions,
  title: { readonly title: string; readonly version: string },
  media?: readonly string[],
): JsonObject {
  const schemas = createSchemaBuilder(V3, descriptions, bodyKinds(api));
  return atOnce(document([fixed.operation], schemas, title, { api, own: noneOwn, secured: true, media }));
}

/** The kind of a resource that api-schemas/ does not know. */
export type OwnKinds = (info: ResourceInfo | undefined) => OwnKind | undefined;

const noneOwn = (): undefined => undefined;

interface Context {
  readonly api: Api;
  /** The kind that an operation is about, when it is such a one. */
  readonly own: (operation: Operation) => OwnKind | undefined;
  /** Whether it says how to authenticate. */
  readonly secured: boolean;
  readonly media: readonly string[] | undefined;
}

function* document(
  operations: readonly Operation[],
  schemas: SchemaBuilder,
  title: { readonly title: string; readonly version: string },
  context: Context,
): Steps<JsonObject> {
  const paths: Record<string, JsonObject> = {};
  for (const item of pathItems(operations)) {
    paths[item.path] = {
      ...Object.fromEntries(
        item.operations.map(({ operation, parameters }) => [
          operation.method,
          operationV3(operation, parameters, schemas, context),
        ]),
      ),
      ...(item.parameters.length === 0 ? {} : { parameters: item.parameters.map(parameter) }),
    };
    yield;
  }
  const definitions = schemas.definitions();
  const components = {
    ...(Object.keys(definitions).length === 0 ? {} : { schemas: definitions }),
    ...(context.secured ? { securitySchemes: SECURITY } : {}),
  };
  return { openapi: '3.0.0', info: title, paths, components };
}

function operationV3(
  operation: Operation,
  parameters: readonly Parameter[],
  schemas: SchemaBuilder,
  { api, own, media }: Context,
): JsonObject {
  const kind = own(operation);
  const schemaOf = (key: string): JsonObject => schemas.named(key, api, kind);
  const types = media ?? (kind === undefined ? MEDIA[operation.media] : [JSON_TYPE, YAML]);
  const content = (media: readonly string[], schema: JsonObject): JsonObject =>
    Object.fromEntries(media.map(type => [type, { schema }]));
  const answer = {
    content: content(types, schemaOf(operation.answer)),
  };
  const bodyTypes =
    operation.method === 'patch'
      ? PATCHES.slice(0, kind === undefined ? undefined : -1)
      : kind === undefined
        ? ['*/*']
        : [JSON_TYPE, YAML];
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(parameter) }),
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
