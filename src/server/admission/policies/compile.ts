import type * as k8s from '@kubernetes/client-node';
import { DYN, type Type } from '../../../machinery/cel/types.js';
import { labelSelectorAsSelector } from '../../../machinery/labels.js';
import type { Steps } from '../../../machinery/steps.js';
import type { DeepReadonly, KubeObject, Wire } from '../../../machinery/types.js';
import {
  createCompilerInSteps,
  isCompileError,
  type CompiledExpression,
} from '../../../machinery/cel/admission/compile.js';
import { variableType } from '../../../machinery/cel/admission/structs.js';
import type { Criteria } from '../matching/match.js';
import type { OwnVariables } from '../expressions/evaluate.js';

export interface Policy extends KubeObject {
  readonly spec?: Wire<k8s.V1ValidatingAdmissionPolicySpec>;
}
export interface Binding extends KubeObject {
  readonly spec?: Wire<k8s.V1ValidatingAdmissionPolicyBindingSpec>;
}
type MatchResources = DeepReadonly<Wire<k8s.V1MatchResources>>;
export type ParamKind = DeepReadonly<Wire<k8s.V1ParamKind>>;
export type ParamRef = DeepReadonly<Wire<k8s.V1ParamRef>>;

export interface CompiledValidation {
  readonly expression: CompiledExpression;
  readonly source: string;
  readonly message: string;
  readonly messageExpression: CompiledExpression | undefined;
  readonly reason: string | undefined;
}

export interface CompiledAnnotation {
  readonly key: string;
  readonly expression: CompiledExpression;
  readonly source: string;
}

/** A policy, ready to judge. Compiled once for each state of it. */
export interface CompiledPolicy {
  readonly name: string;
  readonly criteria: Criteria;
  readonly ignoresFailures: boolean;
  readonly paramKind: ParamKind | undefined;
  readonly variables: OwnVariables;
  readonly conditions: readonly CompiledExpression[];
  readonly validations: readonly CompiledValidation[];
  readonly annotations: readonly CompiledAnnotation[];
}

export interface CompiledBinding {
  readonly name: string;
  readonly policy: string;
  /** undefined: of whatever the policy matches. */
  readonly criteria: Criteria | undefined;
  readonly paramRef: ParamRef | undefined;
  readonly actions: readonly string[];
}

const criteriaOf = ({
  resourceRules = [],
  excludeResourceRules = [],
  matchPolicy,
  namespaceSelector,
  objectSelector,
}: MatchResources): Criteria => ({
  rules: resourceRules.length === 0 ? 'any' : resourceRules,
  excludeRules: excludeResourceRules,
  matchPolicy: matchPolicy === 'Equivalent' ? 'Equivalent' : 'Exact',
  namespaceSelector: labelSelectorAsSelector(namespaceSelector),
  objectSelector: labelSelectorAsSelector(objectSelector),
});

/** With rests: its expressions may be many, and long. */
export function* compilePolicy({ metadata, spec }: DeepReadonly<Policy>): Steps<CompiledPolicy> {
  const { paramKind, variables = [], validations = [], auditAnnotations = [], matchConditions = [] } = spec ?? {};
  const hasParams = paramKind !== undefined;
  const types = new Map<string, Type>();
  // Each variable may name those before it; everything else may name all.
  const known = variables.length === 0 ? {} : { variables: types };
  const compile = createCompilerInSteps({ hasParams, hasAuthorizer: true, ...known });
  const compileMessage = createCompilerInSteps({ hasParams, hasAuthorizer: false, ...known });
  const own = new Map<string, CompiledExpression>();
  for (const { name, expression } of variables) {
    const compiled = yield* compile(expression);
    types.set(name, isCompileError(compiled) ? DYN : variableType(compiled.type));
    own.set(name, compiled);
    yield;
  }
  const conditions: CompiledExpression[] = [];
  for (const { expression } of matchConditions) {
    conditions.push(yield* compile(expression, ['bool']));
    yield;
  }
  const compiledValidations: CompiledValidation[] = [];
  for (const { expression, message = '', messageExpression = '', reason } of validations) {
    compiledValidations.push({
      expression: yield* compile(expression, ['bool']),
      source: expression,
      message,
      messageExpression: messageExpression === '' ? undefined : yield* compileMessage(messageExpression, ['string']),
      reason,
    });
    yield;
  }
  const annotations: CompiledAnnotation[] = [];
  for (const { key, valueExpression: source } of auditAnnotations) {
    annotations.push({ key, expression: yield* compile(source, ['string', 'null_type']), source });
    yield;
  }
  return {
    name: metadata.name ?? '',
    criteria: criteriaOf(spec?.matchConstraints ?? {}),
    ignoresFailures: spec?.failurePolicy === 'Ignore',
    paramKind,
    variables: own,
    conditions,
    validations: compiledValidations,
    annotations,
  };
}

export const compileBinding = ({ metadata, spec }: DeepReadonly<Binding>): CompiledBinding => ({
  name: metadata.name ?? '',
  policy: spec?.policyName ?? '',
  criteria: spec?.matchResources === undefined ? undefined : criteriaOf(spec.matchResources),
  paramRef: spec?.paramRef,
  actions: spec?.validationActions ?? [],
});
