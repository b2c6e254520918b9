import { createHash } from 'node:crypto';
import { pathNotFoundError } from '../machinery/status.js';

/** What the server says of its API in OpenAPI, as JSON. */
export interface OpenApi {
  readonly v2: Buffer;
  /** By path below /openapi/v3/: "apis/metrics.k8s.io/v1beta1". */
  readonly v3: ReadonlyMap<string, Buffer>;
}

export interface OpenApiAnswer {
  readonly code: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export interface OpenApiAsked {
  readonly path: string;
  readonly query: URLSearchParams;
  /** The If-None-Match header. */
  readonly known: string | undefined;
}

const JSON_TYPE = 'application/json';
const sha512 = (bytes: Buffer | string): string => createHash('sha512').update(bytes).digest('hex').toUpperCase();
const answer = (code: number, headers: Record<string, string>, body: Buffer | string): OpenApiAnswer => ({
  code,
  contentType: JSON_TYPE,
  headers,
  body,
});

const tagged = (body: Buffer | string, hash: string, known: string | undefined, headers = {}): OpenApiAnswer => {
  const etag = `"${hash}"`;
  return known === etag ? answer(304, { Etag: etag, ...headers }, '') : answer(200, { Etag: etag, ...headers }, body);
};

/** Answers below /openapi (kube-openapi's handler and handler3), in JSON whatever is accepted: the API server asks. */
export function createOpenApi({ v2, v3 }: OpenApi): { answer(asked: OpenApiAsked): OpenApiAnswer } {
  const v2Hash = sha512(v2);
  const hashes = new Map([...v3].map(([path, bytes]) => [path, sha512(bytes)]));
  const urlOf = (path: string): string => `/openapi/v3/${path}?hash=${hashes.get(path) ?? ''}`;
  const index = JSON.stringify({
    paths: Object.fromEntries([...v3.keys()].sort().map(path => [path, { serverRelativeURL: urlOf(path) }])),
  });
  const indexHash = sha512(index);
  return {
    answer({ path, query, known }) {
      if (path === '/openapi/v2') return tagged(v2, v2Hash, known);
      if (path === '/openapi/v3') return tagged(index, indexHash, known);
      const below = path.startsWith('/openapi/v3/') ? path.slice('/openapi/v3/'.length) : '';
      const document = v3.get(below);
      if (document === undefined) throw pathNotFoundError();
      const hash = hashes.get(below) ?? '';
      const asked = query.get('hash') ?? '';
      if (asked !== '' && asked !== hash) return answer(301, { Location: urlOf(below) }, '');
      return tagged(document, hash, known, asked === '' ? {} : { 'Cache-Control': 'public, immutable' });
    },
  };
}
