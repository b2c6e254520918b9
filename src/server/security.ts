import type { Clock } from '../machinery/clock.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';
import type { Objects, UserInfo } from '../api/strategy.js';
import { createAuthentication, type Authentication } from './auth/authn/authenticate.js';
import type { RequestHeaderOptions } from './auth/authn/request-header.js';
import { legacyTokenAuthenticator } from './auth/authn/legacy-token.js';
import { serviceAccountTokenAuthenticator } from './auth/authn/service-account-token.js';
import { tokenFileAuthenticator } from './auth/authn/token-file.js';
import { alwaysAllow, alwaysDeny, privilegedGroup, unionAuthorizer, type Authorizer } from './auth/authorizer.js';
import type { Lookup } from './auth/lookup.js';
import { createNodeAuthorizer } from './auth/node-authorizer.js';
import { createRbacAuthorizer } from './auth/rbac/rbac-authorizer.js';
import { createRuleResolver, type RuleResolver } from './auth/rbac/rule-resolver.js';
import { NODE_RULES } from './auth/policy/node-rules.js';
import { createTokenIssuer, type TokenIssuer } from './auth/token/issuer.js';

export type AuthorizationMode = 'AlwaysAllow' | 'AlwaysDeny' | 'Node' | 'RBAC';
export const AUTHORIZATION_MODES: readonly AuthorizationMode[] = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC'];

export interface SecurityOptions {
  readonly clock: Clock;
  readonly modes: readonly AuthorizationMode[];
  readonly anonymous: boolean;
  /** Bearer tokens and whose they are (--token-auth-file). */
  readonly tokens: ReadonlyMap<string, UserInfo>;
  readonly issuer: string;
  /** Private key, PEM, that signs service account tokens. */
  readonly serviceAccountKey: string;
  /** PEM bundle of the CA of users' certificates. */
  readonly clientCa: string;
  readonly requestHeader: RequestHeaderOptions;
  /** What verifies them, PEM; undefined: the key that signs. */
  readonly serviceAccountVerifyingKeys: readonly string[] | undefined;
  /** undefined: the issuer. */
  readonly apiAudiences: readonly string[] | undefined;
  /** Known only once the registries are there, which need us: asked when the first request comes. */
  objects(): Objects;
}

export interface Security {
  readonly authentication: Authentication;
  readonly authorizer: Authorizer;
  readonly resolver: RuleResolver;
  readonly issuer: TokenIssuer;
}

/** Who may come in and what they may do, from one set of flags. */
export function createSecurity(options: SecurityOptions): Security {
  const { clock, modes, tokens } = options;
  const lookup: Lookup = {
    get: (resource, key): DeepReadonly<KubeObject> | undefined => options.objects().get(resource, key),
    list: (resource, namespace) => options.objects().list(resource, namespace),
    generation: resource => options.objects().generation?.(resource),
  };
  const resolver = createRuleResolver(lookup);
  const byMode: Readonly<Record<AuthorizationMode, () => Authorizer>> = {
    AlwaysAllow: () => alwaysAllow,
    AlwaysDeny: () => alwaysDeny,
    Node: () => createNodeAuthorizer(lookup, NODE_RULES),
    RBAC: () => createRbacAuthorizer(resolver),
  };
  const issuer = createTokenIssuer({
    clock,
    key: options.serviceAccountKey,
    verifyingKeys: options.serviceAccountVerifyingKeys,
    issuer: options.issuer,
    ...(options.apiAudiences === undefined ? {} : { apiAudiences: options.apiAudiences }),
  });
  const { apiAudiences } = issuer;
  return {
    resolver,
    issuer,
    authorizer: unionAuthorizer([privilegedGroup, ...modes.map(mode => byMode[mode]())]),
    authentication: createAuthentication({
      apiAudiences,
      anonymous: options.anonymous,
      clientCa: options.clientCa,
      requestHeader: options.requestHeader,
      tokens: [
        tokenFileAuthenticator(tokens, apiAudiences),
        serviceAccountTokenAuthenticator({ issuer, lookup, clock }),
        legacyTokenAuthenticator({ issuer, lookup }),
      ],
    }),
  };
}
