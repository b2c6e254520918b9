import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Turns } from '../../machinery/turns.js';
import type { Exchange } from '../pipeline/exchange.js';
import { joinedIn } from './chunked.js';
import { warningHeaders } from './warnings.js';

/** Answers above this are compressed for clients that ask (k8s.io/apiserver responsewriters). */
const GZIP_THRESHOLD = 128 * 1024;
const GZIP_LEVEL = 1;
/** Pieces that come to no more are joined, as a copy of them costs less than writes of their own. */
const JOINED_BYTES = 64 * 1024;

/** An answer's bytes. Chunks are made as they are sent, so that a long list never blocks the loop or sits in memory twice. */
export interface Encoded {
  readonly contentType: string;
  readonly chunks: Iterable<Buffer> | AsyncIterable<Buffer>;
}

const acceptsGzip = (header: string | string[] | undefined): boolean =>
  String(header ?? '')
    .split(',')
    .some(token => token.trim() === 'gzip');

/** Headers of every answer; `size` is that of its body. Must be called once, before anything is written. */
export function writeHead(
  exchange: Exchange,
  code: number,
  headers: Readonly<Record<string, string | number>>,
  size?: number,
): void {
  const { request } = exchange;
  const all: Record<string, string | number | string[]> = {
    'Audit-Id': request.auditId,
    'Cache-Control': 'no-cache, private',
  };
  // Member by member: V8 keeps what a spread makes through many more collections, and with it what it points to.
  for (const name of Object.keys(headers)) all[name] = headers[name] as string | number;
  if (size !== undefined) all['Content-Length'] = size;
  if (exchange.classification !== undefined) {
    all['X-Kubernetes-Pf-Flowschema-Uid'] = exchange.classification.schemaUid;
    all['X-Kubernetes-Pf-Prioritylevel-Uid'] = exchange.classification.levelUid;
  }
  const warnings = warningHeaders(exchange.warnings);
  if (warnings.length > 0) all['Warning'] = warnings;
  if (request.upgradeHead !== undefined) all['Connection'] = 'close';
  if (exchange.longRunning) exchange.audit?.started(code);
  request.response.writeHead(code, all);
}

type Next = IteratorResult<Buffer> | Promise<IteratorResult<Buffer>>;

const iteratorOf = (chunks: Encoded['chunks']): { next(): Next } =>
  Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();

/** Sends bytes that are all at hand. */
export function sendBytes(
  exchange: Exchange,
  code: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | string,
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  sendPieces(exchange, code, headers, [bytes], bytes.length);
}

/** The same in pieces, which are `size` bytes together. */
function sendPieces(
  exchange: Exchange,
  code: number,
  headers: Readonly<Record<string, string>>,
  pieces: readonly Buffer[],
  size: number,
): void {
  const { response, method } = exchange.request;
  const bodiless = code === 204 || code === 304;
  writeHead(exchange, code, headers, bodiless ? undefined : size);
  if (bodiless || method === 'HEAD') return void response.end();
  if (pieces.length === 1) return void response.end(pieces[0]);
  if (size <= JOINED_BYTES) return void response.end(joinedIn(exchange, pieces, size));
  response.cork();
  for (const piece of pieces) if (piece.length > 0) response.write(piece);
  response.end();
}

/** Sends an encoded answer: in one write when it is small, else chunk by chunk as the client takes it. */
export async function sendEncoded(exchange: Exchange, code: number, encoded: Encoded, turns: Turns): Promise<void> {
  const { response, raw } = exchange.request;
  const iterator = iteratorOf(encoded.chunks);
  const nextChunk = async (): Promise<IteratorResult<Buffer>> => {
    if (turns.isOver()) await turns.next();
    return iterator.next();
  };
  const head: Buffer[] = [];
  let size = 0;
  while (size <= GZIP_THRESHOLD) {
    const next = await nextChunk();
    if (next.done === true) return sendPieces(exchange, code, { 'Content-Type': encoded.contentType }, head, size);
    head.push(next.value);
    size += next.value.length;
  }
  const gzip = acceptsGzip(raw.headers['accept-encoding']) ? createGzip({ level: GZIP_LEVEL }) : undefined;
  writeHead(exchange, code, {
    'Content-Type': encoded.contentType,
    ...(gzip === undefined ? {} : { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }),
  });
  if (exchange.request.method === 'HEAD') return void response.end();
  gzip?.pipe(response);
  const sink = gzip ?? response;
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
    gzip?.destroy();
  });
  const write = async (chunk: Buffer): Promise<boolean> => {
    if (gone.signal.aborted) return false;
    if (!sink.write(chunk)) {
      try {
        await once(sink, 'drain', { signal: gone.signal });
      } catch (error) {
        if (gone.signal.aborted) return false;
        throw error;
      }
    }
    return true;
  };
  for (const chunk of head) if (!(await write(chunk))) return;
  for (let next = await nextChunk(); next.done !== true; next = await nextChunk())
    if (!(await write(next.value))) return;
  sink.end();
}
