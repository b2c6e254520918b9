import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Headers that end at the API server: credentials were checked here, and each connection has its own hop-by-hop ones. */
const OWN = new Set(['authorization', 'host', 'keep-alive', 'proxy-authorization', 'te', 'trailer', 'x-remote-user']);
const HOP = new Set(['connection', 'upgrade', 'transfer-encoding']);

/** The client's headers as the node agent gets them; repeated headers stay repeated. */
export function forwardedHeaders(raw: IncomingMessage, options: { upgrade: boolean }): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(raw.headersDistinct)) {
    if (values === undefined || OWN.has(name) || name.startsWith('impersonate-')) continue;
    if (HOP.has(name) && !(options.upgrade && name !== 'transfer-encoding')) continue;
    headers[name] = values.length === 1 ? values[0] : values;
  }
  const client = raw.socket.remoteAddress;
  if (client !== undefined) headers['x-forwarded-for'] = client;
  return headers;
}

/** An agent's response headers, without those that belong to its own connection. */
export function returnedHeaders(response: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    if (values === undefined || HOP.has(name) || OWN.has(name)) continue;
    headers[name] = values.length === 1 ? values[0] : values;
  }
  return headers;
}
