import { timingSafeEqual } from 'node:crypto';
import { isSignedByOneOf, LEGACY_ISSUER, parseJwt, type LegacyClaims } from '../../../machinery/jwt.js';
import type { Secret } from '../../../machinery/types.js';
import type { Lookup } from '../lookup.js';
import { quoteList } from '../quote.js';
import type { TokenIssuer } from '../token/issuer.js';
import { serviceAccountGroups, serviceAccountUser } from '../user.js';
import { NONE, refused, type TokenAuthenticator } from './authenticator.js';

const CLAIM = 'kubernetes.io/serviceaccount/';
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';

/** What the token says; a string: the claim that it lacks. */
function claimed(claims: LegacyClaims & { readonly sub?: string }) {
  const namespace = claims[`${CLAIM}namespace`] ?? '';
  const secret = claims[`${CLAIM}secret.name`] ?? '';
  const name = claims[`${CLAIM}service-account.name`] ?? '';
  const uid = claims[`${CLAIM}service-account.uid`] ?? '';
  const all = {
    sub: claims.sub ?? '',
    namespace,
    secretName: secret,
    serviceAccountName: name,
    serviceAccountUID: uid,
  };
  const absent = Object.entries(all).find(([, value]) => value === '');
  if (absent !== undefined) return `${absent[0]} claim is missing`;
  if (claims.sub !== serviceAccountUser(namespace, name)) return 'sub claim is invalid';
  return { namespace, secret, name, uid };
}

function sameText(base64: string, token: string): boolean {
  const [kept, shown] = [Buffer.from(base64, 'base64'), Buffer.from(token)];
  return kept.length === shown.length && timingSafeEqual(kept, shown);
}

/**
 * Tokens kept in Secrets: good for as long as their Secret holds them and their account is there
 * (pkg/serviceaccount/legacy.go). They are for the API server, for they name no audience.
 */
export function legacyTokenAuthenticator(options: {
  readonly issuer: TokenIssuer;
  readonly lookup: Lookup;
}): TokenAuthenticator {
  const { issuer, lookup } = options;

  const problem = (token: string, own: { namespace: string; secret: string; name: string; uid: string }) => {
    const { namespace, name, uid } = own;
    const secret = lookup.get('secrets', { namespace, name: own.secret }) as Secret | undefined;
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return 'Token has been invalidated';
    if (!sameText(secret.data?.['token'] ?? '', token)) return "Token does not match server's copy";
    const account = lookup.get('serviceaccounts', { namespace, name });
    if (account === undefined) return `serviceaccounts "${name}" not found`;
    if (account.metadata.deletionTimestamp !== undefined) return `ServiceAccount ${namespace}/${name} has been deleted`;
    const found = account.metadata.uid ?? '';
    if (found !== uid) return `ServiceAccount UID (${found}) does not match claim (${uid})`;
    if ((secret.metadata.labels?.[INVALID_SINCE] ?? '') === '') return undefined;
    return `the token in secret ${namespace}/${own.secret} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`;
  };

  return (token, audiences) => {
    const jwt = parseJwt(token);
    if (jwt?.claims.iss !== LEGACY_ISSUER) return NONE;
    if (!isSignedByOneOf(jwt, issuer.keys)) return refused('go-jose/go-jose: error in cryptographic primitive');
    const own = claimed(jwt.claims);
    if (typeof own === 'string') return refused(own);
    const shared = audiences.filter(audience => issuer.apiAudiences.includes(audience));
    if (shared.length === 0) {
      const [ours, theirs] = [quoteList(issuer.apiAudiences), quoteList(audiences)];
      return refused(`token audiences ${ours} is invalid for the target audiences ${theirs}`);
    }
    const why = problem(token, own);
    if (why !== undefined) return refused(why);
    const { namespace, name, uid } = own;
    const user = { name: serviceAccountUser(namespace, name), uid, groups: serviceAccountGroups(namespace) };
    return { kind: 'user', user, audiences: shared };
  };
}
