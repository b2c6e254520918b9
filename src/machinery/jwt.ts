import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/** Claims of a service account token, as they travel. */
export interface Claims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  /** Seconds since the epoch. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly 'kubernetes.io'?: PrivateClaims;
}

export interface ObjectClaim {
  readonly name: string;
  readonly uid: string;
}

export interface PrivateClaims {
  readonly namespace?: string;
  readonly serviceaccount?: ObjectClaim;
  readonly pod?: ObjectClaim;
  readonly node?: { readonly name: string; readonly uid?: string };
  readonly secret?: ObjectClaim;
  /** Seconds since the epoch: from then on use of the token is stale. */
  readonly warnafter?: number;
}

/** Of tokens kept in Secrets, which do not end but with their Secret (pkg/serviceaccount/legacy.go). */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

/** Claims of such a token, beside `iss` and `sub`. */
export interface LegacyClaims {
  readonly 'kubernetes.io/serviceaccount/namespace'?: string;
  readonly 'kubernetes.io/serviceaccount/secret.name'?: string;
  readonly 'kubernetes.io/serviceaccount/service-account.name'?: string;
  readonly 'kubernetes.io/serviceaccount/service-account.uid'?: string;
}

export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The key id that upstream gives: the SHA-256 of the DER public key. */
export function signingKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return { id: createHash('sha256').update(der).digest('base64url'), privateKey, publicKey };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signJwt(claims: Claims & LegacyClaims, key: SigningKey): string {
  const text = `${encode({ alg: 'RS256', kid: key.id })}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key.privateKey).toString('base64url')}`;
}

export interface Jwt {
  readonly keyId: string | undefined;
  readonly algorithm: string | undefined;
  readonly claims: Claims & LegacyClaims;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Far above what any request head can carry: reviews send tokens in a body, which may be large. */
const MAX_TOKEN_LENGTH = 128 * 1024;

/** The parts of a token; undefined when it is not a JWT. */
export function parseJwt(token: string): Jwt | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first <= 0 || second <= first + 1 || token.includes('.', second + 1)) return undefined;
  const [header, payload, signature] = [token.slice(0, first), token.slice(first + 1, second), token.slice(second + 1)];
  try {
    const head: unknown = JSON.parse(Buffer.from(header, 'base64url').toString());
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (!isObject(head) || !isObject(claims)) return undefined;
    return {
      keyId: typeof head['kid'] === 'string' ? head['kid'] : undefined,
      algorithm: typeof head['alg'] === 'string' ? head['alg'] : undefined,
      claims: claims,
      signed: Buffer.from(`${header}.${payload}`),
      signature: Buffer.from(signature, 'base64url'),
    };
  } catch {
    // Not JSON: whatever the client sent, it is no JWT.
    return undefined;
  }
}

/** The key that the token names, or any of them when it names none we know. */
export function isSignedByOneOf(jwt: Jwt, keys: readonly SigningKey[]): boolean {
  if (jwt.algorithm !== 'RS256') return false;
  const named = keys.filter(key => key.id === jwt.keyId);
  return (named.length > 0 ? named : keys).some(key => verify('sha256', jwt.signed, key.publicKey, jwt.signature));
}
