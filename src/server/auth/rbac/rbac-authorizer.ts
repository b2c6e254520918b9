import { noOpinion, NO_OPINION, type Authorizer, type NonResourceRule, type ResourceRule } from '../authorizer.js';
import { aggregate } from '../quote.js';
import type { RuleResolver } from './rule-resolver.js';
import { ruleAllows } from './rules.js';

const nonEmpty = (list: readonly string[] | undefined): boolean => list !== undefined && list.length > 0;

/** `--authorization-mode=RBAC`. */
export function createRbacAuthorizer(resolver: RuleResolver): Authorizer {
  return {
    authorize(attributes) {
      const missing: string[] = [];
      for (const grant of resolver.grants(attributes.user, attributes.isResource ? attributes.namespace : '')) {
        if (grant.missing !== undefined) missing.push(grant.missing);
        if (grant.rules.some(rule => ruleAllows(rule, attributes))) {
          return { decision: 'allow', reason: `RBAC: allowed by ${grant.describe()}` };
        }
      }
      return missing.length === 0 ? NO_OPINION : noOpinion(`RBAC: ${aggregate(missing)}`);
    },
    rulesFor(user, namespace) {
      const resourceRules: ResourceRule[] = [];
      const nonResourceRules: NonResourceRule[] = [];
      const missing: string[] = [];
      for (const grant of resolver.grants(user, namespace)) {
        if (grant.missing !== undefined) missing.push(grant.missing);
        for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of grant.rules) {
          if (nonEmpty(resources)) {
            resourceRules.push({
              verbs,
              ...(apiGroups !== undefined && nonEmpty(apiGroups) ? { apiGroups } : {}),
              ...(resources !== undefined ? { resources } : {}),
              ...(resourceNames !== undefined && nonEmpty(resourceNames) ? { resourceNames } : {}),
            });
          }
          if (nonResourceURLs !== undefined && nonEmpty(nonResourceURLs)) {
            nonResourceRules.push({ verbs, nonResourceURLs });
          }
        }
      }
      return {
        resourceRules,
        nonResourceRules,
        incomplete: false,
        errors: missing.length === 0 ? [] : [aggregate(missing)],
      };
    },
  };
}
