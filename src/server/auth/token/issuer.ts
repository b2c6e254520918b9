import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../machinery/clock.js';
import { serviceAccountUser } from '../user.js';
import {
  signingKey,
  signJwt,
  verifyingKey,
  type ObjectClaim,
  type PrivateClaims,
  type VerifyingKey,
} from '../../../machinery/jwt.js';

export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';

export interface TokenIssuer {
  readonly issuer: string;
  /** Whom tokens are for when the request does not say. */
  readonly apiAudiences: readonly string[];
  /** What tokens are verified with. */
  readonly keys: readonly VerifyingKey[];
  /** Signs a token for a service account, good for `seconds` from now. */
  issue(options: IssueOptions): string;
}

export interface IssueOptions {
  readonly namespace: string;
  readonly account: ObjectClaim;
  readonly audiences: readonly string[];
  readonly seconds: number;
  readonly pod?: ObjectClaim;
  readonly node?: { readonly name: string; readonly uid?: string };
  readonly secret?: ObjectClaim;
  /** Seconds from now after which use of the token is stale. */
  readonly warnAfterSeconds?: number;
}

export function createTokenIssuer(options: {
  readonly clock: Clock;
  /** The private key that signs, PEM. */
  readonly key: string;
  /** Keys or certificates that verify, PEM; undefined: the signing key alone. */
  readonly verifyingKeys?: readonly string[] | undefined;
  readonly issuer?: string;
  readonly apiAudiences?: readonly string[];
}): TokenIssuer {
  const issuer = options.issuer ?? DEFAULT_ISSUER;
  const key = signingKey(options.key);
  return {
    issuer,
    apiAudiences: options.apiAudiences ?? [issuer],
    keys: options.verifyingKeys?.map(pem => verifyingKey(pem)) ?? [key],
    issue({ namespace, account, audiences, seconds, pod, node, secret, warnAfterSeconds }) {
      const now = Math.floor(options.clock.now() / 1000);
      const own: PrivateClaims = {
        namespace,
        ...(node === undefined ? {} : { node }),
        ...(pod === undefined ? {} : { pod }),
        ...(secret === undefined ? {} : { secret }),
        serviceaccount: account,
        ...(warnAfterSeconds === undefined ? {} : { warnafter: now + warnAfterSeconds }),
      };
      return signJwt(
        {
          aud: audiences,
          exp: now + seconds,
          iat: now,
          iss: issuer,
          jti: randomUUID(),
          'kubernetes.io': own,
          nbf: now,
          sub: serviceAccountUser(namespace, account.name),
        },
        key,
      );
    },
  };
}

/** A key as RFC 7517 has it, members in go-jose's order. */
function jsonWebKey({ id, algorithm, publicKey }: VerifyingKey): object {
  const { kty, crv, n, e, x, y } = publicKey.export({ format: 'jwk' });
  return { use: 'sig', kty, kid: id, crv, alg: algorithm, n, e, x, y };
}

/** The bodies of /.well-known/openid-configuration and /openid/v1/jwks; `server` is where others reach us. */
export function oidcDocuments(issuer: TokenIssuer, server: string): { configuration: string; keys: string } {
  return {
    configuration: JSON.stringify({
      issuer: issuer.issuer,
      jwks_uri: `${server}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(issuer.keys.map(key => key.algorithm))].sort(),
    }),
    keys: JSON.stringify({ keys: issuer.keys.map(jsonWebKey) }),
  };
}
