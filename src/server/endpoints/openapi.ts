import { createHash } from 'node:crypto';
import { compareText } from '../../machinery/compare-text.js';
import type { OpenApiDocuments } from '../../api/openapi/documents.js';
import { pathOf } from '../../api/openapi/generated.js';
import type { RemoteOpenApiEntry } from '../aggregation/keep-openapi.js';
import { JSON_TYPE } from '../negotiation/media-types.js';
import { parseAccept } from '../negotiation/accept.js';
import type { Answer, DocumentRoute, Exchange } from '../pipeline/exchange.js';

const V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const V2_PROTOBUF_OLD = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

export const sha512 = (bytes: Buffer | string): string =>
  createHash('sha512').update(bytes).digest('hex').toUpperCase();

const raw = (code: number, headers: Record<string, string>, body: Buffer | string): Answer => ({
  kind: 'raw',
  code,
  headers,
  body,
});

const document = (handle: (exchange: Exchange) => Promise<Answer>): DocumentRoute => ({
  kind: 'document',
  negotiated: false,
  handle,
});

/** Which form of /openapi/v2 the client wants; undefined: none that is served (kube-openapi handler.go). */
function v2Form(accept: string | undefined): 'json' | 'protobuf' | undefined {
  if (accept === undefined || accept === '') return 'json';
  for (const { type, subtype } of parseAccept(accept)) {
    const media = `${type}/${subtype}`;
    if (media === '*/*' || media === 'application/*' || media === JSON_TYPE) return 'json';
    if (media === V2_PROTOBUF || media === V2_PROTOBUF_OLD) return 'protobuf';
  }
  return undefined;
}

function v2(documents: OpenApiDocuments, startedAt: string): DocumentRoute {
  return document(async ({ request }) => {
    const form = v2Form(request.raw.headers.accept);
    if (form === undefined) return raw(406, { Vary: 'Accept-Encoding, Accept' }, '');
    const body = form === 'json' ? await documents.v2() : await documents.v2Protobuf();
    const etag = `"${await documents.hashOf(body)}"`;
    const headers = { Etag: etag, 'Last-Modified': startedAt, Vary: 'Accept-Encoding, Accept' };
    if (request.raw.headers['if-none-match'] === etag) return raw(304, headers, '');
    return raw(200, { ...headers, 'Content-Type': form === 'json' ? JSON_TYPE : V2_PROTOBUF }, body);
  });
}

interface V3Document {
  readonly json: Buffer;
  readonly hash: string;
}

const v3Url = (path: string, hash: string): string => `/openapi/v3/${path}?hash=${hash}`;

/** OpenAPI of other servers. */
export interface RemoteDocuments {
  generation(): number;
  entries(): readonly RemoteOpenApiEntry[];
  /** To the server that has a v3 document. */
  route(path: string): DocumentRoute | undefined;
  /** A v3 document that was made here of what another server says in v2. */
  converted(path: string): V3Document | undefined;
}

function v3Index(documents: OpenApiDocuments, remote: RemoteDocuments | undefined): DocumentRoute {
  return document(async ({ request }) => {
    const paths = new Map<string, { readonly serverRelativeURL: string }>();
    // This server's own come last: nobody else says where they are.
    for (const { v3, api, converted } of remote?.entries() ?? []) {
      for (const [path, serverRelativeURL] of v3) paths.set(path, { serverRelativeURL });
      if (converted !== undefined) paths.set(pathOf(api), { serverRelativeURL: v3Url(pathOf(api), converted.hash) });
    }
    for (const path of documents.paths())
      paths.set(path, { serverRelativeURL: v3Url(path, await documents.hash(path)) });
    const sorted = [...paths].sort(([a], [b]) => compareText(a, b));
    const body = JSON.stringify({ paths: Object.fromEntries(sorted) });
    const etag = `"${sha512(body)}"`;
    if (request.raw.headers['if-none-match'] === etag) return raw(304, { Etag: etag }, '');
    return raw(200, { 'Content-Type': 'text/plain; charset=utf-8', Etag: etag }, body);
  });
}

const YEAR_MS = 365 * 24 * 3600 * 1000;

async function localV3(path: string, documents: OpenApiDocuments): Promise<V3Document | undefined> {
  const json = await documents.v3(path);
  return json && { json, hash: await documents.hash(path) };
}

function v3Document(
  path: string,
  find: (path: string) => Promise<V3Document | undefined>,
  nowMs: () => number,
): DocumentRoute {
  return document(async ({ request }) => {
    const found = await find(path);
    if (found === undefined) return raw(404, {}, '');
    if (!acceptsJson(request.raw.headers.accept)) return raw(406, { Vary: 'Accept' }, '');
    const { json, hash } = found;
    const asked = request.query.get('hash');
    if (asked !== null && asked !== '' && asked !== hash) return raw(301, { Location: v3Url(path, hash) }, '');
    const etag = `"${hash}"`;
    const caching =
      asked === null || asked === ''
        ? { 'Cache-Control': 'no-cache, private' }
        : { 'Cache-Control': 'public, immutable', Expires: new Date(nowMs() + YEAR_MS).toUTCString() };
    const headers = { ...caching, Etag: etag, Vary: 'Accept' };
    if (request.raw.headers['if-none-match'] === etag) return raw(304, headers, '');
    return raw(200, { ...headers, 'Content-Type': JSON_TYPE }, json);
  });
}

const acceptsJson = (accept: string | undefined): boolean =>
  accept === undefined ||
  accept === '' ||
  parseAccept(accept).some(c => ['*/*', 'application/*', JSON_TYPE].includes(`${c.type}/${c.subtype}`));

/** Routes under /openapi; undefined for other paths. */
export function openApiRoute(
  path: string,
  documents: OpenApiDocuments,
  nowMs: () => number,
  startedAt: string,
  remote?: RemoteDocuments,
): DocumentRoute | undefined {
  if (path === '/openapi/v2') return v2(documents, startedAt);
  if (path === '/openapi/v3') return v3Index(documents, remote);
  if (path.startsWith('/openapi/v3/')) {
    const below = path.slice('/openapi/v3/'.length);
    const elsewhere = documents.paths().includes(below) ? undefined : remote?.route(below);
    const here = async (wanted: string): Promise<V3Document | undefined> =>
      (await localV3(wanted, documents)) ?? remote?.converted(wanted);
    return elsewhere ?? v3Document(below, here, nowMs);
  }
  return undefined;
}
