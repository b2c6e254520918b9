import { errorList, forbidden, invalid, path, required, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, Lease } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { checkQualifiedName, NEGATIVE } from '../validation/formats.js';

const SPEC = path('spec');

function checkLease(lease: DeepReadonly<Lease>): FieldError[] {
  const out = errorList();
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

/** CoordinatedLeaderElection is off: its fields can be kept, not set. Mutates. */
function dropCoordination({ spec }: Lease, old: DeepReadonly<Lease> | undefined): void {
  if (spec === undefined) return;
  if (old?.spec?.strategy === undefined) delete spec.strategy;
  if (old?.spec?.preferredHolder === undefined) delete spec.preferredHolder;
}

export const leaseStrategy: Strategy<Lease> = {
  prepareForCreate: (_ctx, lease) => dropCoordination(lease, undefined),
  prepareForUpdate: (_ctx, lease, old) => dropCoordination(lease, old),
  validate: (_ctx, lease) => checkLease(lease),
  validateUpdate: (_ctx, lease) => checkLease(lease),
};
