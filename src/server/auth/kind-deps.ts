import type { Clock } from '../../machinery/clock.js';
import type { KindDeps } from '../../resources/kinds/deps.js';
import type { Authentication } from './authn/authenticate.js';
import type { Authorizer } from './authorizer.js';
import { aggregate } from './quote.js';
import type { TokenIssuer } from './token/issuer.js';

/** What a Pod's projected token asks for; upstream knows it by this number. */
const PROJECTED_SECONDS = 3607;
/** ... and gives it a year, so that programs which never read the file again go on, with a mark from when on that is so. */
const EXTENDED_SECONDS = 365 * 86_400;

const sameAudiences = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every(audience => b.includes(audience));

/** The part of KindDeps that is about who and whether: for the review kinds and the token subresource. */
export function authKindDeps(options: {
  readonly authentication: Authentication;
  readonly authorizer: Authorizer;
  readonly issuer: TokenIssuer;
  readonly clock: Clock;
}): Pick<KindDeps, 'authorize' | 'rulesFor' | 'authenticateToken' | 'issueToken' | 'apiAudiences'> {
  const { authentication, authorizer, issuer, clock } = options;
  return {
    apiAudiences: issuer.apiAudiences,
    authorize: a =>
      authorizer.authorize({
        user: a.user,
        verb: a.verb,
        isResource: a.path === undefined,
        group: a.group ?? '',
        version: a.version ?? '',
        resource: a.resource ?? '',
        subresource: a.subresource ?? '',
        namespace: a.namespace ?? '',
        name: a.name ?? '',
        path: a.path ?? '',
        ...(a.fieldSelector === undefined ? {} : { fieldSelector: a.fieldSelector }),
      }),
    rulesFor(user, namespace) {
      const { resourceRules, nonResourceRules, incomplete, errors } = authorizer.rulesFor(user, namespace);
      return {
        rules: [...resourceRules, ...nonResourceRules],
        incomplete,
        ...(errors.length === 0 ? {} : { error: aggregate(errors) }),
      };
    },
    async authenticateToken(token, audiences) {
      const result = authentication.authenticateToken(token, audiences);
      return 'reason' in result ? { error: result.reason } : result;
    },
    async issueToken({ namespace, name, uid, audiences, expirationSeconds, pod, node, secret }) {
      const extend =
        pod !== undefined && expirationSeconds === PROJECTED_SECONDS && sameAudiences(audiences, issuer.apiAudiences);
      const token = issuer.issue({
        namespace,
        account: { name, uid },
        audiences,
        seconds: extend ? EXTENDED_SECONDS : expirationSeconds,
        ...(extend ? { warnAfterSeconds: expirationSeconds } : {}),
        ...(pod === undefined ? {} : { pod }),
        ...(node === undefined ? {} : { node }),
        ...(secret === undefined ? {} : { secret }),
      });
      return { token, expiresMs: clock.now() + expirationSeconds * 1000 };
    },
  };
}
