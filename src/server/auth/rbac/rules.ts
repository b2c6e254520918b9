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

/** One verb on one resource (by one name) or on one URL. As they are asked for: their number is a product. */
function* breakdown(rule: PolicyRule): Generator<PolicyRule> {
  for (const group of rule.apiGroups ?? NONE) {
    for (const resource of rule.resources ?? NONE) {
      for (const verb of rule.verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
        const names = rule.resourceNames ?? NONE;
        if (names.length === 0) yield part;
        else for (const name of names) yield { ...part, resourceNames: [name] };
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? NONE) {
    for (const verb of rule.verbs) yield { nonResourceURLs: [url], verbs: [verb] };
  }
}

/** A rule that somebody holds, with its lists ready to be looked up in. */
interface Held {
  readonly verbs: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly urls: ReadonlySet<string>;
  /** What comes before the asterisk of those that end in one. */
  readonly urlPrefixes: readonly string[];
}

function prepare(rule: PolicyRule): Held {
  const urls = rule.nonResourceURLs ?? NONE;
  return {
    verbs: new Set(rule.verbs),
    groups: new Set(rule.apiGroups),
    resources: new Set(rule.resources),
    names: new Set(rule.resourceNames),
    urls: new Set(urls),
    urlPrefixes: urls.filter(url => url.endsWith('*')).map(url => trimEnd(url, '*')),
  };
}

const setHasOrAll = (set: ReadonlySet<string>, wanted: string): boolean => set.has(ALL) || set.has(wanted);

const resourceCovered = (resources: ReadonlySet<string>, wanted: string): boolean => {
  const slash = wanted.indexOf('/');
  return setHasOrAll(resources, wanted) || (slash >= 0 && resources.has(`*${wanted.slice(slash)}`));
};

const urlCovered = ({ urls, urlPrefixes }: Held, wanted: string): boolean =>
  urls.has(wanted) || urlPrefixes.some(prefix => wanted.startsWith(prefix));

function covers(held: Held, rule: PolicyRule): boolean {
  const names = rule.resourceNames ?? NONE;
  return (
    rule.verbs.every(verb => setHasOrAll(held.verbs, verb)) &&
    (rule.apiGroups ?? NONE).every(group => setHasOrAll(held.groups, group)) &&
    (rule.resources ?? NONE).every(resource => resourceCovered(held.resources, resource)) &&
    (rule.nonResourceURLs ?? NONE).every(url => urlCovered(held, url)) &&
    (held.names.size === 0 || (names.length > 0 && names.every(name => held.names.has(name))))
  );
}

/** Comparisons of one permission with one rule that are worth making for one request: some tens of milliseconds. */
const MAX_COMPARISONS = 500_000;

/**
 * What of `wanted` the rules `held` do not give, one verb on one thing each; empty: all is covered
 * (k8s.io/component-helpers auth/rbac/validation, Covers). A rule is a product of its lists, so that a short text can
 * stand for billions of permissions: "too many" when they are more than can be looked at.
 */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] | 'too many' {
  const owners = held.map(prepare);
  const missing: PolicyRule[] = [];
  let comparisons = 0;
  for (const rule of wanted) {
    // Nearly always one rule covers another as a whole.
    if (owners.some(owner => covers(owner, rule))) continue;
    for (const part of breakdown(rule)) {
      comparisons += owners.length + 1;
      if (comparisons > MAX_COMPARISONS) return 'too many';
      if (!owners.some(owner => covers(owner, part))) missing.push(part);
    }
  }
  return missing;
}

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
    else for (const verb of rule.verbs) known.verbs.push(verb);
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
