import { formatTime } from '../../machinery/clock.js';
import type { Condition, CustomResourceDefinition, Definition } from './definition.js';

export type ConditionType = 'Established' | 'NamesAccepted' | 'Terminating' | 'KubernetesAPIApprovalPolicyConformant';
type Said = Pick<Condition, 'status' | 'reason' | 'message'> & { readonly type: ConditionType };

export const findCondition = (
  definition: Definition,
  type: ConditionType,
): NonNullable<NonNullable<Definition['status']>['conditions']>[number] | undefined =>
  (definition.status?.conditions ?? []).find(condition => condition.type === type);

export const isTrue = (definition: Definition, type: ConditionType): boolean =>
  findCondition(definition, type)?.status === 'True';

/** Whether the definition says so already, whenever that began. */
export function says(definition: Definition, wanted: Said): boolean {
  const found = findCondition(definition, wanted.type);
  return found?.status === wanted.status && found.reason === wanted.reason && found.message === wanted.message;
}

/** Mutates. The time moves with the status only. */
export function setCondition(definition: CustomResourceDefinition, wanted: Said, nowMs: number): void {
  const conditions = ((definition.status ??= {}).conditions ??= []);
  const found = conditions.find(({ type }) => type === wanted.type);
  if (found === undefined) {
    conditions.push({ ...wanted, lastTransitionTime: formatTime(nowMs) });
    return;
  }
  if (found.status !== wanted.status || found.lastTransitionTime === undefined)
    found.lastTransitionTime = formatTime(nowMs);
  found.status = wanted.status;
  found.reason = wanted.reason as string;
  found.message = wanted.message as string;
}
