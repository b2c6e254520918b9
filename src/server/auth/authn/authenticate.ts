import { unauthorizedError } from '../../../machinery/status.js';
import { certificatesOf } from '../../../machinery/x509/authorities.js';
import type { UserInfo } from '../../../api/strategy.js';
import { aggregate } from '../quote.js';
import { anonymousUser, withAuthenticatedGroup } from '../user.js';
import { clientCertificateAuthenticator } from './client-certificate.js';
import { requestHeaderAuthenticator, userHeaderRemover, type RequestHeaderOptions } from './request-header.js';
import { firstOf, NONE, refused, type Credentials, type Outcome, type TokenAuthenticator } from './authenticator.js';

const INVALID_TOKEN = 'invalid bearer token';

/** Says who sends a request, or whose a token is. */
export interface Authentication {
  /**
   * Takes from the request what only front proxies may say in its headers.
   * @throws StatusError 401 when a credential is no good, or there is none and anonymous requests are off
   */
  authenticate(request: Credentials): UserInfo;
  /** For TokenReview. No audiences: the API server's own. `reason`: why it is nobody's. */
  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): { user: UserInfo; audiences: readonly string[] } | { reason: string };
}

/** The token of an Authorization header (k8s.io/apiserver pkg/authentication/request/bearertoken). */
function headerToken(authorization: string | undefined): string | undefined {
  const [scheme = '', token = ''] = (authorization ?? '').trim().split(' ');
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined;
}

/** What is said to a client whose token is not seen; undefined: nothing. */
export const headerWarning = (authorization: string | undefined): string | undefined =>
  /^bearer {2,}\S/i.test((authorization ?? '').trim())
    ? 'the provided Authorization header contains extra space before the bearer token, and is ignored'
    : undefined;

const PROTOCOL_PREFIX = 'base64url.bearer.authorization.k8s.io.';

/**
 * Browsers cannot set headers on a WebSocket, so a token may come as a subprotocol beside the real one, which alone is
 * left for the handshake (k8s.io/apiserver pkg/authentication/request/websocket).
 */
function takeProtocolToken(request: Credentials): Outcome & { token?: string } {
  const { headers } = request.raw;
  if (headers.upgrade?.toLowerCase() !== 'websocket') return NONE;
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map(protocol => protocol.trim());
  const carriers = protocols.filter(protocol => protocol.startsWith(PROTOCOL_PREFIX));
  const [carrier] = carriers;
  if (carrier === undefined) return NONE;
  if (carriers.length > 1) return refused('multiple base64.bearer.authorization tokens specified');
  const others = protocols.filter(protocol => protocol !== carrier && protocol !== '');
  if (others.length === 0) return refused('missing additional subprotocol');
  const encoded = carrier.slice(PROTOCOL_PREFIX.length);
  if (!/^[A-Za-z0-9_-]*$/.test(encoded)) return refused('invalid base64.bearer.authorization token encoding');
  headers['sec-websocket-protocol'] = others.join(',');
  return { kind: 'none', token: Buffer.from(encoded, 'base64url').toString() };
}

export function createAuthentication(options: {
  readonly tokens: readonly TokenAuthenticator[];
  readonly apiAudiences: readonly string[];
  readonly anonymous: boolean;
  /** PEM bundle of the CA of users' certificates. Default: all that TLS finds good are. */
  readonly clientCa?: string;
  /** Front proxies, whose word about users is taken. */
  readonly requestHeader?: RequestHeaderOptions;
}): Authentication {
  const { tokens, apiAudiences, clientCa, requestHeader } = options;
  const certificate = clientCertificateAuthenticator(clientCa === undefined ? undefined : certificatesOf(clientCa));
  const frontProxy = requestHeader && requestHeaderAuthenticator(requestHeader, certificatesOf(requestHeader.clientCa));

  const removeUserHeaders = userHeaderRemover(requestHeader);
  /** Those whom an authenticator keeps have one object each, however many requests they send. */
  const known = new WeakMap<UserInfo, UserInfo>();
  const authenticated = (user: UserInfo): UserInfo => {
    let whole = known.get(user);
    if (whole === undefined) known.set(user, (whole = withAuthenticatedGroup(user)));
    return whole;
  };

  const byToken = (token: string, audiences: readonly string[]): Outcome & { reasons?: readonly string[] } => {
    const outcome = firstOf(tokens.map(authenticator => authenticator(token, audiences)));
    return outcome.kind === 'none' ? refused(INVALID_TOKEN) : outcome;
  };

  const outcomesOf = function* (request: Credentials): Generator<Outcome> {
    if (frontProxy !== undefined) yield frontProxy(request);
    yield certificate(request);
    const token = headerToken(request.raw.headers.authorization);
    if (token !== undefined) yield byToken(token, apiAudiences);
    const protocol = takeProtocolToken(request);
    if (protocol.token !== undefined) yield byToken(protocol.token, apiAudiences);
    else yield protocol;
  };

  return {
    authenticate(request) {
      const outcome = firstOf(outcomesOf(request));
      removeUserHeaders(request.raw);
      if (outcome.kind === 'user') return authenticated(outcome.user);
      if (outcome.kind === 'none' && options.anonymous) return anonymousUser;
      throw unauthorizedError();
    },
    authenticateToken(token, audiences) {
      const outcome = byToken(token, audiences.length === 0 ? apiAudiences : audiences);
      if (outcome.kind === 'user') {
        return { user: withAuthenticatedGroup(outcome.user), audiences: outcome.audiences ?? apiAudiences };
      }
      // Upstream asks its own loopback authenticator first, which knows one token only.
      const reasons = outcome.kind === 'none' ? [] : (outcome.reasons ?? [outcome.reason]);
      return { reason: aggregate([INVALID_TOKEN, ...reasons]) };
    },
  };
}
