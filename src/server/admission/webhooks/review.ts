import type { GroupVersionKind, JsonObject } from '../../../machinery/types.js';
import { goStruct, STATUS } from '../../webhook-client/go-types.js';
import type { ReviewType } from '../../webhook-client/read-body.js';
import type { Attributes } from '../matching/attributes.js';
import type { Match } from '../matching/match.js';
import type { SentStatus } from './hook-error.js';

const GROUP = 'admission.k8s.io';
const KIND = 'AdmissionReview';
const VERSIONS = ['v1', 'v1beta1'] as const;
export type ReviewVersion = (typeof VERSIONS)[number];

const reviewStruct = (version: ReviewVersion) =>
  goStruct(KIND, {
    kind: 'string',
    apiVersion: 'string',
    request: '*RawExtension',
    response: goStruct('AdmissionResponse', {
      uid: 'types.UID=string',
      allowed: 'bool',
      status: STATUS,
      patch: '[]byte',
      patchType: `*${version}.PatchType=string`,
      auditAnnotations: 'map[string]string',
      warnings: '[]string',
    }),
  });

const typeOf = (version: ReviewVersion): ReviewType => ({
  group: GROUP,
  version,
  kind: KIND,
  struct: reviewStruct(version),
  known: { versions: VERSIONS, kinds: [KIND] },
  maxValues: 50_000,
});

/** What is expected of a webhook that was asked in a version. */
export const REVIEWS: Readonly<Record<ReviewVersion, ReviewType>> = { v1: typeOf('v1'), v1beta1: typeOf('v1beta1') };

/** The first version that a webhook takes and the server knows. */
export const reviewVersion = (accepted: readonly string[]): ReviewVersion | undefined =>
  accepted.find((version): version is ReviewVersion => VERSIONS.includes(version as ReviewVersion));

export interface ReviewRequest {
  readonly version: ReviewVersion;
  readonly uid: string;
  readonly asked: Attributes;
  readonly match: Match;
  /** JSON texts. */
  readonly object: string;
  readonly oldObject: string;
}

const kindJson = ({ group, version, kind }: GroupVersionKind): JsonObject => ({ group, version, kind });

/** The request as JSON, in Go's order. */
export function reviewBody({ version, uid, asked, match, object, oldObject }: ReviewRequest): Buffer {
  const { user, subresource, name, namespace } = asked;
  const userInfo = {
    username: user.name,
    ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
  const members: [string, string][] = Object.entries({
    uid,
    kind: kindJson(match.kind),
    resource: match.resource,
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindJson(asked.kind),
    requestResource: asked.resource,
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: asked.operation,
    userInfo,
  }).map(([key, value]) => [key, JSON.stringify(value)]);
  members.push(['object', object], ['oldObject', oldObject]);
  members.push(['dryRun', String(asked.dryRun)], ['options', JSON.stringify(asked.options ?? null)]);
  const request = members.map(([key, text]) => `"${key}":${text}`).join(',');
  return Buffer.from(`{"kind":"${KIND}","apiVersion":"${GROUP}/${version}","request":{${request}}}\n`);
}

export interface Verdict {
  readonly allowed: boolean;
  readonly status: SentStatus | undefined;
  /** JSON in base64; undefined: none. */
  readonly patch: string | undefined;
  readonly patchType: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

interface SentResponse {
  readonly uid?: string;
  readonly allowed?: boolean;
  readonly status?: SentStatus;
  readonly patch?: string;
  readonly patchType?: string;
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly warnings?: readonly (string | null)[];
}

/** What is wrong with an answer that could be decoded; upstream's words, but for those that the caller adds. */
export class InvalidReview extends Error {
  override readonly name = 'InvalidReview';
}

const gvkText = (apiVersion: string, kind: string): string => {
  const parts = apiVersion.split('/');
  const [group = '', version = ''] = parts.length === 2 ? parts : ['', apiVersion];
  return `${group}/${version}, Kind=${kind}`;
};

/** What v1 asks of an answer and v1beta1 does not. @throws InvalidReview */
function checkPatch(kind: 'mutating' | 'validating', patch: string, patchType: string | undefined): void {
  if (kind === 'validating') {
    if (patch !== '') throw new InvalidReview('validating webhook may not return response.patch');
    if (patchType !== undefined) throw new InvalidReview('validating webhook may not return response.patchType');
    return;
  }
  if (patch !== '' && patchType === undefined)
    throw new InvalidReview('webhook returned response.patch but not response.patchType');
  if (patch === '' && patchType !== undefined)
    throw new InvalidReview('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw new InvalidReview('webhook returned invalid response.patchType of ""');
}

/** apiserver pkg/admission/plugin/webhook/request VerifyAdmissionResponse. @throws InvalidReview */
export function verdictOf(
  review: JsonObject,
  version: ReviewVersion,
  uid: string,
  kind: 'mutating' | 'validating',
): Verdict {
  const {
    response,
    apiVersion = '',
    kind: own = '',
  } = review as {
    response?: SentResponse;
    apiVersion?: string;
    kind?: string;
  };
  if (response === undefined) throw new InvalidReview('webhook response was absent');
  const { patch = '', patchType } = response;
  if (version === 'v1') {
    if ((response.uid ?? '') !== uid)
      throw new InvalidReview(
        `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`,
      );
    const [wanted, got] = [gvkText(`${GROUP}/v1`, KIND), gvkText(apiVersion, own)];
    if (wanted !== got) throw new InvalidReview(`expected webhook response of ${wanted}, got ${got}`);
    checkPatch(kind, patch, patchType);
  }
  return {
    allowed: response.allowed === true,
    status: response.status,
    patch: kind === 'validating' || patch === '' ? undefined : patch,
    // v1beta1 had no other.
    patchType: version === 'v1' ? (patchType ?? '') : 'JSONPatch',
    auditAnnotations: response.auditAnnotations ?? {},
    warnings: (response.warnings ?? []).map(text => text ?? ''),
  };
}
