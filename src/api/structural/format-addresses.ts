/** atext of RFC 5322, and whatever is beyond ASCII. */
const ATOM = /^[\w!#$%&'*+/=?^`{|}~\u0080-\uffff-]+$/;
const QUOTED = /^"(?:[^"\\]|\\.)*"$/;
const DOMAIN_LITERAL = /^\[[0-9A-Fa-f.:]+\]$/;

const isDotAtom = (text: string): boolean => text.split('.').every(part => ATOM.test(part));

function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at <= 0) return false;
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  return (isDotAtom(local) || QUOTED.test(local)) && (isDotAtom(domain) || DOMAIN_LITERAL.test(domain));
}

/** What net/mail.ParseAddress reads: an address, or a name with one in angle brackets. */
export function isEmail(text: string): boolean {
  const trimmed = text.trim();
  if (!trimmed.endsWith('>')) return isAddress(trimmed);
  const open = trimmed.lastIndexOf('<');
  if (open < 0) return false;
  const name = trimmed.slice(0, open).trim();
  const named =
    name === '' || QUOTED.test(name) || name.split(/\s+/).every(word => isDotAtom(word) || QUOTED.test(word));
  return named && isAddress(trimmed.slice(open + 1, -1));
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const CONTROL = /[\0-\x1f\x7f]/;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const HOST = /^[\w.!$&'()*+,;=:~"<>%[\]\u0080-\uffff-]*$/;
const USER = /^[\w.!$&'()*+,;=:~%@-]*$/;

/** What net/url.ParseRequestURI reads: an absolute URL, or a path that begins with a slash. */
export function isRequestUri(text: string): boolean {
  if (text === '' || CONTROL.test(text)) return false;
  if (text === '*') return true;
  const scheme = SCHEME.exec(text)?.[0] ?? '';
  const rest = text.slice(scheme.length).split('?')[0] ?? '';
  if (scheme === '') return text.startsWith('/') && !BROKEN_ESCAPE.test(rest);
  if (!rest.startsWith('/')) return true;
  if (!rest.startsWith('//')) return !BROKEN_ESCAPE.test(rest);
  const end = rest.indexOf('/', 2);
  const authority = rest.slice(2, end < 0 ? undefined : end);
  return isAuthority(authority) && !BROKEN_ESCAPE.test(end < 0 ? '' : rest.slice(end));
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf('@');
  if (at >= 0 && (!USER.test(authority.slice(0, at)) || BROKEN_ESCAPE.test(authority.slice(0, at)))) return false;
  const host = authority.slice(at + 1);
  if (!HOST.test(host) || BROKEN_ESCAPE.test(host)) return false;
  const end = host.lastIndexOf(']');
  if (host.startsWith('[') && end < 0) return false;
  const colon = host.indexOf(':', host.startsWith('[') ? end : 0);
  return colon < 0 || /^[0-9]*$/.test(host.slice(host.lastIndexOf(':') + 1));
}
