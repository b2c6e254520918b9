import { loadApi } from '../../../src/api/load.js';
import { apiVersionOf, resourceId, type ResourceInfo } from '../../../src/api/resource-info.js';
import type { Random } from '../../../src/machinery/random.js';
import { EXAMPLES } from '../../conformance/registry-examples.js';
import { randomCel } from './random-cel.js';
import { mutateBytes, mutateJson, pick, randomJson } from './random-json.js';
import { randomSchema, valueOf, type Schema } from './random-schema.js';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

const ACCEPTS: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/cbor',
  'text/html',
  '*/*',
  ',;=q',
];
const BODY_TYPES: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'text/x',
];
const PATCHES: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/apply-patch+cbor',
];
const PARAMETERS: readonly string[] = [
  'dryRun=All',
  'fieldManager=fuzz',
  'force=true',
  'fieldValidation=Strict',
  'limit=1',
  'limit=-1',
  'labelSelector=a%3Db',
  'fieldSelector=metadata.name%3Da',
  'resourceVersion=0',
  'resourceVersion=99999999',
  'resourceVersionMatch=Exact',
  'propagationPolicy=Foreground',
  'timeoutSeconds=1',
  'watch=true',
  'continue=e30',
  'pretty=true',
  'x=%zz',
];
const NAMES: readonly string[] = ['a', 'a', 'fuzz-1', 'fuzz-1', 'fuzz-2', 'default', '%2e%2e', 'A_b'];
/** What is done with what a strategic or a merge patch may say. */
const DIRECTIVES: readonly Record<string, unknown>[] = [
  { $patch: 'delete' },
  { $patch: 'replace', a: 1 },
  { $retainKeys: ['a'] },
  { '$setElementOrder/containers': [{ name: 'c' }] },
  { '$deleteFromPrimitiveList/finalizers': ['x'] },
];
const GROUP = 'fuzz.example.org';
/** Kinds that send later requests elsewhere: their servers have tests of their own. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'apiservices',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
]);

/** Endless requests over every route that the API has, most of them wrong somewhere. */
export function* mutatedRequests(random: Random): Generator<Request, never> {
  const infos = loadApi().resources.filter(({ plural }) => !ELSEWHERE.has(plural));
  let made = 0;
  let custom: Schema = { type: 'object' };
  for (;;) {
    made++;
    if (made % 40 === 0) {
      // What has come together goes again, so that memory tells of leaks only.
      const info = pick(random, infos);
      yield { method: 'DELETE', path: collectionOf(info), headers: {} };
      continue;
    }
    switch (random.below(12)) {
      case 0:
        custom = { type: 'object', properties: { spec: randomSchema(random), status: randomSchema(random, 2) } };
        yield json('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definitionOf(random, custom));
        break;
      case 1:
        yield json(pick(random, ['POST', 'PUT']), `/apis/${GROUP}/v1/namespaces/default/fuzzes`, {
          apiVersion: `${GROUP}/v1`,
          kind: 'Fuzz',
          metadata: { name: pick(random, NAMES) },
          ...(valueOf(random, custom) as object),
        });
        break;
      case 2:
        yield json('POST', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', policyOf(random));
        break;
      case 3:
        yield { method: 'DELETE', path: pick(random, EVERYTHING_MADE), headers: {} };
        break;
      default:
        yield ordinary(random, pick(random, infos));
    }
  }
}

const EVERYTHING_MADE: readonly string[] = [
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  `/apis/${GROUP}/v1/namespaces/default/fuzzes`,
  '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
];

const rootOf = ({ group, version }: ResourceInfo): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
const collectionOf = (info: ResourceInfo): string =>
  info.namespaced ? `${rootOf(info)}/namespaces/default/${info.plural}` : `${rootOf(info)}/${info.plural}`;

function json(method: string, path: string, body: unknown): Request {
  return { method, path, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

function ordinary(random: Random, info: ResourceInfo): Request {
  const subresource = random.below(5) === 0 ? pick(random, [...info.subresources.map(({ name }) => name), 'none']) : '';
  const name = pick(random, NAMES);
  const item = `${collectionOf(info)}/${name}${subresource === '' ? '' : `/${subresource}`}`;
  const method = pick(random, ['GET', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE', 'OPTIONS']);
  const atItem = method !== 'POST' || subresource !== '' || random.below(10) === 0;
  const query = PARAMETERS.filter(() => random.below(14) === 0).join('&');
  const path = `${atItem ? item : collectionOf(info)}${query === '' ? '' : `?${query}`}`;
  const headers: Record<string, string> = {
    accept: random.below(3) === 0 ? pick(random, ACCEPTS) : 'application/json',
  };
  if (method === 'GET' || method === 'OPTIONS' || (method === 'DELETE' && random.below(2) === 0))
    return { method, path, headers };
  headers['content-type'] = method === 'PATCH' ? pick(random, PATCHES) : pickMostly(random, BODY_TYPES);
  const example = {
    apiVersion: apiVersionOf(info),
    kind: info.kind,
    metadata: { name },
    ...EXAMPLES[resourceId(info)],
  };
  const document =
    method === 'PATCH' ? patchOf(random, example, headers['content-type']) : mostlyWrong(random, example);
  const text = Buffer.from(JSON.stringify(document) ?? '');
  return { method, path, headers, body: random.below(8) === 0 ? mutateBytes(random, text) : text };
}

/** What is right some of the time, so that there is something to change and to delete. */
const mostlyWrong = (random: Random, example: object): unknown =>
  random.below(3) === 0 ? example : mutateJson(random, example);

const pickMostly = <T>(random: Random, [first, ...others]: readonly T[]): T =>
  random.below(4) > 0 ? (first as T) : pick(random, others);

function patchOf(random: Random, example: object, type: string): unknown {
  if (type !== 'application/json-patch+json')
    return random.below(4) === 0 ? { ...example, spec: pick(random, DIRECTIVES) } : mutateJson(random, example);
  const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'none'];
  const pointers = [
    '',
    '/',
    '/spec',
    '/metadata/labels/a',
    '/metadata/name',
    '/spec/containers/-',
    '/a/0/~1~2',
    '/metadata',
  ];
  return Array.from({ length: 1 + random.below(4) }, () => ({
    op: pick(random, operations),
    path: pick(random, pointers),
    from: pick(random, pointers),
    value: randomJson(random, 2),
  }));
}

function definitionOf(random: Random, schema: Schema): unknown {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `fuzzes.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'fuzzes', singular: 'fuzz', kind: 'Fuzz', listKind: 'FuzzList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          ...(random.below(3) === 0 ? { subresources: { status: {} } } : {}),
          ...(random.below(4) === 0
            ? {
                additionalPrinterColumns: [
                  { name: 'A', type: 'string', jsonPath: pick(random, ['.spec.a', '[', '.a[*]']) },
                ],
              }
            : {}),
          ...(random.below(4) === 0 ? { selectableFields: [{ jsonPath: '.spec.a' }] } : {}),
        },
      ],
    },
  };
  return random.below(4) === 0 ? mutateJson(random, definition) : definition;
}

function policyOf(random: Random): unknown {
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: pick(random, NAMES) },
    spec: {
      // Of nothing that the campaign writes: what it denies is not what is looked at here.
      matchConstraints: {
        resourceRules: [{ apiGroups: [GROUP], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
      },
      variables: [{ name: 'v', expression: randomCel(random, 2) }],
      matchConditions: [{ name: 'm', expression: randomCel(random, 2) }],
      validations: [{ expression: randomCel(random), messageExpression: randomCel(random, 2) }],
    },
  };
  return random.below(4) === 0 ? mutateJson(random, policy) : policy;
}
