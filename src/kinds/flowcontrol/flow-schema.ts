import { errorList, forbidden, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { FLOW_SCHEMAS, MANDATORY, type FlowSchemaSpec } from './flow-control-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkDnsLabel, checkDnsSubdomain, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell, NONE } from '../cells.js';
import { checkConditions, statusPart, type Conditions } from './flow-control-status.js';

interface FlowSchema extends KubeObject {
  spec?: FlowSchemaSpec;
  status?: Conditions;
}

type Rules = NonNullable<DeepReadonly<FlowSchemaSpec>['rules']>[number];
type Subject = Rules['subjects'][number];

const SPEC = path('spec');
const CLUSTER = { namespaced: false, name: nameIsDnsSubdomain };

const MAX_PRECEDENCE = 10_000;
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const DISTINGUISHERS = ['ByNamespace', 'ByUser'];

const SUBJECTS = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const;
type SubjectKind = keyof typeof SUBJECTS;
const SUBJECT_KINDS = Object.keys(SUBJECTS) as SubjectKind[];
/** In the order in which upstream refuses what does not belong. */
const REFUSED: Readonly<Record<SubjectKind, readonly SubjectKind[]>> = {
  ServiceAccount: ['User', 'Group'],
  User: ['ServiceAccount', 'Group'],
  Group: ['ServiceAccount', 'User'],
};

function checkSubject(out: FieldError[], at: FieldPath, subject: Subject): void {
  const kind = SUBJECT_KINDS.find(known => known === subject.kind);
  if (kind === undefined) return void out.push(notSupported(at.child('kind'), subject.kind, SUBJECT_KINDS));
  const field = SUBJECTS[kind];
  const named = subject[field];
  const here = at.child(field);
  if (named === undefined) out.push(required(here, `${field} is required when subject kind is '${kind}'`));
  else if (kind === 'ServiceAccount') checkAccount(out, here, subject.serviceAccount);
  else if (!named.name) out.push(required(here.child('name')));
  for (const other of REFUSED[kind]) {
    if (subject[SUBJECTS[other]] === undefined) continue;
    const text = `${SUBJECTS[other]} is forbidden when subject kind is not '${other}'`;
    out.push(forbidden(at.child(SUBJECTS[other]), text));
  }
}

function checkAccount(out: FieldError[], at: FieldPath, account: Subject['serviceAccount']): void {
  const { name = '', namespace = '' } = account ?? {};
  if (name === '') out.push(required(at.child('name')));
  else if (name !== '*') checkDnsSubdomain(out, at.child('name'), name);
  if (namespace === '') out.push(required(at.child('namespace'), 'must specify namespace for service account'));
  else checkDnsLabel(out, at.child('namespace'), namespace);
}

function checkAlone(out: FieldError[], at: FieldPath, names: readonly string[], what: string): void {
  if (names.length > 1 && names.includes('*'))
    out.push(invalid(at, names, `if '*' is present, must not specify other ${what}`));
}

function checkVerbs(out: FieldError[], at: FieldPath, verbs: readonly string[]): void {
  if (verbs.length === 0) out.push(required(at, 'verbs must contain at least one value'));
  else if (verbs.includes('*')) checkAlone(out, at, verbs, 'verbs');
  else if (verbs.some(verb => !VERBS.includes(verb))) out.push(notSupported(at, verbs, VERBS));
}

function checkResourceRule(out: FieldError[], at: FieldPath, rule: NonNullable<Rules['resourceRules']>[number]): void {
  const { verbs, apiGroups, resources, namespaces, clusterScope } = rule;
  checkVerbs(out, at.child('verbs'), list(verbs));
  const groupsAt = at.child('apiGroups');
  if (list(apiGroups).length === 0) out.push(required(groupsAt, 'resource rules must supply at least one api group'));
  checkAlone(out, groupsAt, list(apiGroups), 'api groups');
  const resourcesAt = at.child('resources');
  if (list(resources).length === 0) out.push(required(resourcesAt, 'resource rules must supply at least one resource'));
  checkAlone(out, resourcesAt, list(resources), 'resources');
  const namespacesAt = at.child('namespaces');
  if (list(namespaces).length === 0 && clusterScope !== true) {
    const text = 'resource rules that are not cluster scoped must supply at least one namespace';
    return void out.push(required(namespacesAt, text));
  }
  if (list(namespaces).includes('*')) return checkAlone(out, namespacesAt, list(namespaces), 'namespaces');
  list(namespaces).forEach((namespace, i) => {
    for (const text of nameIsDnsLabel(namespace, false)) {
      const intro = "each member of this list must be '*' or a DNS-1123 label; ";
      out.push(invalid(namespacesAt.index(i), namespace, intro + text));
    }
  });
}

/** "/", or a path with at most one wildcard, at its end. */
function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const wildcards = url.split('*').length - 1;
  if (wildcards > 1 || (wildcards === 1 && !url.endsWith('/*'))) return 'wildcard can only do suffix matching';
  return undefined;
}

function checkUrls(out: FieldError[], at: FieldPath, urls: readonly string[]): void {
  if (urls.length === 0) return void out.push(required(at, 'nonResourceURLs must contain at least one value'));
  if (urls.includes('*')) return checkAlone(out, at, urls, 'non-resource URLs');
  urls.forEach((url, i) => {
    const problem = urlProblem(url);
    if (problem !== undefined) out.push(invalid(at.index(i), url, problem));
  });
}

function checkRules(out: FieldError[], at: FieldPath, rules: Rules): void {
  const { subjects, resourceRules, nonResourceRules } = rules;
  if (list(subjects).length === 0) out.push(required(at.child('subjects'), 'subjects must contain at least one value'));
  list(subjects).forEach((subject, i) => checkSubject(out, at.child('subjects').index(i), subject));
  if (list(resourceRules).length === 0 && list(nonResourceRules).length === 0)
    out.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  list(resourceRules).forEach((rule, i) => checkResourceRule(out, at.child('resourceRules').index(i), rule));
  list(nonResourceRules).forEach(({ verbs, nonResourceURLs }, i) => {
    const here = at.child('nonResourceRules').index(i);
    checkVerbs(out, here.child('verbs'), list(verbs));
    checkUrls(out, here.child('nonResourceURLs'), list(nonResourceURLs));
  });
}

function checkPrecedence(out: FieldError[], precedence: number, name: string): void {
  const at = SPEC.child('matchingPrecedence');
  if (precedence <= 0) out.push(invalid(at, precedence, 'must be a positive value'));
  if (precedence > MAX_PRECEDENCE) out.push(invalid(at, precedence, `must not be greater than ${MAX_PRECEDENCE}`));
  if (precedence === 1 && name !== 'exempt')
    out.push(invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
}

function checkFlowSchema({ metadata, spec, status }: DeepReadonly<FlowSchema>): FieldError[] {
  const out = errorList();
  const name = metadata.name ?? '';
  checkPrecedence(out, spec?.matchingPrecedence ?? 0, name);
  const method = spec?.distinguisherMethod;
  if (method !== undefined && !DISTINGUISHERS.includes(method.type)) {
    // Upstream shows the struct around the type.
    const shown = goForm('FlowDistinguisherMethod', method);
    out.push(notSupported(SPEC.child('distinguisherMethod', 'type'), shown, DISTINGUISHERS));
  }
  const level = spec?.priorityLevelConfiguration.name ?? '';
  const levelAt = SPEC.child('priorityLevelConfiguration', 'name');
  if (level === '') out.push(required(levelAt, 'must reference a priority level'));
  else checkDnsSubdomain(out, levelAt, level);
  list(spec?.rules).forEach((rules, i) => checkRules(out, SPEC.child('rules').index(i), rules));
  if (MANDATORY.includes(name) && !semanticEqual(spec, FLOW_SCHEMAS[name]))
    out.push(invalid(SPEC, goForm('FlowSchemaSpec', spec), `spec of '${name}' must equal the fixed value`));
  checkConditions(out, status);
  return out;
}

export const flowSchemaStrategy: Strategy<FlowSchema> = {
  default(schema) {
    if (schema.spec !== undefined) schema.spec.matchingPrecedence ||= 1000;
  },
  validate: (_ctx, schema) => checkFlowSchema(schema),
  validateUpdate(_ctx, schema) {
    const out = errorList();
    checkMetadataAgain(out, schema, CLUSTER);
    return [...out, ...checkFlowSchema(schema)];
  },
  cells: (schema, nowMs) => ({
    cells: [
      nameCell(schema),
      schema.spec?.priorityLevelConfiguration.name ?? '',
      schema.spec?.matchingPrecedence ?? 0,
      schema.spec?.distinguisherMethod?.type ?? NONE,
      ageCell(schema, nowMs),
      list(schema.status?.conditions).find(({ type }) => type === 'Dangling')?.status ?? '?',
    ],
  }),
  subresources: { status: statusPart },
};
