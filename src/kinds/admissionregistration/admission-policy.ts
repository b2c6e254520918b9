import type * as k8s from '@kubernetes/client-node';
import { duplicate, errorList, forbidden, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import {
  isDns1035Label,
  isDns1123Subdomain,
  nameIsDnsSubdomain,
  nameIsPathSegment,
} from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import {
  checkMatchConditions,
  checkMatchResources,
  checkOneOf,
  defaultMatchResources,
  FAILURE_POLICIES,
  HEAVY_EXPRESSIONS,
} from './validation/admission-rules.js';
import { DYN, type Type } from '../../machinery/cel/types.js';
import { variableType } from '../../machinery/cel/admission/structs.js';
import { checkCel, isCelIdentifier, type CelRules } from './validation/cel.js';
import { checkConditions } from '../validation/conditions.js';
import { checkQualifiedName, checkSelector, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell, UNSET } from '../cells.js';
import { createRepeatCheck } from '../../machinery/repeats.js';

interface Policy extends KubeObject {
  spec?: Wire<k8s.V1ValidatingAdmissionPolicySpec>;
  status?: Wire<k8s.V1ValidatingAdmissionPolicyStatus>;
}
type ReadonlyPolicy = DeepReadonly<Policy>;
type Spec = NonNullable<ReadonlyPolicy['spec']>;

const SPEC = path('spec');
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const MAX_ANNOTATIONS = 20;
const MAX_ANNOTATION_BYTES = 5 * 1024;

function checkApiVersion(out: FieldError[], at: FieldPath, text: string): void {
  if (text === '') return void out.push(required(at));
  const parts = text.split('/');
  if (parts.length > 2) return void out.push(invalid(at, text, `unexpected GroupVersion string: ${text}`));
  const [group, version] = text === '/' ? ['', ''] : parts.length === 2 ? parts : ['', text];
  const groupProblems = group ? isDns1123Subdomain(group) : [];
  if (groupProblems.length > 0) out.push(invalid(at, group, groupProblems.join(',')));
  if (!version) return void out.push(invalid(at, text, 'version must be specified'));
  const versionProblems = isDns1035Label(version);
  if (versionProblems.length > 0) out.push(invalid(at, version, versionProblems.join(',')));
}

function checkParamKind(
  out: FieldError[],
  at: FieldPath,
  { apiVersion = '', kind = '' }: NonNullable<Spec['paramKind']>,
): void {
  checkApiVersion(out, at.child('apiVersion'), apiVersion);
  if (kind === '') return void out.push(required(at.child('kind')));
  const problems = isDns1035Label(kind.toLowerCase());
  if (problems.length === 0) return;
  const text = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
  out.push(invalid(at.child('kind'), kind, text));
}

type Validation = NonNullable<Spec['validations']>[number];

function checkValidation(out: FieldError[], at: FieldPath, validation: Validation, scope: Scope): void {
  const { expression, message = '', messageExpression = '', reason } = validation;
  if (expression.trim() === '') out.push(required(at.child('expression'), 'expression is not specified'));
  else checkCel(out, at.child('expression'), expression, { ...scope, returns: ['bool'] });
  const messageAt = at.child('messageExpression');
  if (messageExpression !== '' && messageExpression.trim() === '')
    out.push(invalid(messageAt, messageExpression, 'must be non-empty if specified'));
  else if (messageExpression !== '')
    checkCel(out, messageAt, messageExpression, { ...scope, hasAuthorizer: false, returns: ['string'] });
  if (message !== '' && message.trim() === '')
    out.push(invalid(at.child('message'), message, 'must be non-empty if specified'));
  else if (/[\n\r]/.test(message.trim()))
    out.push(invalid(at.child('message'), message, 'must not contain line breaks'));
  checkOneOf(out, at.child('reason'), reason, REASONS);
}

/** What expressions of a policy may name. */
/** What a policy's expressions may name. */
type Scope = Pick<CelRules, 'hasParams' | 'variables'>;

function checkVariables(out: FieldError[], spec: Spec, hasParams: boolean): ReadonlyMap<string, Type> {
  const variables = new Map<string, Type>();
  list(spec.variables).forEach(({ name, expression }, i) => {
    const at = SPEC.child('variables').index(i);
    if (name.trim() === '') out.push(required(at.child('name'), 'name is not specified'));
    else if (!isCelIdentifier(name)) out.push(invalid(at.child('name'), name, 'must be a valid CEL identifier'));
    if (expression.trim() === '') out.push(required(at.child('expression'), 'expression is not specified'));
    else {
      const type = checkCel(out, at.child('expression'), expression, { hasParams, variables });
      variables.set(name, type === undefined ? DYN : variableType(type));
    }
  });
  return variables;
}

function checkAnnotations(out: FieldError[], spec: Spec, scope: Scope, policy: string): void {
  const at = SPEC.child('auditAnnotations');
  const annotations = list(spec.auditAnnotations);
  if (annotations.length > MAX_ANNOTATIONS) {
    const shown = annotations.map(annotation => goForm('AuditAnnotation', annotation));
    out.push(invalid(at, shown, `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`));
  }
  const keys = new Set<string>();
  annotations.forEach(({ key, valueExpression }, i) => {
    const item = at.index(i);
    if (policy === '') out.push(invalid(item.child('key'), key, 'requires metadata.name be non-empty'));
    else checkQualifiedName(out, item.child('key'), `${policy}/${key}`);
    const text = valueExpression.trim();
    const field = item.child('valueExpression');
    if (text === '') out.push(required(field, 'valueExpression is not specified'));
    else if (Buffer.byteLength(text) > MAX_ANNOTATION_BYTES)
      out.push(required(field, `must not exceed ${MAX_ANNOTATION_BYTES} bytes in length`));
    else checkCel(out, field, valueExpression, { ...scope, returns: ['string', 'null_type'] });
    if (keys.has(key)) out.push(duplicate(item.child('key'), key));
    keys.add(key);
  });
}

function checkPolicy({ metadata, spec = {} }: ReadonlyPolicy, old?: ReadonlyPolicy): FieldError[] {
  const out = errorList();
  const hasParams = spec.paramKind !== undefined;
  if (spec.failurePolicy === undefined) out.push(required(SPEC.child('failurePolicy')));
  else checkOneOf(out, SPEC.child('failurePolicy'), spec.failurePolicy, FAILURE_POLICIES);
  if (spec.paramKind !== undefined) checkParamKind(out, SPEC.child('paramKind'), spec.paramKind);
  const match = SPEC.child('matchConstraints');
  if (spec.matchConstraints === undefined) out.push(required(match));
  else {
    checkMatchResources(out, match, spec.matchConstraints);
    if (list(spec.matchConstraints.resourceRules).length === 0) out.push(required(match.child('resourceRules')));
  }
  const isSame =
    old !== undefined &&
    semanticEqual(spec.paramKind, old.spec?.paramKind) &&
    semanticEqual(spec.matchConditions, old.spec?.matchConditions);
  const conditions = list(spec.matchConditions);
  if (!isSame) checkMatchConditions(out, SPEC.child('matchConditions'), conditions, { hasParams });
  const variables = checkVariables(out, spec, hasParams);
  if (list(spec.validations).length + list(spec.auditAnnotations).length === 0) {
    const text = 'validations or auditAnnotations must contain at least one item';
    for (const field of ['validations', 'auditAnnotations']) out.push(required(SPEC.child(field), text));
    return out;
  }
  const scope: Scope = list(spec.variables).length === 0 ? { hasParams } : { hasParams, variables };
  list(spec.validations).forEach((validation, i) =>
    checkValidation(out, SPEC.child('validations').index(i), validation, scope),
  );
  checkAnnotations(out, spec, scope, metadata.name ?? '');
  return out;
}

function checkStatus({ status }: ReadonlyPolicy): FieldError[] {
  const out = errorList();
  const at = path('status', 'typeChecking', 'expressionWarnings');
  list(status?.typeChecking?.expressionWarnings).forEach(({ fieldRef, warning }, i) => {
    if (warning === '') out.push(required(at.index(i).child('warning')));
    if (fieldRef.trim() === '') out.push(required(at.index(i).child('fieldRef')));
  });
  checkConditions(out, path('status', 'conditions'), status?.conditions ?? []);
  return out;
}

const again = (out: FieldError[], object: DeepReadonly<KubeObject>): void =>
  checkMetadataAgain(out, object, { namespaced: false, name: nameIsDnsSubdomain, builtIn: false });

export const validatingAdmissionPolicyStrategy: Strategy<Policy> = {
  heavy: HEAVY_EXPRESSIONS,
  default({ spec }) {
    if (spec === undefined) return;
    spec.failurePolicy ??= 'Fail';
    defaultMatchResources(spec.matchConstraints);
  },
  prepareForCreate(_ctx, policy) {
    policy.status = {};
  },
  validate: (_ctx, policy) => checkPolicy(policy),
  validateUpdate(_ctx, policy, old) {
    const out = errorList();
    again(out, policy);
    return [...out, ...checkPolicy(policy, old)];
  },
  cells(policy, nowMs) {
    const { paramKind, validations } = policy.spec ?? {};
    const params = paramKind === undefined ? UNSET : `${paramKind.apiVersion ?? ''}/${paramKind.kind ?? ''}`;
    return { cells: [nameCell(policy), list(validations).length, params, ageCell(policy, nowMs)] };
  },
  subresources: {
    status: { kind: 'part', validateUpdate: (_ctx, object) => checkStatus(object) },
  },
};

interface Binding extends KubeObject {
  spec?: Wire<k8s.V1ValidatingAdmissionPolicyBindingSpec>;
}
type ReadonlyBinding = DeepReadonly<Binding>;
type BindingSpec = NonNullable<ReadonlyBinding['spec']>;

const ACTIONS = ['Audit', 'Deny', 'Warn'];
const NOT_FOUND_ACTIONS = ['Deny', 'Allow'];
const EXCLUSIVE = 'name and selector are mutually exclusive';

function checkParamRef(out: FieldError[], at: FieldPath, ref: NonNullable<BindingSpec['paramRef']>): void {
  const { name = '', selector, parameterNotFoundAction: action } = ref;
  if (name !== '') {
    for (const text of nameIsPathSegment(name, false)) out.push(invalid(at.child('name'), name, text));
    if (selector !== undefined) out.push(forbidden(at.child('name'), EXCLUSIVE));
  }
  if (selector !== undefined) {
    checkSelector(out, at.child('selector'), selector);
    if (name !== '') out.push(forbidden(at.child('selector'), EXCLUSIVE));
  }
  if (name === '' && selector === undefined) out.push(required(at, 'one of name or selector must be specified'));
  if (!action) out.push(required(at.child('parameterNotFoundAction')));
  else checkOneOf(out, at.child('parameterNotFoundAction'), action, NOT_FOUND_ACTIONS);
}

function checkActions(out: FieldError[], at: FieldPath, actions: readonly string[]): void {
  const again = createRepeatCheck<string>();
  actions.forEach((action, i) => {
    if (!ACTIONS.includes(action)) out.push(notSupported(at.index(i), action, ACTIONS));
    if (again(action)) out.push(duplicate(at.index(i), action));
  });
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why = 'repeating the same validation failure information in the API response and headers serves no purpose';
    out.push(invalid(at, actions, `must not contain both Deny and Warn (${why})`));
  }
  if (actions.length === 0) out.push(required(at, 'at least one validation action is required'));
}

function checkBinding({ spec }: ReadonlyBinding): FieldError[] {
  const out = errorList();
  const { policyName = '', paramRef, matchResources, validationActions }: Partial<BindingSpec> = spec ?? {};
  const at = SPEC.child('policyName');
  if (policyName === '') out.push(required(at));
  else for (const text of nameIsDnsSubdomain(policyName, false)) out.push(invalid(at, policyName, text));
  if (paramRef !== undefined) checkParamRef(out, SPEC.child('paramRef'), paramRef);
  if (matchResources !== undefined) checkMatchResources(out, SPEC.child('matchResources'), matchResources);
  checkActions(out, SPEC.child('validationActions'), list(validationActions));
  return out;
}

export const validatingAdmissionPolicyBindingStrategy: Strategy<Binding> = {
  default: ({ spec }) => defaultMatchResources(spec?.matchResources),
  validate: (_ctx, binding) => checkBinding(binding),
  validateUpdate(_ctx, binding) {
    const out = errorList();
    again(out, binding);
    return [...out, ...checkBinding(binding)];
  },
  cells(binding, nowMs) {
    const { policyName = '', paramRef } = binding.spec ?? {};
    const { name, namespace } = paramRef ?? {};
    const shown = name ? `${namespace || '*'}/${name}` : UNSET;
    return { cells: [nameCell(binding), policyName, shown, ageCell(binding, nowMs)] };
  },
};
