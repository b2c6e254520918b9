import { badRequestError, StatusError } from '../../machinery/status.js';
import { parseAccept, type Clause } from './accept.js';

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

export type Encoding = typeof JSON_TYPE | typeof YAML_TYPE | typeof PROTOBUF_TYPE;

/** What the server reads and writes, in upstream's order. */
export const ENCODINGS: readonly Encoding[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];

/** Another form of the object that the client asked for with `as`, in meta.k8s.io at `version`. */
export interface Transform {
  readonly kind: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  readonly version: 'v1' | 'v1beta1';
}

/** How an answer is written. */
export interface MediaType {
  readonly encoding: Encoding;
  readonly transform?: Transform;
  /** From `;pretty=1`. */
  readonly pretty: boolean;
}

export interface Restrictions {
  /** Encodings that this endpoint can write. */
  readonly encodings: readonly Encoding[];
  /** Those of them in which the objects themselves can be written. Default: all. */
  readonly objects?: readonly Encoding[];
  /** Whether the answer can be turned into partial metadata. */
  readonly transforms: boolean;
  /** Whether it can be turned into a Table, too. */
  readonly tables: boolean;
}

/** Endpoints that answer one fixed document, and errors. */
export const PLAIN: Restrictions = { encodings: ENCODINGS, transforms: false, tables: false };

const TRANSFORMS = new Set<string>(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

function transformOf(clause: Clause): Transform | 'none' | 'refused' {
  const [kind, group, version] = ['as', 'g', 'v'].map(p => clause.params.get(p));
  if (kind === undefined && group === undefined && version === undefined) return 'none';
  if (kind === undefined || !TRANSFORMS.has(kind) || group !== 'meta.k8s.io') return 'refused';
  if (version !== 'v1' && version !== 'v1beta1') return 'refused';
  return { kind: kind as Transform['kind'], version };
}

function accepts(clause: Clause, encoding: Encoding, restrictions: Restrictions): MediaType | undefined {
  const [type, subtype] = encoding.split('/');
  if (clause.type !== '*' && clause.type !== type) return undefined;
  if (clause.subtype !== '*' && clause.subtype !== subtype) return undefined;
  const stream = clause.params.get('stream') ?? '';
  if (stream !== '' && (stream !== 'watch' || encoding === YAML_TYPE)) return undefined;
  const transform = transformOf(clause);
  if (transform === 'refused') return undefined;
  const pretty = clause.params.get('pretty') === '1';
  if (transform === 'none')
    return (restrictions.objects ?? restrictions.encodings).includes(encoding) ? { encoding, pretty } : undefined;
  if (!restrictions.transforms) return undefined;
  if (transform.kind === 'Table' && (!restrictions.tables || encoding === PROTOBUF_TYPE)) return undefined;
  return { encoding, pretty, transform };
}

/** The best way to answer, or undefined when no clause can be met (k8s.io/apiserver negotiation.NegotiateMediaTypeOptions). */
export function negotiate(accept: string | undefined, restrictions: Restrictions): MediaType | undefined {
  const first = restrictions.encodings[0];
  if (accept === undefined || accept === '')
    return first === undefined ? undefined : { encoding: first, pretty: false };
  for (const clause of parseAccept(accept)) {
    for (const encoding of restrictions.encodings) {
      const media = accepts(clause, encoding, restrictions);
      if (media !== undefined) return media;
    }
  }
  return undefined;
}

export const notAcceptableError = (supported: readonly string[]): StatusError =>
  new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${supported.join(', ')}`);

/** What a request for a route that produces these types gets when Accept names none of them: the router's own refusal. */
export function checkRoutable(accept: string | undefined, produces: readonly string[]): void {
  if (accept === undefined || accept === '') return;
  for (const part of accept.split(',')) {
    const media = (part.split(';')[0] ?? '').trim();
    if (media === '*/*' || produces.includes(media)) return;
  }
  const text = `406: Not Acceptable\n\nAvailable representations: ${produces.join(', ')}`;
  throw new StatusError(406, 'NotAcceptable', text, {});
}

/** The bare media type of a Content-Type header, lowercase; undefined when it cannot be read. */
export function bareContentType(header: string): string | undefined {
  const media = (header.split(';')[0] ?? '').trim().toLowerCase();
  return /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+$/.test(media) ? media : undefined;
}

const unsupportedBody = (accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** How a request body is written; no header means JSON. @throws StatusError 415 */
export function inputEncoding(header: string | undefined, accepted: readonly Encoding[]): Encoding {
  if (header === undefined || header === '') return accepted[0] ?? JSON_TYPE;
  const media = bareContentType(header);
  const encoding = accepted.find(e => e === media);
  // Upstream names all that it knows, whatever this kind is read from.
  if (encoding === undefined) throw unsupportedBody(ENCODINGS);
  return encoding;
}

const PATCH_TYPES = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
} as const;
export type PatchType = (typeof PATCH_TYPES)[keyof typeof PATCH_TYPES];

/** @throws StatusError 415, in the router's words when no patch route takes the type */
export function patchType(header: string | undefined, strategic: boolean): PatchType {
  // application/apply-patch+cbor is known to the router upstream only with its feature gate, which is off.
  const known = Object.keys(PATCH_TYPES);
  const listed = (header ?? '').split(',').map(part => (part.split(';')[0] ?? '').trim());
  if (!listed.some(media => known.includes(media)))
    throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  // The router takes a list of types, the handler behind it does not.
  const media = (header ?? '').split(';')[0] ?? '';
  const type = known.includes(media) ? PATCH_TYPES[media as keyof typeof PATCH_TYPES] : undefined;
  if (type === undefined) throw unsupportedBody(known);
  if (type === 'strategic' && !strategic)
    throw unsupportedBody(known.filter(t => t !== 'application/strategic-merge-patch+json'));
  return type;
}

/** @throws StatusError 400 for a Table of an unknown includeObject */
export function includeObject(value: string | null): 'None' | 'Metadata' | 'Object' {
  if (value === null || value === '') return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  throw badRequestError(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}
