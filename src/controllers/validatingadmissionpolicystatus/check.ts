import { createTypeCheck, type TypeCheck } from '../../machinery/cel/admission/compile.js';
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

/** What is wrong with the expressions of a policy, for each of its kinds. Pure. */
export function checkPolicy(
  { validations = [], variables = [] }: PolicySpec,
  kinds: readonly Typed[],
  params: SchemaType | undefined,
): ExpressionWarning[] {
  const checks = kinds.map(({ kind, schema }): readonly [GroupVersionKind, TypeCheck] => [
    kind,
    createTypeCheck(schema, params, variables),
  ]);
  const warnings: ExpressionWarning[] = [];
  const check = (fieldRef: string, expression: string): void => {
    const texts = checks.flatMap(([kind, typeCheck]) => {
      const problems = typeCheck(expression);
      return problems === undefined ? [] : [`${formatKind(kind)}: ${problems}\n`];
    });
    if (texts.length > 0) warnings.push({ fieldRef, warning: texts.join('\n') });
  };
  validations.forEach(({ expression, messageExpression = '' }, i) => {
    check(`spec.validations[${i}].expression`, expression);
    if (messageExpression !== '') check(`spec.validations[${i}].messageExpression`, messageExpression);
  });
  return warnings;
}
