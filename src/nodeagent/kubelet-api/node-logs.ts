import { logNode } from '../node/log-files.js';
import { HttpError, sendText, type KubeletRoute } from './types.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, c => ENTITIES[c] ?? c);

/** As Go's http.FileServer lists a directory. */
const listing = (names: readonly string[]): string =>
  [
    '<!doctype html>',
    '<meta name="viewport" content="width=device-width">',
    '<pre>',
    ...names.map(name => `<a href="${encodeURI(name)}">${escaped(name)}</a>`),
    '</pre>',
    '',
  ].join('\n');

/** GET /logs/PATH: the node's /var/log. */
export const nodeLogs: KubeletRoute = async ({ pods }, { url, segments, response }) => {
  if (url.searchParams.has('query'))
    throw new HttpError(400, 'querying the logs of services is behind a gate that is closed by default');
  const path = segments.filter(part => part !== '');
  const node = logNode(pods.list(), path);
  if (node === undefined) throw new HttpError(404, '404 page not found');
  const slash = url.pathname.endsWith('/');
  if ('text' in node) {
    if (!slash) return sendText(response, await node.text());
    throw new HttpError(404, '404 page not found');
  }
  if (slash) return sendText(response, listing(node.names), 'text/html; charset=utf-8');
  // Relative, as http.FileServer's: whatever leads here stays.
  response.writeHead(301, { Location: `${encodeURIComponent(path.at(-1) ?? 'logs')}/` }).end();
};
