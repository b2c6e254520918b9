import type { FieldRequirement } from '../../machinery/fields.js';
import type { UserInfo } from '../../api/strategy.js';

/** What a request wants to do: k8s.io/apiserver's authorizer.Attributes. */
export interface Attributes {
  readonly user: UserInfo;
  /** API verb, or the lowercase HTTP method of a request that is not about a resource. */
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  /** What the field selector of a list, watch or deletecollection asks for; all of it holds. */
  readonly fields?: readonly FieldRequirement[];
}

export interface Decision {
  readonly decision: 'allow' | 'deny' | 'noOpinion';
  /** Why, in upstream's words; '' says nothing. */
  readonly reason: string;
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** What a user may do in a namespace, for SelfSubjectRulesReview. */
export interface Rules {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  /** There may be more than is listed. */
  readonly incomplete: boolean;
  readonly errors: readonly string[];
}

/** Decides from memory, so that asking costs microseconds and nothing waits. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision;
  rulesFor(user: UserInfo, namespace: string): Rules;
}

export const ALLOW: Decision = { decision: 'allow', reason: '' };
export const NO_OPINION: Decision = { decision: 'noOpinion', reason: '' };
export const noOpinion = (reason: string): Decision => ({ decision: 'noOpinion', reason });

export const NO_RULES: Rules = { resourceRules: [], nonResourceRules: [], incomplete: false, errors: [] };

export const SYSTEM_MASTERS = 'system:masters';
export const isPrivileged = (user: UserInfo): boolean => user.groups.includes(SYSTEM_MASTERS);

/** `--authorization-mode=AlwaysAllow`. */
export const alwaysAllow: Authorizer = {
  authorize: () => ALLOW,
  rulesFor: () => ({
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
    errors: [],
  }),
};

/** `--authorization-mode=AlwaysDeny`. */
export const alwaysDeny: Authorizer = {
  authorize: () => noOpinion('Everything is forbidden.'),
  rulesFor: () => NO_RULES,
};

/** Members of system:masters may do everything, whatever the modes say; the rules of a review do not list it. */
export const privilegedGroup: Authorizer = {
  authorize: ({ user }) => (isPrivileged(user) ? ALLOW : NO_OPINION),
  rulesFor: () => NO_RULES,
};

/** The first that allows or denies decides; the reasons of those without an opinion are joined. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(attributes);
        if (decision.decision !== 'noOpinion') return decision;
        if (decision.reason !== '') reasons.push(decision.reason);
      }
      return noOpinion(reasons.join('\n'));
    },
    rulesFor(user, namespace) {
      const all = authorizers.map(authorizer => authorizer.rulesFor(user, namespace));
      return {
        resourceRules: all.flatMap(rules => rules.resourceRules),
        nonResourceRules: all.flatMap(rules => rules.nonResourceRules),
        incomplete: all.some(rules => rules.incomplete),
        errors: all.flatMap(rules => rules.errors),
      };
    },
  };
}
