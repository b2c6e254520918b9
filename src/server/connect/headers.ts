import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { HOP_BY_HOP } from '../../machinery/hop-by-hop.js';

/** Headers that end at the API server: credentials were checked here, and framing belongs to a connection. */
const OWN = new Set([...HOP_BY_HOP, 'authorization', 'content-length', 'expect', 'host', 'http2-settings']);
/** Upstream takes these from what a proxied server answers: pages of it are pages of the API server here. */
const CORS = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
]);
/** What of a client's request for a stream means something to a kubelet. */
const STREAM = [
  'origin',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'x-stream-protocol-version',
] as const;

type Values = Readonly<Record<string, string[] | undefined>>;

const copy = (headers: OutgoingHttpHeaders, name: string, values: readonly string[]): void => {
  headers[name] = values.length === 1 ? values[0] : [...values];
};

/** Headers that a message's Connection header calls its own. */
const named = (headers: Values): ReadonlySet<string> =>
  new Set((headers['connection'] ?? []).flatMap(value => value.split(',')).map(name => name.trim().toLowerCase()));

/** Whether a request says that a body follows, however short. */
export const hasBody = (raw: IncomingMessage): boolean =>
  raw.headers['transfer-encoding'] !== undefined || !['0', undefined].includes(raw.headers['content-length']);

/** How the body of a request that is sent on is framed: as the client announced it, or in chunks. */
export function bodyHeaders(raw: IncomingMessage): OutgoingHttpHeaders {
  const length = raw.headers['content-length'];
  if (raw.headers['transfer-encoding'] !== undefined) return { 'transfer-encoding': 'chunked' };
  return length === undefined ? {} : { 'content-length': length };
}

/** The protocol that the client wants to change to. */
export const upgradeHeaders = (raw: IncomingMessage): OutgoingHttpHeaders => ({
  connection: 'Upgrade',
  upgrade: raw.headers.upgrade ?? '',
});

/** The client's headers as a server behind a proxy gets them; repeated headers stay repeated. */
export function forwardedHeaders(raw: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const all: Values = raw.headersDistinct;
  const dropped = named(all);
  for (const [name, values] of Object.entries(all)) {
    if (values === undefined || OWN.has(name) || dropped.has(name)) continue;
    if (name.startsWith('impersonate-') || name === 'x-remote-user') continue;
    copy(headers, name, values);
  }
  const client = raw.socket.remoteAddress;
  if (client !== undefined) headers['x-forwarded-for'] = [...(all['x-forwarded-for'] ?? []), client].join(', ');
  return headers;
}

/** The headers of a request for a stream as the kubelet gets them. */
export function streamHeaders(raw: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...upgradeHeaders(raw) };
  for (const name of STREAM) {
    const values = raw.headersDistinct[name];
    if (values !== undefined) copy(headers, name, values);
  }
  return headers;
}

/** The headers of a proxied answer as the client gets them. The length stays: it is the client's frame too. */
export function returnedHeaders(answer: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const all: Values = answer.headersDistinct;
  const dropped = named(all);
  for (const [name, values] of Object.entries(all)) {
    if (values === undefined || dropped.has(name) || CORS.has(name)) continue;
    if (OWN.has(name) && name !== 'content-length') continue;
    copy(headers, name, values);
  }
  return headers;
}
