import { forbidden, invalid, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { aggregateResources } from '../../../../machinery/pod-requests.js';
import { sortedEntries } from '../../../validation/formats.js';
import { compareQuantities } from '../../../validation/quantities.js';
import { checkPodResourceName, checkResourceRequirements, type PodClaims, isHugePage } from './resources.js';

type Spec = DeepReadonly<PodSpec>;
const byName = (quantities: ReadonlyMap<string, string>): [string, string][] =>
  [...quantities].sort(([a], [b]) => (a < b ? -1 : 1));

/** A Pod's own resources must cover what its containers ask for, where it says anything of a resource. */
function checkCover(out: FieldError[], at: FieldPath, spec: Spec): void {
  const own = spec.resources;
  for (const [name, asked] of byName(aggregateResources(spec, 'requests'))) {
    const granted = own?.requests?.[name];
    if (granted === undefined || compareQuantities(asked, granted) <= 0) continue;
    const text = `must be greater than or equal to aggregate container requests of ${asked}`;
    out.push(invalid(at.child('requests').key(name), granted, text));
  }
  for (const [name, used] of byName(aggregateResources(spec, 'limits'))) {
    const granted = own?.limits?.[name];
    if (!isHugePage(name) || granted === undefined || compareQuantities(used, granted) <= 0) continue;
    const text = `must be greater than or equal to aggregate container limits of ${used}`;
    out.push(invalid(at.child('limits').key(name), granted, text));
  }
  (spec.containers ?? []).forEach((container, i) => {
    for (const [name, limit] of sortedEntries(container.resources?.limits)) {
      const granted = own?.limits?.[name];
      if (granted === undefined || compareQuantities(limit, granted) <= 0) continue;
      const field = at.child('containers').index(i).key(name).child('limits');
      out.push(invalid(field, limit, `must be less than or equal to pod limits of ${granted}`));
    }
  });
}

/** Resources of the Pod as a whole. `claims`: names in spec.resourceClaims. */
export function checkPodResources(out: FieldError[], at: FieldPath, spec: Spec, claims: PodClaims): void {
  const own = spec.resources;
  if (own === undefined) return;
  if (spec.os?.name === 'windows') return void out.push(forbidden(at, 'may not be set for a windows pod'));
  if (own.claims !== undefined)
    out.push(forbidden(at.child('claims'), 'claims may not be set for Resources at pod-level'));
  checkResourceRequirements(out, at, own, claims, checkPodResourceName);
  checkCover(out, at, spec);
}
