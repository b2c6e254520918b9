import {
  formatFieldError,
  invalid,
  notSupported,
  path,
  required,
  type FieldError,
  type FieldPath,
} from '../../machinery/field-error.js';
import { trimEnd } from '../../machinery/trim.js';
import { isDns1123Subdomain } from '../../machinery/validation/names.js';
import { yamlToJson } from '../../api/codec/yaml.js';
import type { Attributes } from '../auth/authorizer.js';
import { aggregate } from '../auth/quote.js';

/** How much is recorded, from nothing to everything. */
export const AUDIT_LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof AUDIT_LEVELS)[number];

export const AUDIT_STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof AUDIT_STAGES)[number];

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A rule of audit.k8s.io/v1 Policy. Empty lists match everything. */
interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** What is recorded of a request. */
export interface AuditConfig {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

/** A policy file that cannot be used. */
export class AuditPolicyError extends Error {
  override readonly name = 'AuditPolicyError';
}

/** Without a policy file: one line for each request, once it is answered. */
export const DEFAULT_AUDIT_POLICY: AuditPolicy = {
  rules: [{ level: 'Metadata' }],
  omitStages: ['RequestReceived', 'ResponseStarted'],
};

const list = <T>(value: readonly T[] | null | undefined): readonly T[] => value ?? [];

function checkStages(out: FieldError[], at: FieldPath, stages: readonly string[] | undefined): void {
  list(stages).forEach((stage, i) => {
    if (!AUDIT_STAGES.some(known => known === stage))
      out.push(invalid(at.index(i), stage, `allowed stages are ${AUDIT_STAGES.join(',')}`));
  });
}

function checkUrls(out: FieldError[], at: FieldPath, urls: readonly string[] | undefined): void {
  list(urls).forEach((url, i) => {
    if (url === '*') return;
    if (!url.startsWith('/'))
      out.push(invalid(at.index(i), url, "non-resource URL rules must begin with a '/' character"));
    if (url.slice(0, -1).includes('*'))
      out.push(invalid(at.index(i), url, "non-resource URL wildcards '*' must be the final character of the rule"));
  });
}

function checkRule(out: FieldError[], at: FieldPath, rule: AuditRule): void {
  const level = at.child('level');
  if (!(rule.level as string | undefined)) out.push(required(level, ''));
  else if (!AUDIT_LEVELS.includes(rule.level)) out.push(notSupported(level, rule.level, AUDIT_LEVELS));
  checkUrls(out, at.child('nonResourceURLs'), rule.nonResourceURLs);
  for (const { group = '', resources, resourceNames } of list(rule.resources)) {
    const here = at.child('resources');
    const problems = group === '' ? [] : isDns1123Subdomain(group);
    if (problems.length > 0) out.push(invalid(here.child('group'), group, problems.join(',')));
    if (list(resourceNames).length > 0 && list(resources).length === 0)
      out.push(
        invalid(here.child('resourceNames'), resourceNames, 'using resourceNames requires at least one resource'),
      );
  }
  checkStages(out, at.child('omitStages'), rule.omitStages);
  const ofResources = list(rule.resources).length > 0 || list(rule.namespaces).length > 0;
  if (list(rule.nonResourceURLs).length > 0 && ofResources) {
    const text = 'rules cannot apply to both regular resources and non-resource URLs';
    out.push(invalid(at.child('nonResourceURLs'), rule.nonResourceURLs, text));
  }
}

/** Reads audit.k8s.io/v1 Policy, YAML or JSON. @throws AuditPolicyError */
export function parseAuditPolicy(text: string): AuditPolicy {
  const { json, error } = yamlToJson(text);
  if (error !== undefined) throw new AuditPolicyError(`failed decoding: ${error}`);
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== 'object' || parsed === null) throw new AuditPolicyError('failed decoding: not an object');
  const { kind, apiVersion, ...policy } = parsed as Partial<AuditPolicy> & { kind?: unknown; apiVersion?: unknown };
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy')
    throw new AuditPolicyError(
      `unknown group version field ${String(apiVersion)}, Kind=${String(kind)} in policy: want audit.k8s.io/v1, Kind=Policy`,
    );
  const rules = list(policy.rules);
  const errors: FieldError[] = [];
  checkStages(errors, path('omitStages'), policy.omitStages);
  rules.forEach((rule, i) => checkRule(errors, path('rules').index(i), rule));
  if (errors.length > 0) throw new AuditPolicyError(aggregate(errors.map(formatFieldError)));
  if (rules.length === 0) throw new AuditPolicyError('loaded illegal policy with 0 rules');
  return { ...policy, rules };
}

const has = (names: readonly string[] | undefined, name: string): boolean =>
  list(names).length === 0 || list(names).includes(name);

const urlMatches = (pattern: string, url: string): boolean =>
  pattern === '*' || pattern === url || (pattern.endsWith('*') && url.startsWith(trimEnd(pattern, '*')));

function resourceMatches(pattern: string, { resource, subresource }: Attributes): boolean {
  if (pattern === '*') return true;
  if (pattern === (subresource === '' ? resource : `${resource}/${subresource}`)) return true;
  if (subresource !== '' && pattern === `*/${subresource}`) return true;
  return pattern === `${resource}/*`;
}

const groupMatches = ({ group = '', resources, resourceNames }: GroupResources, a: Attributes): boolean =>
  group === a.group &&
  (list(resources).length === 0 ||
    (has(resourceNames, a.name) && list(resources).some(pattern => resourceMatches(pattern, a))));

function ruleMatches(rule: AuditRule, a: Attributes): boolean {
  if (!has(rule.users, a.user.name) || !has(rule.verbs, a.verb)) return false;
  if (list(rule.userGroups).length > 0 && !a.user.groups.some(group => list(rule.userGroups).includes(group)))
    return false;
  if (list(rule.namespaces).length > 0 || list(rule.resources).length > 0) {
    if (!a.isResource || !has(rule.namespaces, a.namespace)) return false;
    return list(rule.resources).length === 0 || list(rule.resources).some(resources => groupMatches(resources, a));
  }
  if (list(rule.nonResourceURLs).length === 0) return true;
  return !a.isResource && list(rule.nonResourceURLs).some(pattern => urlMatches(pattern, a.path));
}

const stages = (...lists: (readonly AuditStage[] | undefined)[]): ReadonlySet<AuditStage> =>
  new Set(lists.flatMap(list));

/** Answers for each request what its first matching rule says (k8s.io/apiserver pkg/audit/policy). */
export function createAuditRules(policy: AuditPolicy): (attributes: Attributes) => AuditConfig {
  const omitByDefault = policy.omitManagedFields === true;
  const rules = policy.rules.map(rule => ({
    rule,
    config: {
      level: rule.level,
      omitStages: stages(policy.omitStages, rule.omitStages),
      omitManagedFields: rule.omitManagedFields ?? omitByDefault,
    },
  }));
  const unmatched = { level: 'None', omitStages: stages(policy.omitStages), omitManagedFields: omitByDefault } as const;
  return attributes => rules.find(({ rule }) => ruleMatches(rule, attributes))?.config ?? unmatched;
}
