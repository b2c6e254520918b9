import { compareText } from '../../machinery/compare-text.js';
import type { JsonObject, KubeObject } from '../../machinery/types.js';
import { goStruct, STATUS } from '../webhook-client/go-types.js';
import type { ReviewType } from '../webhook-client/read-body.js';

const GROUP = 'apiextensions.k8s.io';
const KIND = 'ConversionReview';
const VERSIONS = ['v1', 'v1beta1'] as const;
type ReviewVersion = (typeof VERSIONS)[number];

const STRUCT = goStruct(KIND, {
  kind: 'string',
  apiVersion: 'string',
  request: '*RawExtension',
  response: goStruct('ConversionResponse', {
    uid: 'types.UID=string',
    convertedObjects: '[]runtime.RawExtension=[]RawExtension',
    result: STATUS,
  }),
});

const typeOf = (version: ReviewVersion): ReviewType => ({
  group: GROUP,
  version,
  kind: KIND,
  struct: STRUCT,
  known: { versions: VERSIONS, kinds: [KIND, 'CustomResourceDefinition', 'CustomResourceDefinitionList'] },
  // A list of objects is converted at once.
  maxValues: 2_000_000,
});

export const REVIEWS: Readonly<Record<ReviewVersion, ReviewType>> = { v1: typeOf('v1'), v1beta1: typeOf('v1beta1') };

/** The first version that a webhook takes and the server knows. */
export const reviewVersion = (accepted: readonly string[]): ReviewVersion | undefined =>
  accepted.find((version): version is ReviewVersion => VERSIONS.includes(version as ReviewVersion));

/** Go writes members of maps by name, and webhooks that do too are quoted in messages. Objects are not deep. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => compareText(a, b));
  return Object.fromEntries(entries.map(([key, member]) => [key, inOrder(member)]));
}

/** Stored objects have no resourceVersion: the store adds it to what is read. */
function asStored(object: KubeObject): KubeObject {
  const { resourceVersion: _revision, ...metadata } = object.metadata;
  return inOrder({ ...object, metadata }) as KubeObject;
}

export function reviewBody(
  version: ReviewVersion,
  uid: string,
  desiredAPIVersion: string,
  objects: readonly KubeObject[],
): Buffer {
  const review = {
    kind: KIND,
    apiVersion: `${GROUP}/${version}`,
    request: { uid, desiredAPIVersion, objects: objects.map(asStored) },
    response: { uid: '', convertedObjects: null, result: { metadata: {} } },
  };
  return Buffer.from(`${JSON.stringify(review)}\n`);
}

interface SentResponse {
  readonly uid?: string;
  readonly convertedObjects?: readonly unknown[];
  readonly result?: { readonly status?: string; readonly message?: string };
}

const gvkText = ({ apiVersion = '', kind = '' }: { apiVersion?: string; kind?: string }): string =>
  `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

/** What a webhook says it has made; v1beta1 was asked for less. @throws Error in upstream's words */
export function convertedObjects(review: JsonObject, version: ReviewVersion, uid: string): readonly unknown[] {
  const { response } = review as { response?: SentResponse };
  if (version === 'v1') {
    const [wanted, got] = [gvkText({ apiVersion: `${GROUP}/v1`, kind: KIND }), gvkText(review)];
    if (wanted !== got) throw new Error(`expected webhook response of ${wanted}, got ${got}`);
  }
  if (response === undefined) throw new Error('no response provided');
  const { uid: got = '', result, convertedObjects: objects = [] } = response;
  if (version === 'v1' && got !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(got)}`);
  const { status = '', message = '' } = result ?? {};
  if (status !== 'Success')
    throw new Error(message === '' ? `response.result.status was '${status}', not 'Success'` : message);
  return objects;
}
