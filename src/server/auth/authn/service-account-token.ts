import type { Clock } from '../../../machinery/clock.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import type { Lookup } from '../lookup.js';
import { quote, quoteList } from '../quote.js';
import type { TokenIssuer } from '../token/issuer.js';
import { isSignedByOneOf, parseJwt, type Claims, type PrivateClaims } from '../../../machinery/jwt.js';
import { CREDENTIAL_ID, serviceAccountGroups, serviceAccountUser } from '../user.js';
import { NONE, refused, type Outcome, type TokenAuthenticator } from './authenticator.js';

/** Clocks may differ by this much (go-jose's DefaultLeeway). */
const LEEWAY_MS = 60_000;
/** Tokens whose signature is remembered; a signature costs more than all the rest of a small request. */
const CACHE_SIZE = 2048;

const EXTRA = 'authentication.kubernetes.io';

/**
 * Tokens that our issuer signed, as long as the account, and the Pod, Node or Secret they are bound to, are there
 * unchanged (kubernetes pkg/serviceaccount).
 */
export function serviceAccountTokenAuthenticator(options: {
  readonly issuer: TokenIssuer;
  readonly lookup: Lookup;
  readonly clock: Clock;
}): TokenAuthenticator {
  const { issuer, lookup, clock } = options;
  const verified = new Map<string, Claims>();

  /** Claims of a token with our signature; undefined: not a token of ours; a string: why it is refused. */
  const verify = (token: string): Claims | string | undefined => {
    const known = verified.get(token);
    if (known !== undefined) return known;
    const jwt = parseJwt(token);
    if (jwt?.claims.iss !== issuer.issuer) return undefined;
    if (!isSignedByOneOf(jwt, issuer.keys)) return 'go-jose/go-jose: error in cryptographic primitive';
    if (verified.size >= CACHE_SIZE) {
      const oldest = verified.keys().next();
      if (oldest.done !== true) verified.delete(oldest.value);
    }
    verified.set(token, jwt.claims);
    return jwt.claims;
  };

  const inTime = ({ exp, nbf, iat }: Claims): string | undefined => {
    const now = clock.now();
    if (nbf !== undefined && now + LEEWAY_MS < nbf * 1000) return 'service account token is not valid yet';
    if (exp !== undefined && now - LEEWAY_MS > exp * 1000) return 'service account token has expired';
    if (iat !== undefined && now + LEEWAY_MS < iat * 1000) return 'service account token is issued in the future';
    return undefined;
  };

  const isGone = (object: DeepReadonly<KubeObject>): boolean => {
    const at = object.metadata.deletionTimestamp;
    return at !== undefined && Date.parse(at) < clock.now() - LEEWAY_MS;
  };

  const INVALIDATED = 'service account token has been invalidated';

  /** Why the object a token is bound to does not bear it; undefined: it does. */
  const bound = (
    what: string,
    resource: string,
    namespace: string,
    ref: { name: string; uid?: string } | undefined,
  ): string | undefined => {
    if (ref === undefined) return undefined;
    const object = lookup.get(resource, { namespace, name: ref.name });
    if (object === undefined || isGone(object)) return INVALIDATED;
    if (object.metadata.uid === ref.uid) return undefined;
    return `${what} UID (${object.metadata.uid ?? ''}) does not match service account ${what} ref claim (${ref.uid ?? ''})`;
  };

  const stillStands = (own: PrivateClaims): string | undefined => {
    const { namespace = '', serviceaccount: account, pod, node, secret } = own;
    const name = account?.name ?? '';
    const object = lookup.get('serviceaccounts', { namespace, name });
    if (object === undefined) return `serviceaccounts ${quote(name)} not found`;
    if (isGone(object)) return `service account ${namespace}/${name} has been deleted`;
    if (object.metadata.uid !== account?.uid) {
      return `service account UID (${object.metadata.uid ?? ''}) does not match claim (${account?.uid ?? ''})`;
    }
    return (
      bound('secret', 'secrets', namespace, secret) ??
      bound('pod', 'pods', namespace, pod) ??
      // With a Pod the node is where it ran, for information; alone it is what the token is bound to.
      (pod === undefined ? bound('node', 'nodes', '', node) : undefined)
    );
  };

  const userOf = (claims: Claims, own: PrivateClaims): Outcome & { kind: 'user' } => {
    const namespace = own.namespace ?? '';
    const extra: Record<string, readonly string[]> = {};
    if (claims.jti !== undefined && claims.jti !== '') extra[CREDENTIAL_ID] = [`JTI=${claims.jti}`];
    if (own.node !== undefined) {
      extra[`${EXTRA}/node-name`] = [own.node.name];
      if (own.node.uid !== undefined && own.node.uid !== '') extra[`${EXTRA}/node-uid`] = [own.node.uid];
    }
    if (own.pod !== undefined) {
      extra[`${EXTRA}/pod-name`] = [own.pod.name];
      extra[`${EXTRA}/pod-uid`] = [own.pod.uid];
    }
    return {
      kind: 'user',
      user: {
        name: serviceAccountUser(namespace, own.serviceaccount?.name ?? ''),
        uid: own.serviceaccount?.uid ?? '',
        groups: serviceAccountGroups(namespace),
        ...(Object.keys(extra).length === 0 ? {} : { extra }),
      },
    };
  };

  return (token, audiences) => {
    const claims = verify(token);
    if (claims === undefined) return NONE;
    if (typeof claims === 'string') return refused(claims);
    const own = typeof claims.aud === 'string' ? [claims.aud] : (claims.aud ?? []);
    const shared = audiences.filter(audience => own.includes(audience));
    if (shared.length === 0) {
      return refused(`token audiences ${quoteList(own)} is invalid for the target audiences ${quoteList(audiences)}`);
    }
    const privateClaims = claims['kubernetes.io'] ?? {};
    const problem = inTime(claims) ?? stillStands(privateClaims);
    return problem === undefined ? { ...userOf(claims, privateClaims), audiences: shared } : refused(problem);
  };
}
