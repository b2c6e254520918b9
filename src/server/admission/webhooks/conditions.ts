import { forbiddenError, type StatusError } from '../../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import type { RequestContext } from '../../../api/strategy.js';
import type { Attributes } from '../matching/attributes.js';
import type { Match } from '../matching/match.js';

/** What an expression may name. */
export interface ConditionInput {
  readonly ctx: RequestContext;
  readonly asked: Attributes;
  readonly match: Match;
  readonly object: DeepReadonly<KubeObject> | undefined;
  readonly old: DeepReadonly<KubeObject> | undefined;
}

/** Of each expression in its order whether it holds, or why that cannot be said. */
export type Conditions = (input: ConditionInput) => Promise<readonly (boolean | Error)[]>;

export type CompileConditions = (conditions: readonly { name: string; expression: string }[]) => Conditions;

/** Until expressions are evaluated: none of them can be, which the failure policy judges. */
export const compileConditions: CompileConditions = conditions => () =>
  Promise.resolve(
    conditions.map(({ expression }) => new Error(`expression '${expression}' resulted in error: not evaluated`)),
  );

const aggregate = (errors: readonly Error[]): string => {
  const texts = [...new Set(errors.map(({ message }) => message))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
};

/**
 * Whether a webhook whose rules match is asked: one condition that is false outweighs any that cannot be evaluated
 * (apiserver pkg/admission/plugin/webhook/matchconditions). @throws StatusError 403 when that cannot be said
 */
export async function conditionsHold(
  conditions: Conditions | undefined,
  ignoresFailures: boolean,
  input: ConditionInput,
): Promise<boolean> {
  if (conditions === undefined) return true;
  const results = await conditions(input);
  if (results.includes(false)) return false;
  const errors = results.filter((result): result is Error => result instanceof Error);
  if (errors.length === 0) return true;
  if (ignoresFailures) return false;
  throw unknown(input.asked, errors);
}

const unknown = ({ resource, name }: Attributes, errors: readonly Error[]): StatusError =>
  forbiddenError({ group: resource.group, resource: resource.resource }, name, aggregate(errors));
