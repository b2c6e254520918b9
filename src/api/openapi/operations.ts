import type { Operation } from './operation.js';
import type { JsonObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import { apiVersionOf, type ResourceInfo, type SubresourceInfo, type Verb } from '../resource-info.js';
import { groupWord, tagOf } from './group-words.js';
import * as parameters from './parameters.js';
import { watchOperations } from './watch-operations.js';

const DELETE_OPTIONS = 'meta.v1.DeleteOptions';
const STATUS = 'meta.v1.Status';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

interface Subject {
  readonly info: ResourceInfo;
  readonly sub: SubresourceInfo | undefined;
  readonly base: string;
  readonly words: string;
  readonly tag: string;
}

const typeKey = (kind: { group: string; version: string; kind: string }): string =>
  `${apiVersionOf(kind)}/${kind.kind}`;

function subject(info: ResourceInfo, sub: SubresourceInfo | undefined): Subject {
  const word = groupWord(info.group);
  const root = info.group === '' ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`;
  return {
    info,
    sub,
    base: root,
    words: `${word}${capital(info.version)}`,
    tag: tagOf(info.group, info.version),
  };
}

/** Everything that can be done to a resource and its subresources. */
export function operationsOf(info: ResourceInfo, api: Api): Operation[] {
  return [
    ...info.verbs.flatMap(verb => mainOperations(subject(info, undefined), verb)),
    ...info.subresources.flatMap(sub => subresourceOperations(subject(info, sub), sub, api)),
  ];
}

const path = ({ base, info, sub }: Subject, named: boolean): string =>
  `${base}${info.namespaced ? '/namespaces/{namespace}' : ''}/${info.plural}${named ? '/{name}' : ''}${sub === undefined ? '' : `/${sub.name}`}`;

function make(
  at: Subject,
  named: boolean,
  rest: Omit<Operation, 'path' | 'tag' | 'kind' | 'pathParameters'>,
): Operation {
  const { info, sub, tag } = at;
  const of = sub ?? info;
  return {
    path: path(at, named),
    tag,
    of: info.kind,
    kind: { group: of.group, version: of.version, kind: of.kind },
    pathParameters: [
      ...(named ? [parameters.name(of.kind)] : []),
      ...(info.namespaced ? [parameters.namespace] : []),
      ...(sub !== undefined && sub.kind.endsWith('Options') ? [] : [parameters.pretty]),
    ],
    ...rest,
  };
}

const WRITE = [parameters.dryRun, parameters.fieldManager, parameters.fieldValidation];

function mainOperations(at: Subject, verb: Verb): Operation[] {
  const { info, words } = at;
  const scoped = `${info.namespaced ? 'Namespaced' : ''}${info.kind}`;
  const type = typeKey(info);
  const common = { media: 'object', answer: type } as const;
  switch (verb) {
    case 'create':
      return [
        make(at, false, {
          ...common,
          method: 'post',
          operationId: `create${words}${scoped}`,
          description: `create ${article(info.kind)} ${info.kind}`,
          action: 'post',
          query: WRITE,
          body: type,
          bodyRequired: true,
          codes: [200, 201, 202],
        }),
      ];
    case 'get':
      return [
        make(at, true, {
          ...common,
          method: 'get',
          operationId: `read${words}${scoped}`,
          description: `read the specified ${info.kind}`,
          action: 'get',
          query: [],
          codes: [200],
        }),
      ];
    case 'update':
      return [write(at, 'put', `replace${words}${scoped}`, type)];
    case 'patch':
      return [write(at, 'patch', `patch${words}${scoped}`, type)];
    case 'delete':
      return [
        make(at, true, {
          media: 'object',
          answer: info.deleteReturns === 'object' ? type : STATUS,
          method: 'delete',
          operationId: `delete${words}${scoped}`,
          description: `delete ${article(info.kind)} ${info.kind}`,
          action: 'delete',
          query: parameters.deletion,
          body: DELETE_OPTIONS,
          codes: [200, 202],
        }),
      ];
    case 'deletecollection':
      return [
        make(at, false, {
          media: 'object',
          answer: STATUS,
          method: 'delete',
          operationId: `delete${words}Collection${scoped}`,
          description: `delete collection of ${info.kind}`,
          action: 'deletecollection',
          query: [...parameters.listing, ...parameters.deletion],
          body: DELETE_OPTIONS,
          codes: [200],
        }),
      ];
    case 'list':
      return lists(at, scoped);
    case 'watch':
      return info.dynamic === true ? [] : watchOperations(at);
  }
}

/** A kind with its article, as go-restful's descriptions have it. */
const article = (kind: string): string => (/^[AEIOU]/.test(kind) ? 'an' : 'a');

function lists(at: Subject, scoped: string): Operation[] {
  const { info, words } = at;
  const list = {
    method: 'get',
    description: `${info.dynamic === true || !info.verbs.includes('watch') ? 'list' : 'list or watch'} objects of kind ${info.kind}`,
    action: 'list',
    query: parameters.watching,
    answer: typeKey({ ...info, kind: info.listKind }),
    codes: [200],
    media: 'list',
  } as const;
  const own = make(at, false, { ...list, operationId: `list${words}${scoped}` });
  if (!info.namespaced) return [own];
  const everywhere: Operation = {
    ...own,
    path: `${at.base}/${info.plural}`,
    pathParameters: [parameters.pretty],
    operationId: `list${words}${info.kind}ForAllNamespaces`,
  };
  return [own, everywhere];
}

function write(at: Subject, method: 'put' | 'patch', operationId: string, type: string): Operation {
  const of = at.sub === undefined ? '' : `${at.sub.name} of the `;
  return make(at, true, {
    method,
    operationId,
    description: `${method === 'put' ? 'replace' : 'partially update'} ${of === '' ? 'the' : of.trimEnd()} specified ${at.info.kind}`,
    action: method,
    query: method === 'put' ? WRITE : [...WRITE, parameters.force],
    body: method === 'put' ? type : 'meta.v1.Patch',
    bodyRequired: true,
    answer: type,
    codes: [200, 201],
    media: 'object',
  });
}

const METHODS = { create: 'post', get: 'get', update: 'put', patch: 'patch', delete: 'delete' } as const;

function subresourceOperations(at: Subject, sub: SubresourceInfo, api: Api): Operation[] {
  const { info, words } = at;
  const scoped = `${info.namespaced ? 'Namespaced' : ''}${info.kind}${capital(sub.name)}`;
  if (sub.kind.endsWith('Options')) return connects(at, sub, scoped, api);
  const type = typeKey(sub);
  return sub.verbs.flatMap((verb): Operation[] => {
    switch (verb) {
      case 'get':
        return [
          make(at, true, {
            method: 'get',
            operationId: `read${words}${scoped}`,
            description: `read ${sub.name} of the specified ${info.kind}`,
            action: 'get',
            query: sub.name === 'log' ? parameters.optionsOf(api.type('core.v1.PodLogOptions')) : [],
            answer: sub.name === 'log' ? 'string' : type,
            codes: [200],
            media: sub.name === 'log' ? 'log' : 'object',
          }),
        ];
      case 'create':
        return [
          make(at, true, {
            method: 'post',
            operationId: `create${words}${scoped}`,
            description: `create ${sub.name} of ${article(info.kind)} ${info.kind}`,
            action: 'post',
            query: WRITE,
            body: type,
            bodyRequired: true,
            answer: type,
            codes: [200, 201, 202],
            media: 'object',
          }),
        ];
      case 'update':
        return [write(at, 'put', `replace${words}${scoped}`, type)];
      case 'patch':
        return [write(at, 'patch', `patch${words}${scoped}`, type)];
      default:
        return [];
    }
  });
}

/** HTTP methods beyond those of verbs that a proxy passes on. */
const PROXY_METHODS = ['head', 'options'] as const;

function connects(at: Subject, sub: SubresourceInfo, scoped: string, api: Api): Operation[] {
  const query = parameters.optionsOf(api.type(`core.v1.${sub.kind}`));
  const verbs = sub.verbs.filter((verb): verb is keyof typeof METHODS => verb in METHODS);
  const isProxy = sub.name === 'proxy';
  const methods = [...verbs.map(verb => METHODS[verb]), ...(isProxy ? PROXY_METHODS : [])];
  return methods.flatMap(method => {
    const plain = make(at, true, {
      method,
      operationId: `connect${at.words}${capital(method)}${scoped}`,
      description: `connect ${method.toUpperCase()} requests to ${sub.name} of ${at.info.kind}`,
      action: 'connect',
      query,
      answer: 'string',
      codes: [200],
      media: 'any',
    });
    if (!isProxy) return [plain];
    const below: Operation = {
      ...plain,
      path: `${plain.path}/{path}`,
      operationId: `${plain.operationId}WithPath`,
      pathParameters: [...plain.pathParameters, parameters.rest],
    };
    return [plain, below];
  });
}

/** x-kubernetes-* extensions of an operation. */
export const extensionsOf = ({ action, kind }: Operation): JsonObject =>
  action === undefined || kind === undefined
    ? {}
    : {
        'x-kubernetes-action': action,
        'x-kubernetes-group-version-kind': { group: kind.group, kind: kind.kind, version: kind.version },
      };
