import type { Steps } from '../../machinery/steps.js';
import { convertSchema } from './convert-schema.js';
import { isObject, mapMembers, pick, type Json } from './json.js';

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch']);
const ITEM = new Set(['$ref']);
const OPERATION = new Set(['description', 'tags', 'summary', 'deprecated', 'operationId']);
const PARAMETER = new Set(['name', 'in', 'description', 'required', 'allowEmptyValue']);
const RESPONSE = new Set(['description']);
const SECURITY = new Set(['description', 'type', 'name', 'in']);
const NONE: ReadonlySet<string> = new Set();

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const textsOf = (value: unknown): string[] => listOf(value).filter(each => typeof each === 'string');

/** A body's schema, once for each type that it may have. */
const contentOf = (types: unknown, schema: unknown): Json =>
  Array.isArray(types)
    ? { content: Object.fromEntries(textsOf(types).map(type => [type, { schema: convertSchema(schema) }])) }
    : {};

/** What is kept once for several operations has another place in v3. */
const placed = ({ $ref }: Json, section: 'parameters' | 'responses'): Json =>
  typeof $ref === 'string' ? { $ref: $ref.replace(`#/${section}/`, `#/components/${section}/`) } : {};

function convertDocs(value: unknown): Json {
  if (!isObject(value)) return {};
  const { description, url } = value;
  return {
    externalDocs: { ...(description === undefined ? {} : { description }), ...(url === undefined ? {} : { url }) },
  };
}

function convertParameter(value: unknown): Json {
  const parameter = isObject(value) ? value : {};
  const { type, format, uniqueItems, schema } = parameter;
  // What v2 says of a value beside a parameter's name is a schema in v3.
  const simple = {
    type: typeof type === 'string' ? type : '',
    ...(typeof format === 'string' ? { format } : {}),
    ...(uniqueItems === true ? { uniqueItems } : {}),
  };
  return {
    ...placed(parameter, 'parameters'),
    ...pick(parameter, PARAMETER),
    schema: schema === undefined ? simple : convertSchema(schema),
  };
}

function convertResponse(value: unknown, produces: unknown): Json {
  const response = isObject(value) ? value : {};
  return {
    ...placed(response, 'responses'),
    ...pick(response, RESPONSE),
    ...(response['schema'] === undefined ? {} : contentOf(produces, response['schema'])),
  };
}

const isBody = (parameter: unknown): parameter is Json =>
  isObject(parameter) && parameter['name'] === 'body' && parameter['schema'] !== undefined;

function convertOperation(value: unknown): Json {
  const operation = isObject(value) ? value : {};
  const { parameters, consumes, produces, responses, externalDocs } = operation;
  const body = listOf(parameters).findLast(isBody);
  const others = listOf(parameters).filter(parameter => !isBody(parameter));
  const answers = isObject(responses) ? responses : {};
  return {
    ...pick(operation, OPERATION),
    ...convertDocs(externalDocs),
    ...(others.length === 0 ? {} : { parameters: others.map(convertParameter) }),
    ...(body === undefined ? {} : { requestBody: contentOf(consumes, body['schema']) }),
    responses: mapMembers(answers, (answer, code) =>
      code.toLowerCase().startsWith('x-') ? answer : convertResponse(answer, produces),
    ),
  };
}

function convertPathItem(value: unknown): Json {
  const item = isObject(value) ? value : {};
  const parameters = listOf(item['parameters']);
  return {
    ...pick(item, ITEM),
    ...mapMembers(pick(item, METHODS), (operation, name) =>
      METHODS.has(name) ? convertOperation(operation) : operation,
    ),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(convertParameter) }),
  };
}

function convertSecurity(value: unknown): Json {
  const scheme = isObject(value) ? value : {};
  const { flow, authorizationUrl, tokenUrl, scopes } = scheme;
  const flows = {
    ...(authorizationUrl === undefined ? {} : { authorizationUrl }),
    ...(tokenUrl === undefined ? {} : { tokenUrl }),
    ...(scopes === undefined ? {} : { scopes }),
  };
  return {
    ...pick(scheme, SECURITY),
    ...(typeof flow === 'string' && flow !== '' ? { flows: { [flow]: flows } } : {}),
  };
}

function* eachMember(value: unknown, change: (member: unknown) => unknown): Steps<Json> {
  const entries: [string, unknown][] = [];
  for (const [name, member] of Object.entries(isObject(value) ? value : {})) {
    entries.push([name, change(member)]);
    yield;
  }
  return Object.fromEntries(entries);
}

/**
 * A document of OpenAPI v2 as one of v3, with less in it: v3 says some things elsewhere, and those are lost, as upstream
 * loses them (kube-openapi openapiconv ConvertV2ToV3). What is not in its form becomes nothing.
 */
export function* convertDocument(document: unknown): Steps<Json> {
  const v2 = isObject(document) ? document : {};
  const { info, externalDocs, paths, definitions, securityDefinitions, responses, produces } = v2;
  const components = {
    schemas: yield* eachMember(definitions, convertSchema),
    securitySchemes: yield* eachMember(securityDefinitions, convertSecurity),
    responses: yield* eachMember(responses, response => convertResponse(response, produces)),
  };
  return {
    openapi: '3.0.0',
    info: isObject(info) ? info : null,
    ...(isObject(paths)
      ? { paths: { ...pick(paths, NONE), ...(yield* eachMember(pathsOf(paths), convertPathItem)) } }
      : {}),
    components: Object.fromEntries(Object.entries(components).filter(([, members]) => Object.keys(members).length > 0)),
    ...convertDocs(externalDocs),
  };
}

const pathsOf = (paths: Json): Json =>
  Object.fromEntries(Object.entries(paths).filter(([path]) => path.startsWith('/')));
