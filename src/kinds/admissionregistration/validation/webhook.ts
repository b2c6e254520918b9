import { invalid, required, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { quote } from '../../../machinery/go-text.js';
import { isDns1123Subdomain, isPortNumber } from '../../../machinery/validation/names.js';

/** How a webhook is called: of admission webhooks and of conversions. */
export interface WebhookClient {
  readonly url?: string;
  readonly service?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly path?: string;
    readonly port?: number;
  };
}

const FORM = '; desired format: https://host[/path]';

interface ParsedUrl {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

/** The parts of a URL that are checked, or what net/url says is wrong with it. */
function parseUrl(text: string): ParsedUrl | { readonly error: string } {
  const fail = (why: string): { error: string } => ({ error: `parse ${quote(text)}: ${why}` });

  if (/[\x00-\x1f\x7f]/.test(text)) return fail('net/url: invalid control character in URL');
  const hash = text.indexOf('#');
  const [before, fragment] = hash < 0 ? [text, ''] : [text.slice(0, hash), text.slice(hash + 1)];
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)?.[0];
  if (escape !== undefined) return fail(`invalid URL escape ${quote(escape)}`);
  if (before.startsWith(':')) return fail('missing protocol scheme');
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(before)?.[1] ?? '';
  const rest = scheme === '' ? before : before.slice(scheme.length + 1);
  const mark = rest.indexOf('?');
  const [main, query] = mark < 0 ? [rest, ''] : [rest.slice(0, mark), rest.slice(mark + 1)];
  if (scheme === '' && (main.split('/')[0] ?? '').includes(':'))
    return fail('first path segment in URL cannot contain colon');
  if (!main.startsWith('//')) return { scheme: scheme.toLowerCase(), user: undefined, host: '', query, fragment };
  const authority = main.slice(2).split('/')[0] ?? '';
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const bad = /[^\w!$&'()*+,;=:[\]<>".~%-]/.exec(host)?.[0];
  if (bad !== undefined) return fail(`invalid character ${quote(bad)} in host name`);
  const port = /:([^\]:]*)$/.exec(host)?.[1] ?? '';
  if (!/^\d*$/.test(port)) return fail(`invalid port ${quote(`:${port}`)} after host`);
  return { scheme: scheme.toLowerCase(), user: at < 0 ? undefined : authority.slice(0, at), host, query, fragment };
}

function checkUrl(out: FieldError[], at: FieldPath, text: string): void {
  const url = parseUrl(text);
  if ('error' in url) return void out.push(required(at, `url must be a valid URL: ${url.error}${FORM}`));
  if (url.scheme !== 'https') out.push(invalid(at, url.scheme, `'https' is the only allowed URL scheme${FORM}`));
  if (url.host === '') out.push(invalid(at, url.host, `host must be specified${FORM}`));
  if (url.user !== undefined) out.push(invalid(at, url.user, 'user information is not permitted in the URL'));
  if (url.fragment !== '') out.push(invalid(at, url.fragment, 'fragments are not permitted in the URL'));
  if (url.query !== '') out.push(invalid(at, url.query, 'query parameters are not permitted in the URL'));
}

function checkPath(out: FieldError[], at: FieldPath, text: string): void {
  if (text === '' || text === '/') return;
  if (text === '//') return void out.push(invalid(at, text, 'segment[0] may not be empty'));
  if (!text.startsWith('/')) out.push(invalid(at, text, "must start with a '/'"));
  const inner = text.slice(1).replace(/\/$/, '');
  inner.split('/').forEach((segment, i) => {
    if (segment === '') out.push(invalid(at, text, `segment[${i}] may not be empty`));
    else for (const why of isDns1123Subdomain(segment)) out.push(invalid(at, text, `segment[${i}]: ${why}`));
  });
}

export function checkWebhookClient(out: FieldError[], at: FieldPath, { url, service }: WebhookClient): void {
  if ((url === undefined) === (service === undefined))
    return void out.push(required(at, 'exactly one of url or service is required'));
  if (url !== undefined) return checkUrl(out, at.child('url'), url);
  const field = at.child('service');
  const { name, namespace, port = 0, path = '' } = service ?? {};
  // Upstream passes the two in the wrong order: each is reported in the place of the other.
  if (!namespace) out.push(required(field.child('name')));
  if (!name) out.push(required(field.child('namespace')));
  const problems = isPortNumber(port);
  if (problems.length > 0) out.push(invalid(field.child('port'), port, `port is not valid: ${problems.join(', ')}`));
  checkPath(out, field.child('path'), path);
}
