import { trimEnd } from '../../../machinery/trim.js';
import { quoteList } from '../quote.js';
import type { Attributes } from '../authorizer.js';

/** rbac.authorization.k8s.io/v1 PolicyRule. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const ALL = '*';
const NONE: readonly string[] = [];

const hasOrAll = (set: readonly string[], wanted: string): boolean => set.includes(ALL) || set.includes(wanted);

const urlMatches = (pattern: string, path: string): boolean =>
  pattern === ALL || pattern === path || (pattern.endsWith('*') && path.startsWith(trimEnd(pattern, '*')));

/** `resources` names `resource`, "resource/subresource" or "*" + "/subresource". */
function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (subresource === '') return hasOrAll(resources, resource);
  return hasOrAll(resources, `${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

/** kubernetes pkg/apis/rbac/v1/evaluation_helpers.go, RuleAllows. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!hasOrAll(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResource) return (rule.nonResourceURLs ?? NONE).some(url => urlMatches(url, attributes.path));
  const names = rule.resourceNames ?? NONE;
  return (
    hasOrAll(rule.apiGroups ?? NONE, attributes.group) &&
    resourceMatches(rule.resources ?? NONE, attributes.resource, attributes.subresource) &&
    (names.length === 0 || names.includes(attributes.name))
  );
}

/** One verb on one resource (by one name) or on one URL. */
function breakdown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? NONE) {
    for (const resource of rule.resources ?? NONE) {
      for (const verb of rule.verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
        const names = rule.resourceNames ?? NONE;
        if (names.length === 0) parts.push(part);
        else for (const name of names) parts.push({ ...part, resourceNames: [name] });
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? NONE) {
    for (const verb of rule.verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  }
  return parts;
}

const resourceCovered = (resources: readonly string[], wanted: string): boolean => {
  const slash = wanted.indexOf('/');
  return hasOrAll(resources, wanted) || (slash >= 0 && resources.includes(`*${wanted.slice(slash)}`));
};

const urlCovered = (urls: readonly string[], wanted: string): boolean =>
  urls.some(url => url === wanted || (url.endsWith('*') && wanted.startsWith(trimEnd(url, '*'))));

function ruleCovers(owner: PolicyRule, part: PolicyRule): boolean {
  const ownerNames = owner.resourceNames ?? NONE;
  const names = part.resourceNames ?? NONE;
  return (
    part.verbs.every(verb => hasOrAll(owner.verbs, verb)) &&
    (part.apiGroups ?? NONE).every(group => hasOrAll(owner.apiGroups ?? NONE, group)) &&
    (part.resources ?? NONE).every(resource => resourceCovered(owner.resources ?? NONE, resource)) &&
    (part.nonResourceURLs ?? NONE).every(url => urlCovered(owner.nonResourceURLs ?? NONE, url)) &&
    (ownerNames.length === 0 || (names.length > 0 && names.every(name => ownerNames.includes(name))))
  );
}

/**
 * What of `wanted` the rules `held` do not give, one verb on one thing each; empty: all is covered
 * (k8s.io/component-helpers auth/rbac/validation, Covers).
 */
export const uncovered = (held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] =>
  wanted.flatMap(breakdown).filter(part => !held.some(owner => ruleCovers(owner, part)));

/** Joins rules on one resource (and at most one name) that differ in their verbs only. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const compacted: PolicyRule[] = [];
  const simple = new Map<string, PolicyRule & { verbs: string[] }>();
  for (const rule of rules) {
    const { apiGroups = NONE, resources = NONE, resourceNames = NONE, nonResourceURLs = NONE } = rule;
    if (apiGroups.length !== 1 || resources.length !== 1 || resourceNames.length > 1 || nonResourceURLs.length > 0) {
      compacted.push(rule);
      continue;
    }
    const key = JSON.stringify([apiGroups, resources, resourceNames]);
    const known = simple.get(key);
    if (known === undefined) simple.set(key, { ...rule, verbs: [...rule.verbs] });
    else known.verbs.push(...rule.verbs);
  }
  return [...compacted, ...simple.values()];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function formatRule(rule: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  const texts = parts.flatMap(([name, values]) =>
    values === undefined || values.length === 0 ? [] : [`${name}:${quoteList(values)}`],
  );
  return `{${texts.join(', ')}}`;
}
