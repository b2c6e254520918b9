import { atOnce, type Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import type { ResourceInfo } from '../resource-info.js';
import { bodyKinds } from './body-kinds.js';
import { discoveryOperation, fixedDocuments } from './fixed-operations.js';
import { extensionsOf, operationsOf } from './operations.js';
import type { Media, Operation } from './operation.js';
import type { OwnKinds } from './document-v3.js';
import type { OwnKind } from './own-definition.js';
import type { Parameter } from './parameters.js';
import { pathItems } from './path-item.js';
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

export interface PartOptions {
  /** Definitions that another part of the document has. */
  readonly elsewhere?: ReadonlySet<string>;
  /** What bodyKinds() says of the api, where there are many parts. */
  readonly kindsOf?: ReturnType<typeof bodyKinds>;
  /** What there is beside resources. */
  readonly fixed?: typeof fixedDocuments;
  /** What everything is written as, where that is not the API server's. */
  readonly media?: readonly string[];
}

/** The OpenAPI v2 document of everything, as /openapi/v2 serves it. Shared parameters are referred to by name. */
export const documentV2 = (...given: Parameters<typeof documentV2Steps>): JsonObject =>
  atOnce(documentV2Steps(...given));

export function* documentV2Steps(
  api: Api,
  resources: readonly ResourceInfo[],
  descriptions: Descriptions,
  title: { readonly title: string; readonly version: string },
  own: OwnKinds = () => undefined,
  { elsewhere, kindsOf = bodyKinds(api), fixed = fixedDocuments, media }: PartOptions = {},
): Steps<JsonObject> {
  const schemas = createSchemaBuilder(V2, descriptions, kindsOf, elsewhere);
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
  const infos = new Map(resources.map(info => [kindKey(info), info]));
  const groupVersions = [...new Map(resources.map(info => [`${info.group}/${info.version}`, info])).values()];
  const operations: Operation[] = [
    ...fixed(groupVersions).map(({ operation }) => operation),
    ...groupVersions.map(discoveryOperation),
  ];
  for (const info of resources) {
    for (const operation of operationsOf(info, api)) operations.push({ ...operation, of: kindKey(info) });
    yield;
  }
  for (const item of pathItems(operations)) {
    const named = item.operations.map(({ operation, parameters }) => {
      const info = infos.get(operation.of ?? '');
      return [
        operation.method,
        operationV2(operation, parameters.map(refer), schemas, { api, kind: own(info), media }),
      ] as const;
    });
    const common = item.parameters.map(refer);
    paths[item.path] = { ...Object.fromEntries(named), ...(common.length === 0 ? {} : { parameters: common }) };
    yield;
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

const kindKey = ({ group, version, kind }: ResourceInfo): string => `${group}/${version}/${kind}`;

const TYPES: Readonly<Record<Media, readonly string[]>> = {
  object: MEDIA,
  list: [...MEDIA, ...STREAMS],
  any: ['*/*'],
  log: ['text/plain', ...MEDIA],
  discovery: MEDIA,
  json: ['application/json'],
  keys: ['application/jwk-set+json'],
};

function consumed(operation: Operation, produced: readonly string[]): readonly string[] {
  if (operation.body === 'meta.v1.Patch') return PATCHES;
  if (operation.kind !== undefined) return ['*/*'];
  // The router's text answers say nothing of what they take.
  return operation.answer === 'string' ? [] : produced;
}

function operationV2(
  operation: Operation,
  own: readonly JsonObject[],
  schemas: SchemaBuilder,
  { api, kind, media }: { api: Api; kind: OwnKind | undefined; media: readonly string[] | undefined },
): JsonObject {
  const produces = media ?? TYPES[operation.media];
  const consumes = consumed(operation, produces);
  const body =
    operation.body === undefined
      ? []
      : [
          {
            in: 'body',
            name: 'body',
            ...(operation.bodyRequired === true ? { required: true } : {}),
            schema: schemas.named(operation.body, api, kind),
          },
        ];
  const schema = schemas.named(operation.answer, api, kind);
  return {
    ...(consumes.length === 0 ? {} : { consumes }),
    description: operation.description,
    operationId: operation.operationId,
    ...(body.length + own.length === 0 ? {} : { parameters: [...body, ...own] }),
    produces,
    responses: {
      ...Object.fromEntries(operation.codes.map(code => [code, { description: CODES[code] ?? '', schema }])),
      '401': { description: 'Unauthorized' },
    },
    schemes: ['https'],
    tags: [operation.tag],
    ...extensionsOf(operation),
  };
}
