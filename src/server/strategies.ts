import type { Strategies } from '../api/create-catalog.js';
import type { AccessAttributes, KindDeps, TokenClaims } from '../kinds/deps.js';
import { createStrategies } from '../kinds/index.js';
import type { Clock } from '../machinery/clock.js';
import type { Attributes } from './auth/authorizer.js';
import { aggregate } from './auth/quote.js';
import { parseJwt } from '../machinery/jwt.js';
import type { Security } from './security.js';

/** What a Pod's projected token asks for: upstream knows it by that, and gives it a year, stale after this time. */
const PROJECTED_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 86_400;

const attributesOf = (a: AccessAttributes): Attributes => ({
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
  ...(a.fields === undefined ? {} : { fields: a.fields }),
});

const sameAudiences = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every(audience => b.includes(audience));

/** The kinds' behaviour, with the server's own authorization, authentication and tokens behind it. */
export function createServerStrategies(
  { authorizer, authentication, issuer }: Security,
  clock: Clock,
  settings: Pick<KindDeps, 'serviceCidrs' | 'nodePortRange' | 'random' | 'uuid'>,
): Strategies {
  const issueToken = async (claims: TokenClaims): Promise<{ token: string; expiresMs: number; id: string }> => {
    const { namespace, name, uid, audiences, expirationSeconds, pod, node, secret } = claims;
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
    const id = `JTI=${parseJwt(token)?.claims.jti ?? ''}`;
    return { token, expiresMs: clock.now() + expirationSeconds * 1000, id };
  };
  return createStrategies({
    ...settings,
    issueToken,
    apiAudiences: issuer.apiAudiences,
    authorize: attributes => authorizer.authorize(attributesOf(attributes)),
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
      return 'user' in result ? result : { error: result.reason };
    },
  });
}
