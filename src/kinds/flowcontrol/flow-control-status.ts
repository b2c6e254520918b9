import { duplicate, errorList, path, required } from '../../machinery/field-error.js';
import type { FieldError } from '../../machinery/field-error.js';
import type { PartSubresource } from '../../api/strategy.js';
import { list } from '../validation/formats.js';

/** The status of FlowSchemas and PriorityLevelConfigurations: conditions, each of its own type. */
export interface Conditions {
  readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
}

const STATUS = path('status', 'conditions');

export function checkConditions(out: FieldError[], status: Conditions | undefined): void {
  const seen = new Set<string>();
  list(status?.conditions).forEach(({ type = '' }, i) => {
    const at = STATUS.index(i).child('type');
    if (seen.has(type)) out.push(duplicate(at, type));
    seen.add(type);
    if (type === '') out.push(required(at));
  });
}

/** The subresource of both. */
export const statusPart: PartSubresource = {
  kind: 'part',
  validateUpdate(_ctx, object) {
    const out = errorList();
    checkConditions(out, (object as { status?: Conditions }).status);
    return out;
  },
};
