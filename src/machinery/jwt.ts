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

/** What a token can be verified with. */
export interface VerifyingKey {
  readonly id: string;
  /** RS256, or ES256, ES384 and ES512 by the curve. */
  readonly algorithm: string;
  readonly publicKey: KeyObject;
}

export interface SigningKey extends VerifyingKey {
  readonly privateKey: KeyObject;
}

/** Digests by algorithm of RFC 7518. */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['RS256', 'sha256'],
  ['ES256', 'sha256'],
  ['ES384', 'sha384'],
  ['ES512', 'sha512'],
]);

const CURVES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

/** @throws Error for keys that upstream does not sign with, either */
function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === 'rsa') return 'RS256';
  const algorithm = CURVES.get(asymmetricKeyDetails?.namedCurve ?? '');
  if (algorithm === undefined) throw new Error('want an RSA key, or an ECDSA key on P-256, P-384 or P-521');
  return algorithm;
}

/** `pem`: a public key, a private one or a certificate. The id is upstream's: the SHA-256 of the DER public key. @throws Error */
export function verifyingKey(pem: string | KeyObject): VerifyingKey {
  const publicKey = createPublicKey(pem);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return { id: createHash('sha256').update(der).digest('base64url'), algorithm: algorithmOf(publicKey), publicKey };
}

/** @throws Error when the PEM is no private key that tokens can be signed with */
export function signingKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  return { ...verifyingKey(privateKey), privateKey };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** JWS has the two numbers of an ECDSA signature side by side, not as ASN.1. */
const JWS = 'ieee-p1363';

export function signJwt(claims: Claims & LegacyClaims, { id, algorithm, privateKey }: SigningKey): string {
  const text = `${encode({ alg: algorithm, kid: id })}.${encode(claims)}`;
  const signature = sign(DIGESTS.get(algorithm), Buffer.from(text), { key: privateKey, dsaEncoding: JWS });
  return `${text}.${signature.toString('base64url')}`;
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
export function isSignedByOneOf({ keyId, algorithm, signed, signature }: Jwt, keys: readonly VerifyingKey[]): boolean {
  const named = keys.filter(key => key.id === keyId);
  return (named.length > 0 ? named : keys).some(
    key =>
      key.algorithm === algorithm &&
      verify(DIGESTS.get(algorithm), signed, { key: key.publicKey, dsaEncoding: JWS }, signature),
  );
}
