import { createTypeCheck, type TypeCheck } from '../../machinery/cel/admission/compile.js';
import type { Steps } from '../../machinery/steps.js';
import type { SchemaType } from '../../machinery/cel/adapt/schema.js';
import type { GroupVersionKind } from '../../machinery/types.js';
import type { PolicySpec } from './kinds.js';

export interface ExpressionWarning {
  readonly fieldRef: string;
  readonly warning: string;
}

/** A kind that a policy is about, with what is declared of it. */
export interface Typed {
  readonly kind: GroupVersionKind;
  readonly schema: SchemaType;
}

const formatKind = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}, Kind=${kind}`;

/** What is wrong with the expressions of a policy, for each of its kinds. It rests: they may be long. */
export function* checkPolicy(
  { validations = [], variables = [] }: PolicySpec,
  kinds: readonly Typed[],
  params: SchemaType | undefined,
): Steps<ExpressionWarning[]> {
  const checks: (readonly [GroupVersionKind, TypeCheck])[] = [];
  for (const { kind, schema } of kinds) checks.push([kind, yield* createTypeCheck(schema, params, variables)]);
  const warnings: ExpressionWarning[] = [];
  function* check(fieldRef: string, expression: string): Steps<void> {
    const texts: string[] = [];
    for (const [kind, typeCheck] of checks) {
      const problems = yield* typeCheck(expression);
      if (problems !== undefined) texts.push(`${formatKind(kind)}: ${problems}\n`);
      yield;
    }
    if (texts.length > 0) warnings.push({ fieldRef, warning: texts.join('\n') });
  }
  for (const [i, { expression, messageExpression = '' }] of validations.entries()) {
    yield* check(`spec.validations[${i}].expression`, expression);
    if (messageExpression !== '') yield* check(`spec.validations[${i}].messageExpression`, messageExpression);
  }
  return warnings;
}
