import { resolvePath } from '../../file-system.js';
import type { Process } from '../../process.js';
import type { Options } from '../options.js';

export interface CurlRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly [string, string][];
  readonly body: Buffer | undefined;
  /** The certificates of --cacert, in PEM. */
  readonly ca: string | undefined;
}

/** What the options say is sent. */
export async function buildRequest(process: Process, url: URL, options: Options): Promise<CurlRequest> {
  const { files } = process.container;
  const headers: [string, string][] = [
    ['Host', url.host],
    ['User-Agent', options.get('A') ?? 'curl/8.14.1'],
    ['Accept', '*/*'],
  ];
  const put = (name: string, value: string): void => {
    const at = headers.findIndex(([known]) => known.toLowerCase() === name.toLowerCase());
    if (at >= 0) headers.splice(at, 1);
    headers.push([name, value]);
  };
  const user = options.get('u') ?? (url.username === '' ? undefined : `${url.username}:${url.password}`);
  if (user !== undefined) put('Authorization', `Basic ${Buffer.from(user).toString('base64')}`);
  const bearer = options.get('bearer');
  if (bearer !== undefined) put('Authorization', `Bearer ${bearer}`);

  const parts: string[] = [];
  for (const part of [...options.all('d'), ...options.all('json')])
    parts.push(
      part.startsWith('@') ? (await files.read(resolvePath(process.cwd, part.slice(1)))).toString('utf8') : part,
    );
  const asQuery = options.has('G');
  const body = parts.length > 0 && !asQuery ? Buffer.from(parts.join('&')) : undefined;
  if (body !== undefined) {
    const json = options.all('json').length > 0;
    put('Content-Type', json ? 'application/json' : 'application/x-www-form-urlencoded');
    if (json) put('Accept', 'application/json');
    put('Content-Length', String(body.length));
  }
  for (const header of options.all('H')) {
    const colon = header.indexOf(':');
    if (colon > 0) put(header.slice(0, colon), header.slice(colon + 1).trim());
  }
  const query =
    asQuery && parts.length > 0 ? `${url.search === '' ? '?' : `${url.search}&`}${parts.join('&')}` : url.search;
  const method = options.get('X') ?? (options.has('I') ? 'HEAD' : body === undefined ? 'GET' : 'POST');
  const caFile = options.get('cacert') ?? process.env['CURL_CA_BUNDLE'];
  const ca = caFile === undefined ? undefined : (await files.read(resolvePath(process.cwd, caFile))).toString('utf8');
  return { method, path: `${url.pathname}${query}`, headers, body, ca };
}
