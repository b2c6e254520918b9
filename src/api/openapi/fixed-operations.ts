import { groupWord, tagOf } from './group-words.js';
import type { Operation } from './operation.js';

/** One document of the index that is about no resource: "apis/apps", with what it says. */
export interface FixedDocument {
  readonly path: string;
  readonly operation: Operation;
}

type Fixed = Pick<Operation, 'operationId' | 'description' | 'tag' | 'answer' | 'media'>;

const get = (path: string, fixed: Fixed): FixedDocument => ({
  path,
  operation: { ...fixed, path: `/${path}/`, method: 'get', query: [], pathParameters: [], codes: [200] },
});

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** What a group-version's own discovery document is described as. */
export function discoveryOperation({ group, version }: GroupVersion): Operation {
  const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
  const word = groupWord(group);
  return get(path, {
    tag: tagOf(group, version),
    description: 'get available resources',
    operationId: `get${word}${version.charAt(0).toUpperCase()}${version.slice(1)}APIResources`,
    answer: 'meta.v1.APIResourceList',
    media: 'discovery',
  }).operation;
}

const versions = (path: string, tag: string, operationId: string, answer: string): FixedDocument =>
  get(path, { tag, operationId, answer, description: 'get available API versions', media: 'discovery' });

/** Everything that is served beside resources and has a description: discovery, the version, the token issuer. */
export function fixedDocuments(groupVersions: readonly GroupVersion[]): FixedDocument[] {
  const groups = [...new Set(groupVersions.map(gv => gv.group))].filter(group => group !== '');
  return [
    get('.well-known/openid-configuration', {
      tag: 'WellKnown',
      description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
      operationId: 'getServiceAccountIssuerOpenIDConfiguration',
      answer: 'string',
      media: 'json',
    }),
    versions('api', 'core', 'getCoreAPIVersions', 'meta.v1.APIVersions'),
    versions('apis', 'apis', 'getAPIVersions', 'meta.v1.APIGroupList'),
    ...groups.map(group =>
      get(`apis/${group}`, {
        tag: tagOf(group),
        description: 'get information of a group',
        operationId: `get${groupWord(group)}APIGroup`,
        answer: 'meta.v1.APIGroup',
        media: 'discovery',
      }),
    ),
    get('openid/v1/jwks', {
      tag: 'openid',
      description: 'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
      operationId: 'getServiceAccountIssuerOpenIDKeyset',
      answer: 'string',
      media: 'keys',
    }),
    get('version', {
      tag: 'version',
      description: 'get the version information for this server',
      operationId: 'getCodeVersion',
      answer: 'version.Info',
      media: 'json',
    }),
  ];
}

/** Of these, what a server behind the aggregator has: it issues no tokens and has no core group. */
export const behindAggregator = (groupVersions: readonly GroupVersion[]): FixedDocument[] =>
  fixedDocuments(groupVersions).filter(({ path }) => path.startsWith('apis') || path === 'version');
