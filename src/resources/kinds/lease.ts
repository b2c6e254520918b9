import { forbidden, invalid, path, required, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, Lease } from '../../machinery/types.js';
import type { Strategy } from '../strategy.js';
import { checkQualifiedName, NEGATIVE } from '../validation/formats.js';

const SPEC = path('spec');

function checkLease(lease: DeepReadonly<Lease>): FieldError[] {
  const out: FieldError[] = [];
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = lease.spec ?? {};
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
    out.push(invalid(SPEC.child('leaseDurationSeconds'), leaseDurationSeconds, 'must be greater than 0'));
  if (leaseTransitions !== undefined && leaseTransitions < 0)
    out.push(invalid(SPEC.child('leaseTransitions'), leaseTransitions, NEGATIVE));
  if (strategy !== undefined) {
    if (strategy === '') out.push(required(SPEC.child('strategy')));
    else checkQualifiedName(out, SPEC.child('strategy'), strategy);
  }
  if (preferredHolder && !strategy)
    out.push(forbidden(SPEC.child('preferredHolder'), 'may only be specified if `strategy` is defined'));
  return out;
}

export const leaseStrategy: Strategy<Lease> = {
  validate: (_ctx, lease) => checkLease(lease),
  validateUpdate: (_ctx, lease) => checkLease(lease),
};
