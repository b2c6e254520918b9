import { duplicate, errorList, forbidden, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import {
  FLOW_SCHEMAS,
  MANDATORY,
  PRIORITY_LEVELS,
  type FlowSchemaSpec,
  type PriorityLevelSpec,
} from './flow-control-defaults.js';
import type { PartSubresource, Strategy } from '../../api/strategy.js';
import { checkDnsLabel, checkDnsSubdomain, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell, NONE } from '../cells.js';

interface Conditions {
  readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
}
interface FlowSchema extends KubeObject {
  spec?: FlowSchemaSpec;
  status?: Conditions;
}
interface PriorityLevel extends KubeObject {
  spec?: PriorityLevelSpec;
  status?: Conditions;
}
type Rules = NonNullable<DeepReadonly<FlowSchemaSpec>['rules']>[number];
type Subject = Rules['subjects'][number];

const SPEC = path('spec');
const STATUS = path('status', 'conditions');
const CLUSTER = { namespaced: false, name: nameIsDnsSubdomain };

const MAX_PRECEDENCE = 10_000;
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const DISTINGUISHERS = ['ByNamespace', 'ByUser'];

function checkConditions(out: FieldError[], status: Conditions | undefined): void {
  const seen = new Set<string>();
  list(status?.conditions).forEach(({ type = '' }, i) => {
    const at = STATUS.index(i).child('type');
    if (seen.has(type)) out.push(duplicate(at, type));
    seen.add(type);
    if (type === '') out.push(required(at));
  });
}

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

const statusPart: PartSubresource = {
  kind: 'part',
  validateUpdate(_ctx, object) {
    const out = errorList();
    checkConditions(out, (object as { status?: Conditions }).status);
    return out;
  },
};

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

type LevelSpec = DeepReadonly<PriorityLevelSpec>;
const LEVEL_TYPES = ['Exempt', 'Limited'];
const RESPONSES = ['Queue', 'Reject'];
const MAX_QUEUES = 10_000_000;
const MAX_ENTROPY = 60;
const ROUND_TRIP = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares';

function checkShares(out: FieldError[], at: FieldPath, shares: number | undefined, lendable: number | undefined): void {
  if (shares !== undefined && shares < 0)
    out.push(invalid(at.child('nominalConcurrencyShares'), shares, 'must be a non-negative integer'));
  if (lendable !== undefined && (lendable < 0 || lendable > 100))
    out.push(invalid(at.child('lendablePercent'), lendable, 'must be between 0 and 100, inclusive'));
}

type Limited = NonNullable<LevelSpec['limited']>;
type Queuing = NonNullable<NonNullable<Limited['limitResponse']>['queuing']>;

function checkQueuing(out: FieldError[], at: FieldPath, queuing: Queuing): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  if (queueLengthLimit <= 0) out.push(invalid(at.child('queueLengthLimit'), queueLengthLimit, 'must be positive'));
  if (queues <= 0) out.push(invalid(at.child('queues'), queues, 'must be positive'));
  else if (queues > MAX_QUEUES) out.push(invalid(at.child('queues'), queues, `must not be greater than ${MAX_QUEUES}`));
  const hand = at.child('handSize');
  if (handSize <= 0) return void out.push(invalid(hand, handSize, 'must be positive'));
  if (handSize > queues) return void out.push(invalid(hand, handSize, `should not be greater than queues (${queues})`));
  if (Math.ceil(Math.log2(queues) * handSize) <= MAX_ENTROPY) return;
  const text = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_ENTROPY}`;
  out.push(invalid(hand, handSize, text));
}

function checkLimited(out: FieldError[], at: FieldPath, limited: Limited): void {
  const { nominalConcurrencyShares, lendablePercent, borrowingLimitPercent, limitResponse } = limited;
  checkShares(out, at, nominalConcurrencyShares, undefined);
  const response = at.child('limitResponse');
  const queuing = limitResponse?.queuing;
  switch (limitResponse?.type) {
    case 'Reject':
      if (queuing !== undefined)
        out.push(forbidden(response.child('queuing'), 'must be nil if limited.limitResponse.type is not Limited'));
      break;
    case 'Queue':
      if (queuing !== undefined) checkQueuing(out, response.child('queuing'), queuing);
      else out.push(required(response.child('queuing'), 'must not be empty if limited.limitResponse.type is Limited'));
      break;
    default:
      out.push(notSupported(response.child('type'), limitResponse?.type ?? '', RESPONSES));
  }
  checkShares(out, at, undefined, lendablePercent);
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const text = 'if specified, must be a non-negative integer';
    out.push(invalid(at.child('borrowingLimitPercent'), borrowingLimitPercent, text));
  }
}

function checkLevelSpec(out: FieldError[], spec: LevelSpec, name: string): void {
  const { type, limited, exempt } = spec;
  if ((name === 'exempt') !== (type === 'Exempt'))
    out.push(invalid(SPEC.child('type'), type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  switch (type) {
    case 'Exempt':
      if (limited !== undefined) out.push(forbidden(SPEC.child('limited'), 'must be nil if the type is not Limited'));
      checkShares(out, SPEC.child('exempt'), exempt?.nominalConcurrencyShares, exempt?.lendablePercent);
      return;
    case 'Limited':
      if (exempt !== undefined) out.push(forbidden(SPEC.child('exempt'), 'must be nil if the type is Limited'));
      if (limited === undefined) out.push(required(SPEC.child('limited'), 'must not be empty when type is Limited'));
      else checkLimited(out, SPEC.child('limited'), limited);
      return;
    default:
      out.push(notSupported(SPEC.child('type'), type, LEVEL_TYPES));
  }
}

/** How much of the exempt level is set aside may be changed; nothing else about what is mandatory. */
function checkMandatoryLevel(out: FieldError[], spec: LevelSpec, name: string): void {
  const fixed = PRIORITY_LEVELS[name];
  if (!MANDATORY.includes(name) || fixed === undefined) return;
  const isExempt = name === 'exempt';
  if (semanticEqual(isExempt ? { ...spec, exempt: fixed.exempt } : spec, fixed)) return;
  const except = isExempt ? " except the 'spec.exempt' field" : '';
  const shown = goForm('PriorityLevelSpec', spec);
  out.push(invalid(SPEC, shown, `spec of '${name}'${except} must equal the fixed value`));
}

const EMPTY: LevelSpec = { type: '' };

function checkPriorityLevel({ metadata, spec = EMPTY, status }: DeepReadonly<PriorityLevel>): FieldError[] {
  const out = errorList();
  const name = metadata.name ?? '';
  if (metadata.annotations?.[ROUND_TRIP] !== undefined)
    out.push(forbidden(path('metadata', 'annotations'), `annotation '${ROUND_TRIP}' is forbidden`));
  checkLevelSpec(out, spec, name);
  checkMandatoryLevel(out, spec, name);
  checkConditions(out, status);
  return out;
}

export const priorityLevelConfigurationStrategy: Strategy<PriorityLevel> = {
  default({ spec }) {
    const { limited, exempt } = spec ?? {};
    if (exempt !== undefined) {
      exempt.nominalConcurrencyShares ??= 0;
      exempt.lendablePercent ??= 0;
    }
    if (limited === undefined) return;
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (queuing === undefined) return;
    queuing.handSize ||= 8;
    queuing.queues ||= 64;
    queuing.queueLengthLimit ||= 50;
  },
  validate: (_ctx, level) => checkPriorityLevel(level),
  validateUpdate(_ctx, level) {
    const out = errorList();
    checkMetadataAgain(out, level, CLUSTER);
    return [...out, ...checkPriorityLevel(level)];
  },
  cells(level, nowMs) {
    const limited = level.spec?.limited;
    const queuing = limited?.limitResponse?.queuing;
    return {
      cells: [
        nameCell(level),
        level.spec?.type ?? '',
        limited?.nominalConcurrencyShares ?? NONE,
        queuing?.queues ?? NONE,
        queuing?.handSize ?? NONE,
        queuing?.queueLengthLimit ?? NONE,
        ageCell(level, nowMs),
      ],
    };
  },
  subresources: { status: statusPart },
};
