import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { comesFrom } from '../../../machinery/x509/authorities.js';
import type { UserInfo } from '../../../api/strategy.js';
import { NONE, refused, type Credentials, type Outcome, type RequestAuthenticator } from './authenticator.js';
import { verifiedCertificate } from './client-certificate.js';

/** Whose word about users is taken, and in which headers it stands (kube-apiserver's --requestheader-* flags). */
export interface RequestHeaderOptions {
  /** PEM bundle: front proxies show a certificate that comes from it. */
  readonly clientCa: string;
  /** Common names that a front proxy may have; none: any. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

type Headers = Credentials['raw']['headersDistinct'];
type HeaderNames = Pick<
  RequestHeaderOptions,
  'usernameHeaders' | 'uidHeaders' | 'groupHeaders' | 'extraHeaderPrefixes'
>;

/** What the API server itself says of a user to the servers behind it. */
export const STANDARD_HEADERS: HeaderNames = {
  usernameHeaders: ['X-Remote-User'],
  uidHeaders: ['X-Remote-Uid'],
  groupHeaders: ['X-Remote-Group'],
  extraHeaderPrefixes: ['X-Remote-Extra-'],
};

/** Header values are bytes, which Node reads as Latin-1. */
const text = (value: string): string => Buffer.from(value, 'latin1').toString('utf8');

const valuesOf = (headers: Headers, name: string): readonly string[] => headers[name.toLowerCase()] ?? [];

/** The first header that has a value. */
function firstValue(headers: Headers, names: readonly string[]): string {
  for (const name of names) {
    const [value = ''] = valuesOf(headers, name);
    if (value !== '') return text(value);
  }
  return '';
}

/** One that is badly escaped is taken as it is (client-go unescapeExtraKey). */
function extraKey(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}

function extraOf(headers: Headers, prefixes: readonly string[]): UserInfo['extra'] {
  const extra = new Map<string, string[]>();
  for (const prefix of prefixes.map(one => one.toLowerCase())) {
    for (const [name, values = []] of Object.entries(headers)) {
      if (!name.startsWith(prefix)) continue;
      const key = extraKey(name.slice(prefix.length));
      extra.set(key, [...(extra.get(key) ?? []), ...values.map(text)]);
    }
  }
  return extra.size === 0 ? undefined : Object.fromEntries(extra);
}

function userOf(headers: Headers, names: HeaderNames): Outcome {
  const name = firstValue(headers, names.usernameHeaders);
  if (name === '') return NONE;
  const uid = firstValue(headers, names.uidHeaders);
  const groups = names.groupHeaders.flatMap(header => valuesOf(headers, header)).filter(group => group !== '');
  const extra = extraOf(headers, names.extraHeaderPrefixes);
  const user: UserInfo = {
    name,
    groups: groups.map(text),
    ...(uid === '' ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
  return { kind: 'user', user };
}

/**
 * Takes a front proxy's word for whom it asks (k8s.io/apiserver pkg/authentication/request/headerrequest). A certificate
 * of the front proxies' CA says nothing else: without the headers it is nobody's.
 */
export function requestHeaderAuthenticator(
  options: RequestHeaderOptions,
  authorities: readonly X509Certificate[],
): RequestAuthenticator {
  const { allowedNames } = options;
  // A connection's certificate never changes.
  const proxies = new WeakMap<TLSSocket, Outcome | 'trusted'>();
  const judge = (socket: TLSSocket): Outcome | 'trusted' => {
    const found = verifiedCertificate(socket);
    if (found === undefined) return NONE;
    if ('reason' in found) return refused(found.reason);
    if (!comesFrom(found.certificate(), authorities)) return refused('x509: certificate signed by unknown authority');
    if (allowedNames.length > 0 && !allowedNames.includes(found.commonName))
      return refused(`x509: subject with cn=${found.commonName} is not in the allowed list`);
    return 'trusted';
  };
  return ({ raw, socket }) => {
    let proxy = proxies.get(socket);
    if (proxy === undefined) {
      proxy = judge(socket);
      proxies.set(socket, proxy);
    }
    return proxy === 'trusted' ? userOf(raw.headersDistinct, options) : proxy;
  };
}

/**
 * Takes away all that says who a user is: whoever comes after authentication, and whoever a request is sent on to, must
 * not find what a client has written there itself.
 */
export function userHeaderRemover(configured?: HeaderNames): (raw: Credentials['raw']) => void {
  const sets = configured === undefined ? [STANDARD_HEADERS] : [STANDARD_HEADERS, configured];
  const lower = (names: readonly string[]): string[] => names.map(name => name.toLowerCase());
  const names = new Set(sets.flatMap(set => lower([...set.usernameHeaders, ...set.uidHeaders, ...set.groupHeaders])));
  const prefixes = [...new Set(sets.flatMap(({ extraHeaderPrefixes }) => lower(extraHeaderPrefixes)))];
  return raw => {
    for (const name of Object.keys(raw.headers)) {
      if (!names.has(name) && !prefixes.some(prefix => name.startsWith(prefix))) continue;
      Reflect.deleteProperty(raw.headers, name);
      Reflect.deleteProperty(raw.headersDistinct, name);
    }
  };
}
