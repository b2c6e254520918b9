import type { FieldRequirement } from '../machinery/fields.js';
import type { IpFamily } from './core/ip-allocator.js';
import type { PortRange } from './core/port-allocator.js';
import type { KubeObject, ObjectKey } from '../machinery/types.js';
import type { RequestContext, UserInfo } from '../api/strategy.js';

/** What an authorizer is asked. Exactly one of resource and path is set. */
export interface AccessAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly namespace?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly path?: string;
  /** What a field selector asks for. */
  readonly fields?: readonly FieldRequirement[];
}

export interface AccessDecision {
  readonly decision: 'allow' | 'deny' | 'noOpinion';
  readonly reason: string;
  /** What went wrong while finding out. */
  readonly error?: string;
}

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** The rules that bind a user in a namespace, as far as they can be listed. */
export interface UserRules {
  readonly rules: readonly PolicyRule[];
  readonly incomplete: boolean;
  readonly error?: string;
}

export interface TokenClaims {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** Objects the token lives and dies with. */
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly node?: { readonly name: string; readonly uid?: string };
  readonly secret?: { readonly name: string; readonly uid: string };
}

/** What kinds need of the server around them; cmd gives the real ones. */
export interface KindDeps {
  /** The ranges of ClusterIPs: one, or one of each family, that of the default family first. */
  readonly serviceCidrs: readonly string[];
  readonly nodePortRange: PortRange;
  /** An integer in [0, n). */
  readonly random: (n: number) => number;
  /** A random version 4 uuid. */
  readonly uuid: () => string;
  authorize(attributes: AccessAttributes): AccessDecision | Promise<AccessDecision>;
  rulesFor(user: UserInfo, namespace: string): UserRules | Promise<UserRules>;
  /** Audiences: what the token must be good for; [] means the API server. */
  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): Promise<{ readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly error?: string }>;
  /** `id`: the token's own, for the audit log. */
  issueToken(
    claims: TokenClaims,
  ): Promise<{ readonly token: string; readonly expiresMs: number; readonly id?: string }>;
  /** Audiences a token gets when none is asked for. */
  readonly apiAudiences: readonly string[];
}

export type { IpFamily, KubeObject, ObjectKey, RequestContext };
