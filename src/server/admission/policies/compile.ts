import type * as k8s from '@kubernetes/client-node';
import { DYN, type Type } from '../../../machinery/cel/types.js';
import { labelSelectorAsSelector } from '../../../machinery/labels.js';
import type { DeepReadonly, KubeObject, Wire } from '../../../machinery/types.js';
import { createCompiler, isCompileError, type CompiledExpression } from '../../../machinery/cel/admission/compile.js';
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

export function compilePolicy({ metadata, spec }: DeepReadonly<Policy>): CompiledPolicy {
  const { paramKind, variables = [], validations = [], auditAnnotations = [], matchConditions = [] } = spec ?? {};
  const hasParams = paramKind !== undefined;
  const types = new Map<string, Type>();
  // Each variable may name those before it; everything else may name all.
  const known = variables.length === 0 ? {} : { variables: types };
  const compile = createCompiler({ hasParams, hasAuthorizer: true, ...known });
  const compileMessage = createCompiler({ hasParams, hasAuthorizer: false, ...known });
  const own = new Map<string, CompiledExpression>();
  for (const { name, expression } of variables) {
    const compiled = compile(expression);
    types.set(name, isCompileError(compiled) ? DYN : variableType(compiled.type));
    own.set(name, compiled);
  }
  return {
    name: metadata.name ?? '',
    criteria: criteriaOf(spec?.matchConstraints ?? {}),
    ignoresFailures: spec?.failurePolicy === 'Ignore',
    paramKind,
    variables: own,
    conditions: matchConditions.map(({ expression }) => compile(expression, ['bool'])),
    validations: validations.map(({ expression, message = '', messageExpression = '', reason }) => ({
      expression: compile(expression, ['bool']),
      source: expression,
      message,
      messageExpression: messageExpression === '' ? undefined : compileMessage(messageExpression, ['string']),
      reason,
    })),
    annotations: auditAnnotations.map(({ key, valueExpression }) => ({
      key,
      expression: compile(valueExpression, ['string', 'null_type']),
      source: valueExpression,
    })),
  };
}

export const compileBinding = ({ metadata, spec }: DeepReadonly<Binding>): CompiledBinding => ({
  name: metadata.name ?? '',
  policy: spec?.policyName ?? '',
  criteria: spec?.matchResources === undefined ? undefined : criteriaOf(spec.matchResources),
  paramRef: spec?.paramRef,
  actions: spec?.validationActions ?? [],
});
