import type { OutgoingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../api/strategy.js';

/** What no header may hold. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;
/** Characters of a header's name (RFC 7230 token), but for the one that escapes. */
const TOKEN = /[A-Za-z0-9!#$&'*+.^_`|~-]/;

/** A user that cannot be written in headers. */
export class HeaderValueError extends Error {
  override readonly name = 'HeaderValueError';
}

/** As bytes, which Node writes as Latin-1. */
function value(header: string, text: string): string {
  if (CONTROL.test(text))
    throw new HeaderValueError(`net/http: invalid header field value for ${JSON.stringify(header)}`);
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** client-go's headerKeyEscape: every byte that a name cannot have, in percents. */
const escapedKey = (key: string): string =>
  [...Buffer.from(key, 'utf8')]
    .map(byte => {
      const char = String.fromCharCode(byte);
      return TOKEN.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');

/** Who asks, as servers behind this one are told (client-go transport.SetAuthProxyHeaders). @throws HeaderValueError */
export function userHeaders({ name, uid = '', groups, extra = {} }: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'x-remote-user': value('X-Remote-User', name) };
  if (uid !== '') headers['x-remote-uid'] = value('X-Remote-Uid', uid);
  if (groups.length > 0) headers['x-remote-group'] = groups.map(group => value('X-Remote-Group', group));
  for (const [key, values] of Object.entries(extra)) {
    const header = `x-remote-extra-${escapedKey(key).toLowerCase()}`;
    const before = (headers[header] ?? []) as string[];
    if (values.length > 0) headers[header] = [...before, ...values.map(one => value('X-Remote-Extra', one))];
  }
  return headers;
}
