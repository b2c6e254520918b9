import type * as k8s from '@kubernetes/client-node';
import { duplicate, invalid, notSupported, required, tooMany } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import type { DeepReadonly, Wire } from '../../../machinery/types.js';
import { nameIsPathSegment } from '../../../machinery/validation/names.js';
import { checkCel, type CelRules } from './cel.js';
import { heavyExpressions } from '../../validation/heavy-expressions.js';
import { checkQualifiedName, checkSelector, list } from '../../validation/formats.js';

export const HEAVY_EXPRESSIONS = heavyExpressions(['expression', 'messageExpression', 'valueExpression', 'key'], 20);

export const FAILURE_POLICIES = ['Fail', 'Ignore'];
export const MATCH_POLICIES = ['Equivalent', 'Exact'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
const MAX_MATCH_CONDITIONS = 64;

type Rule = DeepReadonly<Wire<k8s.V1RuleWithOperations>>;
type NamedRule = DeepReadonly<Wire<k8s.V1NamedRuleWithOperations>>;
type MatchResources = DeepReadonly<Wire<k8s.V1MatchResources>>;
type MatchCondition = DeepReadonly<Wire<k8s.V1MatchCondition>>;

export function checkOneOf(out: FieldError[], at: FieldPath, value: string | undefined, known: string[]): void {
  if (value !== undefined && !known.includes(value)) out.push(notSupported(at, value, known));
}

function checkAlone(out: FieldError[], at: FieldPath, values: readonly string[], what: string): void {
  if (values.length > 1 && values.includes('*'))
    out.push(invalid(at, values, `if '*' is present, must not specify other ${what}`));
}

/** "pods", "pods/status", "pods/*", "*\/scale", "*", "*\/*": no entry may be covered by one before it. */
function checkResources(out: FieldError[], at: FieldPath, resources: readonly string[]): void {
  if (resources.length === 0) out.push(required(at));
  const wholes = new Set<string>();
  const parts = new Set<string>();
  // Upstream remembers this of the last entry without a subresource only.
  let lastIsPlain = false;
  resources.forEach((text, i) => {
    if (text === '') return void out.push(required(at.index(i)));
    const slash = text.indexOf('/');
    if (slash < 0) return void (lastIsPlain = text !== '*');
    const [resource, part] = [text.slice(0, slash), text.slice(slash + 1)];
    const covered = (pattern: string): void =>
      void out.push(invalid(at.index(i), text, `if '${pattern}' is present, must not specify ${text}`));
    if (wholes.has(resource)) covered(`${resource}/*`);
    if (parts.has(part)) covered(`*/${part}`);
    if (part === '*') wholes.add(resource);
    if (resource === '*') parts.add(part);
  });
  if (resources.length > 1 && resources.includes('*/*'))
    out.push(invalid(at, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && lastIsPlain)
    out.push(invalid(at, resources, "if '*' is present, must not specify other resources without subresources"));
}

export function checkRule(out: FieldError[], at: FieldPath, rule: Rule): void {
  const operations = list(rule.operations);
  const operationsAt = at.child('operations');
  if (operations.length === 0) out.push(required(operationsAt));
  checkAlone(out, operationsAt, operations, 'operations');
  operations.forEach((operation, i) => checkOneOf(out, operationsAt.index(i), operation, OPERATIONS));
  const groups = list(rule.apiGroups);
  if (groups.length === 0) out.push(required(at.child('apiGroups')));
  checkAlone(out, at.child('apiGroups'), groups, 'API groups');
  const versions = list(rule.apiVersions);
  const versionsAt = at.child('apiVersions');
  if (versions.length === 0) out.push(required(versionsAt));
  checkAlone(out, versionsAt, versions, 'API versions');
  versions.forEach((version, i) => {
    if (version === '') out.push(required(versionsAt.index(i)));
  });
  checkResources(out, at.child('resources'), list(rule.resources));
  checkOneOf(out, at.child('scope'), rule.scope, SCOPES);
}

function checkNamedRule(out: FieldError[], at: FieldPath, rule: NamedRule): void {
  const seen = new Set<string>();
  list(rule.resourceNames).forEach((name, i) => {
    const item = at.child('resourceNames').index(i);
    for (const text of nameIsPathSegment(name, false)) out.push(invalid(item, name, text));
    if (seen.has(name)) out.push(duplicate(item, name));
    seen.add(name);
  });
  checkRule(out, at, rule);
}

export function checkMatchResources(out: FieldError[], at: FieldPath, match: MatchResources): void {
  if (match.matchPolicy === undefined) out.push(required(at.child('matchPolicy')));
  else checkOneOf(out, at.child('matchPolicy'), match.matchPolicy, MATCH_POLICIES);
  for (const field of ['namespaceSelector', 'objectSelector'] as const)
    if (match[field] === undefined) out.push(required(at.child(field)));
    else checkSelector(out, at.child(field), match[field]);
  for (const field of ['resourceRules', 'excludeResourceRules'] as const)
    list(match[field]).forEach((rule, i) => checkNamedRule(out, at.child(field).index(i), rule));
}

export function checkMatchConditions(
  out: FieldError[],
  at: FieldPath,
  conditions: readonly MatchCondition[],
  cel: CelRules,
): void {
  if (conditions.length > MAX_MATCH_CONDITIONS) out.push(tooMany(at, conditions.length, MAX_MATCH_CONDITIONS));
  const names = new Set<string>();
  conditions.forEach(({ name, expression }, i) => {
    const item = at.index(i);
    const text = expression.trim();
    if (text === '') out.push(required(item.child('expression')));
    else checkCel(out, item.child('expression'), text, { ...cel, returns: ['bool'] });
    if (name === '') out.push(required(item.child('name')));
    else checkQualifiedName(out, item.child('name'), name);
    if (name !== '' && names.has(name)) out.push(duplicate(item.child('name'), name));
    names.add(name);
  });
}

/** Mutates: what an absent field of a match means. */
export function defaultMatchResources(match: Wire<k8s.V1MatchResources> | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}
